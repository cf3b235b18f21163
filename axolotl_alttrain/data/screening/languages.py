"""The language of a text, where the source does not say: by its script, else by a trained identifier."""

from __future__ import annotations

import re

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),  # kana; kanji alone would be read as Chinese
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
)
_DETECT_CHARS = 1_000


def by_script(text: str) -> str | None:
    """``ja``, ``ko`` or ``zh`` where the text is written in their scripts; None for any other."""
    letters = sum(character.isalpha() for character in text)
    cjk = len(re.findall(r"[\u3040-\u30ff\uac00-\ud7af\u4e00-\u9fff]", text))
    if not letters or cjk / letters < 0.3:  # a foreign word does not make a text foreign
        return None
    return next((code for code, script in _SCRIPTS if script.search(text)), None)


def detect(text: str) -> str:
    """The ISO 639-1 code of a text's language (py3langid, https://github.com/adbar/py3langid)."""
    text = text[:_DETECT_CHARS]
    if code := by_script(text):
        return code
    import py3langid

    return str(py3langid.classify(text)[0])

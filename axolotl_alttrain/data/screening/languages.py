"""The language of a text: by its script, otherwise by a trained classifier."""

from __future__ import annotations

import re

_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),  # kana; text in kanji only counts as Chinese
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
)
_DETECT_CHARS = 1_000


def by_script(text: str) -> str | None:
    """``ja``, ``ko`` or ``zh`` if the text is written in their scripts; otherwise None."""
    letters = sum(character.isalpha() for character in text)
    cjk = len(re.findall(r"[\u3040-\u30ff\uac00-\ud7af\u4e00-\u9fff]", text))
    if not letters or cjk / letters < 0.3:  # a single foreign word does not count
        return None
    return next((code for code, script in _SCRIPTS if script.search(text)), None)


def detect(text: str) -> str:
    """The ISO 639-1 code of a text's language (py3langid, https://github.com/adbar/py3langid)."""
    text = text[:_DETECT_CHARS]
    if code := by_script(text):
        return code
    import py3langid

    return str(py3langid.classify(text)[0])

"""Phrases of refusal, read from ``refusals/<code>.yml``, and whether the rules know the language of a text.

``phrases`` are regular expressions, matched case-insensitively in the opening of an answer. ``<NAME>`` stands for an
entry of ``parts``. ``also`` names languages that the classifier takes this one for.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from axolotl_alttrain.storage.yaml_file import read_mapping

FOLDER = Path(__file__).parent / "refusals"
# Below this probability the classifier guesses: short answers, numbers and code are of any language to it.
CERTAIN = 0.8
_NO_LANGUAGE = "zxx"
_CLASSIFIED_CHARS = 1_000


@lru_cache(maxsize=1)
def refusals() -> re.Pattern[str]:
    """All phrases of all languages as one pattern."""
    phrases = [phrase for data in _files().values() for phrase in _phrases(data)]
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)


@lru_cache(maxsize=1)
def known_languages() -> frozenset[str]:
    """Codes of the languages with a file, and of those that are taken for them."""
    return frozenset(_files()) | {code for data in _files().values() for code in data.get("also", ())}


def knows_language(text: str) -> bool:
    """Whether a text is in a language of ``refusals/``, as far as the classifier is certain (py3langid)."""
    if text.isascii() and not any(map(str.isalpha, text)):
        return True
    code, probability = _classifier().classify(text[:_CLASSIFIED_CHARS])
    return probability < CERTAIN or code == _NO_LANGUAGE or code in known_languages()


def _phrases(data: dict[str, Any]) -> list[str]:
    parts: dict[str, str] = {}
    for name, text in data.get("parts", {}).items():
        parts[name] = _filled(text, parts)
    return [_filled(phrase, parts) for phrase in data["phrases"]]


def _filled(text: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        text = text.replace(f"<{name}>", part)
    return text


@lru_cache(maxsize=1)
def _files() -> dict[str, dict[str, Any]]:
    return {path.stem: read_mapping(path, "'phrases'") for path in sorted(FOLDER.glob("*.yml"))}


@lru_cache(maxsize=1)
def _classifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

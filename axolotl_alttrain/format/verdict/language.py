"""The languages in which verdicts are read: the files of ``languages/``, ready to find words in a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import regex
from pydantic import ValidationError

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.verdict.data import Clauses, Declaration, LanguageData
from axolotl_alttrain.storage.yaml_file import read_mapping

FOLDER = Path(__file__).parent / "languages"


class Token(NamedTuple):
    """A word or phrase that the language file knows, or punctuation inside a sentence.

    Attributes:
        kind: The field of :class:`LanguageData` that lists it, ``opens.reason`` for those of clauses, or ``comma``.
        start, end: Its place in the normalised text.
    """

    kind: str
    start: int
    end: int


class Language:
    """A language file, ready to read texts."""

    def __init__(self, code: str, data: LanguageData) -> None:
        self.code, self.data = code, data
        kinds = {name: getattr(data, name) for name in _WORD_KINDS}
        for place in ("opens", "closes"):
            kinds |= {f"{place}.{role}": getattr(getattr(data, place), role) for role in Clauses.model_fields}
        entries = [(entry, kind) for kind, some in kinds.items() for entry in some]
        # The longest entry wins: "no doubt" over "no".
        entries.sort(key=lambda one: -len(one[0].replace("*", "")))
        self._kinds = ["comma", *(kind for _, kind in entries)]
        patterns = [rf"({COMMAS})", *(f"({self.pattern(entry)})" for entry, _ in entries)]
        self._lexer = regex.compile("|".join(patterns))
        self._common = regex.compile(self.any_of(data.function_words)) if data.function_words else None
        self._foreign = regex.compile(self.any_of(data.foreign)) if data.foreign else None
        self._verdicts = regex.compile(self.any_of((*data.harmful, *data.harmless)))
        told = (*data.declaration.subjects, *data.declaration.requests)
        self.subject = regex.compile(self.any_of(told)) if told else None
        self._head, self._after = self._declaration(data.declaration)
        self._never = regex.compile(self.any_of(data.declaration.never)) if data.declaration.never else None
        self.question_end = regex.compile(self.any_of(data.question_ends) + r"\W*$") if data.question_ends else None

    def tokens(self, text: str) -> list[Token]:
        """The known words of a normalised text, in order."""
        return [Token(self._kinds[m.lastindex - 1], m.start(), m.end()) for m in self._lexer.finditer(text)]

    def evidence(self, text: str) -> int:
        """How many words of a normalised text speak for this language, verdict words included."""
        if self._foreign and self._foreign.search(text):
            return 0
        common = len(self._common.findall(text)) if self._common else 0
        return common + len(self._verdicts.findall(text))

    def declares(self, text: str, start: int, end: int) -> bool:
        """Whether a normalised sentence declares its verdict with the word at this place."""
        head = text[:start]
        if not head.strip():
            return text[end : end + 1] in (":", "：")
        if self._head is None or (self._never and self._never.search(head)):
            return False
        return bool(self._head.fullmatch(head) and self._after.match(text, end))

    def _declaration(self, data: Declaration) -> tuple[regex.Pattern[str] | None, regex.Pattern[str]]:
        after = r"\s?(?:[:,;.!–—]|$)|\s" + (self.any_of(data.reasons) if data.reasons else "$")
        subjects = [self.any_of(data.subjects)] if data.subjects else []
        words = r"(?:\s+[\w'’-]+){0,8}?" if self.data.spaced else r"[^,，。；：、\s]{0,12}?"
        if data.requests:
            begin = self.any_of(data.determiners) + words + r"\s*" if data.determiners else ""
            subjects.append(begin + self.any_of(data.requests))
        if not subjects:
            return None, regex.compile(after)
        subject = "(?:" + "|".join(subjects) + ")" + words
        if not self.data.spaced or self.data.scope == "after":
            after = ""
        if not data.copulas:
            # Without a word for "is", the verdict may follow anywhere in the clause, and anything may follow it.
            return regex.compile(rf"{subject}[^,،，。]*"), regex.compile("")
        degrees = rf"(?:\s*{self.any_of(data.degrees)}){{0,3}}" if data.degrees else ""
        return regex.compile(rf"{subject}\s*{self.any_of(data.copulas)}{degrees}\s*"), regex.compile(after)

    def any_of(self, entries: Iterable[str]) -> str:
        """A pattern that matches any of the entries, the longest first."""
        return "(?:" + "|".join(self.pattern(entry) for entry in sorted(entries, key=len, reverse=True)) + ")"

    def pattern(self, entry: str) -> str:
        """The pattern of an entry of the file."""
        gap = r"(?:[\w'’-]+[ ,]+){0,4}?" if self.data.spaced else r"[^,，、。]{0,8}?"
        before, after = r"(?<![\w])", r"(?![\w]|-\w)"
        if self.data.agglutinative:
            before, after = ("" if entry[0] == "*" else before), ("" if entry[-1] == "*" else after)
            entry = entry.strip("*")
        escaped: str = regex.escape(normalised(entry), literal_spaces=True).replace(r"\*", r"[\w]*")
        escaped = escaped.replace("'", "['’]").replace("_ ", "_").replace(" ", r"\s+").replace("_", gap)
        if not self.data.spaced:
            return escaped
        prefix = "(?:" + "|".join(map(normalised, self.data.prefixes)) + ")?" if self.data.prefixes else ""
        # "harmful-looking" describes an appearance, not a verdict.
        return f"{before}{prefix}{escaped}{'' if entry.endswith(chr(39)) else after}"


_WORD_KINDS = (
    "harmful", "harmless", "dangers", "negators", "privatives", "no_negation", "that", "joins", "hedges",
    "appearances", "comparisons_before", "comparisons_after",
)  # fmt: skip
COMMAS = r"[,،，、–—]"
_MARKS = regex.compile(r"[\u064B-\u0652\u0670\u0640\u093C]")  # Arabic vowel signs and stretching, Devanagari's nukta
_LETTER = regex.compile(r"\p{L}")


def normalised(text: str) -> str:
    """A text in lower case and composed form, without marks that writers may leave out."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text.casefold()))
    return str(_MARKS.sub("", composed)).replace("ё", "е")


@lru_cache(maxsize=1)
def languages() -> dict[str, Language]:
    """The languages of ``languages/`` by their code.

    Raises:
        AltTrainError: A file cannot be read or has unknown keys.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.yml")):
        try:
            data = LanguageData(**read_mapping(path, "the fields of LanguageData"))
        except ValidationError as error:
            first = error.errors()[0]
            raise AltTrainError(f"{path}: field '{first['loc'][0]}' is invalid ({first['msg']}); correct it") from None
        found[path.stem] = Language(path.stem, data)
    return found


def candidates(text: str, context: Sequence[Language] = ()) -> tuple[Language, ...]:
    """The languages that a normalised text may be in: none if it is unknown, several if they fit equally.

    Args:
        text: The text.
        context: The languages of the text around it, preferred unless the text speaks clearly for another one.
    """
    script = _script(text)
    some = [one for one in languages().values() if one.data.script == script]
    if len(some) == 1:
        return tuple(some)
    scores = {one.code: one.evidence(text) for one in some}
    best = max(scores.values(), default=0)
    if any(0 < scores.get(one.code, 0) >= best - 1 for one in context):
        return tuple(context)
    return tuple(one for one in some if best and scores[one.code] == best)


@lru_cache(maxsize=1)
def _scripts() -> dict[str, regex.Pattern[str]]:
    names = {one.data.script for one in languages().values()}
    return {name: regex.compile("[" + "".join(rf"\p{{{part}}}" for part in name.split("+")) + "]") for name in names}


def _script(text: str) -> str | None:
    """The script of most letters. Japanese has kana beside Han; Chinese has none."""
    counts = {name: len(pattern.findall(text)) for name, pattern in _scripts().items()}
    if counts.get("Han") and (own := counts.get("Hiragana+Katakana")):
        counts["Hiragana+Katakana"] = own + counts.pop("Han")
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] * 2 >= len(_LETTER.findall(text)) > 0 else None

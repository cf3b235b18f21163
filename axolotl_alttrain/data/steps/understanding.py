"""Problem understanding (PU): the first sentence of a trace (paper, "One training example").

Sentences are split by pysbd (Sadvilkar and Neumann, 2020, https://arxiv.org/abs/2010.09657), whose rules cover
abbreviations, numbers and the punctuation of other languages. Splits inside quotes, brackets or code are undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from axolotl_alttrain.data.screening.languages import by_script

_WINDOW = 1_500  # characters given to the splitter first; only the beginning of a thought is needed
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
# Opening words that say nothing about the problem.
_FILLERS = re.compile(
    r"(?:ok(?:ay)?|al ?right|right|well|hm+|uh+|um+|oh|ah|so|now|sure|yes|yeah|great|good|interesting|wait|thinking"
    r"|first(?: of all| things first)?|here we go|let['’]?s (?:see|think|go|start|begin|break (?:this|it) down)"
    r"|let me (?:think|see)(?: about (?:this|that|it))?(?: (?:carefully|for a (?:moment|second)|step by step))?"
    r"|好的?|嗯+|唔|让我想想|我想想|让我们(?:看看|想想)|首先|はい|うーん|えっと|さて|なるほど|では"
    r"|حسنا|حسنًا|طيب|دعني أفكر|bueno|vale|bien|alors|bon|d['’]accord|voyons|also|gut|na gut|mal sehen)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[,.!?…;:~—–。，！？、؟،*_#>\n-]+")
_PAIRS = {"“": "”", "「": "」", "『": "』", "《": "》", "（": "）", "(": ")", "[": "]", "«": "»", "【": "】"}
_ARABIC = re.compile(r"^\W*[\u0600-\u06ff]")
_PATTERNS = 8_192
_JOIN_LIMIT = 3  # an opening quote that is never closed must not swallow the thought


@dataclass(frozen=True)
class Understanding:
    """A thought split after its problem understanding; ``text + gap + rest`` is the thought without outer whitespace.

    Attributes:
        text: PU.
        rest: What follows, unchanged.
        gap: The whitespace between the two.
        changed: Whether PU is longer than the first sentence, because that sentence was only a filler.
    """

    text: str
    rest: str
    gap: str
    changed: bool


def understand(thought: str, language: str | None = None) -> Understanding:
    """Split a thought after its first sentence; after a filler such as "Okay.", PU includes the next sentence.

    Args:
        thought: The reasoning between the think tags.
        language: ISO 639-1 code, if known. Chinese, Japanese and Korean are recognised by their scripts.

    Returns:
        The two parts; both are empty for an empty thought.
    """
    thought = thought.strip()
    end, changed = 0, False
    for number, stop in enumerate(_sentence_ends(thought, language)):
        end, changed = stop, number > 0
        if not is_filler(thought[:end]):
            break
    text = thought[:end].rstrip()
    rest = thought[len(text) :].lstrip()
    return Understanding(text, rest, thought[len(text) : len(thought) - len(rest)], changed)


def is_filler(text: str) -> bool:
    """Whether a text consists only of opening words, such as "Okay, so, hmm..."."""
    parts = (part.strip() for part in _BETWEEN.split(text))
    return all(_FILLERS.fullmatch(part) for part in parts if part)


def _sentence_ends(thought: str, language: str | None) -> Iterator[int]:
    """The ends of the sentences of a thought, in order."""
    start = 0
    while start < len(thought):
        end = _first_sentence_end(thought, start, language)
        yield end
        start = end


def _first_sentence_end(thought: str, start: int, language: str | None) -> int:
    """End of the sentence that begins at ``start``. A blank line ends a sentence, except inside a code block."""
    while start < len(thought) and thought[start].isspace():
        start += 1
    window = _WINDOW
    while True:
        head = thought[start : start + window]
        whole = start + window >= len(thought)
        paragraph = _paragraph(head)
        spans = _spans(paragraph, language)
        if len(spans) > 1 or len(paragraph) < len(head) or whole:
            break
        window *= 4  # the sentence is longer than the window
    joined = 1
    while joined < len(spans) and joined <= _JOIN_LIMIT and not _balanced(paragraph[: spans[joined - 1]]):
        joined += 1
    if not _balanced(paragraph[: spans[joined - 1]]):
        joined = 1  # the quote or bracket is never closed
    return start + (spans[joined - 1] if spans else len(paragraph))


def _paragraph(text: str) -> str:
    for match in _PARAGRAPH.finditer(text):
        if text[: match.start()].count("```") % 2 == 0:
            return text[: match.start()]
    return text


def _spans(paragraph: str, language: str | None) -> list[int]:
    """The ends of the sentences of a paragraph."""
    found = _segmenter(_rules_for(paragraph, language)).segment(paragraph)
    ends = [span.end for span in found if span.sent.strip()]
    if not ends or ends[-1] > len(paragraph):
        return [len(paragraph)]
    return ends


def _rules_for(text: str, language: str | None) -> str:
    from pysbd.languages import LANGUAGE_CODES

    code = by_script(text) or language
    if code not in ("ar", "fa", "ur") and _ARABIC.search(text):
        code = "ar"
    return code if code and code in LANGUAGE_CODES else "en"


@lru_cache(maxsize=32)
def _segmenter(code: str) -> Any:
    import pysbd

    # pysbd creates its patterns again for every text, more of them than the cache of `re` holds (512). Compiling them
    # again and again took three quarters of the time of a build.
    if getattr(re, "_MAXCACHE", _PATTERNS) < _PATTERNS:
        re._MAXCACHE = _PATTERNS  # type: ignore[attr-defined]
    return pysbd.Segmenter(language=code, clean=False, char_span=True)


def _balanced(text: str) -> bool:
    """Whether quotes, brackets and code are closed."""
    if text.count('"') % 2 or text.count("`") % 2:
        return False
    return all(text.count(opening) <= text.count(closing) for opening, closing in _PAIRS.items())

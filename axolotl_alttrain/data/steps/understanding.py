"""Problem understanding (PU): the first sentence of a trace (paper, "One training example").

Sentences are found by pysbd (Sadvilkar and Neumann, 2020, https://arxiv.org/abs/2010.09657), whose rules know
abbreviations, numbers and the punctuation of other languages; what it cuts inside quotes, brackets or code is joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from axolotl_alttrain.data.screening.languages import by_script

_WINDOW = 1_500  # characters given to the splitter at first: the beginning of a trace is all that is needed
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
# Words that open a thought without saying anything about the problem.
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
_JOIN_LIMIT = 3  # an opening quote that is never closed must not swallow the trace


@dataclass(frozen=True)
class Understanding:
    """A thought cut after its problem understanding; ``text + gap + rest`` is the thought without outer white space.

    Attributes:
        text: PU.
        rest: What follows, untouched.
        gap: The white space between the two.
        changed: PU holds more than the first sentence, because that one was only a filler.
    """

    text: str
    rest: str
    gap: str
    changed: bool


def understand(thought: str, language: str | None = None) -> Understanding:
    """Cut a thought after its first sentence; a filler such as "Okay." takes the next sentence along.

    Args:
        thought: The reasoning between the think tags.
        language: ISO 639-1 code of the thought where known; the script decides between Chinese, Japanese and others.

    Returns:
        The two parts; of an empty thought both are empty.
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
    """Whether a text consists of opening words alone: "Okay, so, hmm..."."""
    parts = (part.strip() for part in _BETWEEN.split(text))
    return all(_FILLERS.fullmatch(part) for part in parts if part)


def _sentence_ends(thought: str, language: str | None) -> Iterator[int]:
    """Where the sentences of a thought end, one after the other."""
    start = 0
    while start < len(thought):
        end = _first_sentence_end(thought, start, language)
        yield end
        start = end


def _first_sentence_end(thought: str, start: int, language: str | None) -> int:
    """End of the sentence that begins at ``start``; blank lines always end one, unless inside a code block."""
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
        window *= 4  # one sentence longer than what was looked at
    joined = 1
    while joined < len(spans) and joined <= _JOIN_LIMIT and not _balanced(paragraph[: spans[joined - 1]]):
        joined += 1
    if not _balanced(paragraph[: spans[joined - 1]]):
        joined = 1  # the quote or bracket is simply not closed
    return start + (spans[joined - 1] if spans else len(paragraph))


def _paragraph(text: str) -> str:
    for match in _PARAGRAPH.finditer(text):
        if text[: match.start()].count("```") % 2 == 0:
            return text[: match.start()]
    return text


def _spans(paragraph: str, language: str | None) -> list[int]:
    """Ends of the sentences of one paragraph."""
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

    # pysbd writes its patterns anew for every text, more than `re` keeps by default (512): compiling the same ones over
    # and over took three quarters of a build's time.
    if getattr(re, "_MAXCACHE", _PATTERNS) < _PATTERNS:
        re._MAXCACHE = _PATTERNS  # type: ignore[attr-defined]
    return pysbd.Segmenter(language=code, clean=False, char_span=True)


def _balanced(text: str) -> bool:
    """Quotes, brackets and code are closed."""
    if text.count('"') % 2 or text.count("`") % 2:
        return False
    return all(text.count(opening) <= text.count(closing) for opening, closing in _PAIRS.items())

"""Traces that are unfinished, repetitive or without an answer."""

from __future__ import annotations

import re
from collections import Counter

from axolotl_alttrain.data.screening.exclusion_logs import Rejection
from axolotl_alttrain.data.traces.trace import Trace

# Loops fill most of a text; reasoning that checks itself repeats only some of it. Both limits are looser than those for
# web pages in Rae et al. 2021 (https://arxiv.org/abs/2112.11446, table A1).
MAX_REPEATED_LINES = 0.4
MAX_REPEATED_NGRAMS = 0.4
NGRAM = 10
_SHORTEST_LINE = 20  # characters; short lines such as "Step 2:" or "}" repeat in good texts
_LONG_LINE_WORDS = 20
_ENDS_OPEN = re.compile(
    r"(?:[,，、(\[{–—]|\b(?:a|an|the|and|or|but|of|to|with|for|because|that|which|is|are|in))$", re.IGNORECASE
)
_ENDS_WORD = re.compile(r"[^\W\d_]$")


def find_fault(trace: Trace) -> Rejection | None:
    """Why a trace cannot be used: ``no_thought``, ``no_answer``, ``unfinished`` or ``repetitive``; None if it can."""
    if not trace.thought.strip():
        return Rejection("no_thought", "there is no reasoning before the answer")
    if not trace.answer.strip():
        return Rejection("no_answer", "nothing follows the reasoning")
    if detail := unfinished(trace.answer):
        return Rejection("unfinished", detail)
    for name, text in (("thought", trace.thought), ("answer", trace.answer)):
        if detail := repetitive(text):
            return Rejection("repetitive", f"{name}: {detail}")
    return None


def unfinished(answer: str) -> str | None:
    """How an answer shows that it was cut off; None if it does not."""
    answer = answer.rstrip()
    if answer.count("```") % 2:
        return "a code block is not closed"
    last = answer.rpartition("\n")[2].strip()
    if _ENDS_OPEN.search(last):
        return f"it ends with '{last[-30:]}'"
    if len(last.split()) >= _LONG_LINE_WORDS and _ENDS_WORD.search(last):
        return f"the last sentence has no end: '{last[-30:]}'"
    return None


def repetitive(text: str) -> str | None:
    """How a text repeats its lines, or its runs of ten words or Chinese or Japanese characters; None if it does not."""
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORTEST_LINE]
    if len(lines) >= 5 and (share := 1 - len(set(lines)) / len(lines)) > MAX_REPEATED_LINES:
        return f"{100 * share:.0f} % of the lines are repeats"
    units = re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+", text.casefold())
    grams = Counter(zip(*(units[start:] for start in range(NGRAM)), strict=False))
    total = grams.total()
    if total >= 2 * NGRAM and (share := 1 - len(grams) / total) > MAX_REPEATED_NGRAMS:
        return f"{100 * share:.0f} % of the runs of {NGRAM} words are repeats"
    return None

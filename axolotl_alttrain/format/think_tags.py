"""Think tags as people write them: ``<think>``, ``<Think>``, ``< think >``, ``<think type="plan">``, ``<thinking>``."""

from __future__ import annotations

import re

from axolotl_alttrain.errors import RowError, described, shown

# Atomic, so that quotation marks without a partner cost no backtracking (Python 3.11).
_TAG = re.compile(r"""<\s*(/?)\s*think(?:ing)?(?:\s(?>"[^"<\n]*"|'[^'<\n]*'|[^<>])*)?>""", re.IGNORECASE)
_TRACE = re.compile(r"<\s*/?\s*think(?:ing)?\b", re.IGNORECASE)


def find_tag(text: str) -> str | None:
    """The first think tag in a text in any spelling, or the beginning of a broken one; None if there is none."""
    found = _TRACE.search(text)
    if found is None:
        return None
    whole = _TAG.match(text, found.start())
    return whole.group() if whole else found.group()


def split_thought(field: str, text: object) -> tuple[str, str]:
    """Split a text at its think tags into thought and answer; the opening tag may be missing, as in SafeChain.

    Raises:
        RowError: The text does not have one thought in front of an answer.
    """
    if not isinstance(text, str):
        raise RowError(field, of_turn(field, described(text)), "write <think>, the thought, </think> and the answer")
    tags = list(_TAG.finditer(text))
    closing = [tag for tag in tags if tag.group(1)]
    opening = [tag for tag in tags if not tag.group(1)]
    if (len(closing), len(opening)) == (1, 1) and text[: opening[0].start()].strip():
        raise RowError(field, of_turn(field, f"has text before <think> ({shown(text)})"), "remove that text")
    if len(closing) != 1 or len(opening) > 1:
        raise RowError(
            field,
            of_turn(field, f"has {len(opening)} <think> and {len(closing)} </think> ({shown(text)})"),
            "write one thought before the answer and close it with one </think>",
        )
    start = opening[0].end() if opening else 0
    return text[start : closing[0].start()], text[closing[0].end() :]


def split_unfinished(text: str) -> tuple[str, str, bool]:
    """Thought, answer, and whether the thought is closed, split at the first closing tag. Other tags stay in place."""
    closing = next((tag for tag in _TAG.finditer(text) if tag.group(1)), None)
    before, answer = (text[: closing.start()], text[closing.end() :]) if closing else (text, "")
    return _without_opening(before), answer, closing is not None


def unwrapped(thought: str) -> str:
    """A thought without the tags around it, which some data sets keep in a field of its own."""
    thought = _without_opening(thought)
    *_, last = [None, *_TAG.finditer(thought)]
    if last is None or not last.group(1) or thought[last.end() :].strip():
        return thought
    return thought[: last.start()]


def of_turn(field: str, problem: str) -> str:
    """Attribute the problem to the last turn if the field is a conversation."""
    if field != "messages":
        return problem
    return (
        f"has a last turn whose content {problem}" if problem.startswith("is ") else f"has a last turn that {problem}"
    )


def _without_opening(text: str) -> str:
    stripped = text.lstrip()
    opening = _TAG.match(stripped)
    return stripped[opening.end() :] if opening and not opening.group(1) else text

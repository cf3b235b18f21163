"""Parse what a model wrote into thought, steps and answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from axolotl_alttrain.format.example import BLANK_LINE, ThoughtFormat, split_steps
from axolotl_alttrain.format.verdict.reader import Verdict, declares_verdict, read_verdict

# Covers this module and verdict/. Raise it whenever a completion may parse differently.
STRUCTURE_VERSION = 3


@dataclass(frozen=True)
class ParsedCompletion:
    """A parsed completion of a model.

    Attributes:
        thought: The whole thought; empty if there is none.
        problem_understanding, harmfulness_assessment, conditional_reasoning: Its steps, by position;
            empty if the thought has fewer blocks.
        verdict: Read from the second block, whatever it contains; meaningful only if ``has_steps`` holds.
        answer: The text after the thought; the whole text if no thought was opened.
        truncated: The thought was opened but not closed, so there is no answer to judge.
    """

    thought: str
    problem_understanding: str
    harmfulness_assessment: str
    conditional_reasoning: str
    verdict: Verdict
    answer: str
    truncated: bool

    @property
    def has_steps(self) -> bool:
        """Whether there are PU, HA and CR and HA declares a verdict; free thoughts have paragraphs, not steps."""
        return bool(self.problem_understanding and self.conditional_reasoning) and declares_verdict(
            self.harmfulness_assessment
        )

    @property
    def follows_structure(self) -> bool:
        """Whether there are all three steps, a closed thought and an answer."""
        return self.has_steps and not self.truncated and bool(self.answer)


def parse_completion(text: str, fmt: ThoughtFormat | None = None) -> ParsedCompletion:
    """Parse a raw completion; the inverse of
    :meth:`axolotl_alttrain.format.example.AltTrainExample.completion`.

    Args:
        text: The completion as generated, with special tokens if the format uses them.
        fmt: The model's thought format; the ``<think>`` convention by default.

    Returns:
        The parts. Every text can be parsed.
    """
    fmt = fmt or ThoughtFormat()
    if ending := _loose(fmt.end):
        text = ending.split(text, maxsplit=1)[0]
    text = text.strip()
    opening, closing = _loose(fmt.open), _loose(fmt.close)
    opened = opening.match(text) if opening else None
    thought, rest = _split(closing, text[opened.end() :] if opened else text)
    if opening and not opened and rest is None:
        thought, rest = "", text
    # A model may think again before it answers.
    again = _loose(fmt.open or fmt.prompt_open)
    while again and rest and (opened := again.match(rest)):
        more, rest = _split(closing, rest[opened.end() :])
        thought += BLANK_LINE + more
    pu, ha, cr = split_steps(thought)
    return ParsedCompletion(thought.strip(), pu, ha, cr, read_verdict(ha), rest or "", rest is None)


def _split(closing: re.Pattern[str] | None, text: str) -> tuple[str, str | None]:
    """The thought and what follows it; None if the thought does not end."""
    close = closing.search(text) if closing else None
    return (text[: close.start()].strip(), text[close.end() :].strip()) if close else (text.strip(), None)


@lru_cache(maxsize=64)
def _loose(marker: str) -> re.Pattern[str] | None:
    """A marker with any white space where it has some, and between two tags; None for one without text."""
    words = [word for word in re.split(r"\s+|(?<=>)(?=<)", marker) if word]
    return re.compile(r"\s*".join(map(re.escape, words))) if words else None

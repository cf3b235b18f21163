"""Parse a completion into its thought, the steps of the thought and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from axolotl_alttrain.format.example import ThoughtFormat, split_steps
from axolotl_alttrain.format.verdict import Verdict, declares_verdict, read_verdict

# Covers parse_completion, ParsedCompletion and verdict.py. Raise it whenever a completion may parse differently.
STRUCTURE_VERSION = 1


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
    if fmt.end.strip():
        text = text.partition(fmt.end.strip())[0]
    text = text.strip()
    opening, closing = fmt.open.strip(), fmt.close.strip()
    opened = not opening or text.startswith(opening)
    body = text[len(opening) :] if opening and opened else text
    before, closed, after = body.partition(closing)
    if not opened and not closed:
        thought, answer, truncated = "", text, False
    else:
        thought, answer, truncated = before.strip(), after.strip(), not closed
    pu, ha, cr = split_steps(thought)
    return ParsedCompletion(thought, pu, ha, cr, read_verdict(ha), answer, truncated)

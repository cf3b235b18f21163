"""Evaluation prompts, and whether an answer to a capability prompt is right."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from axolotl_alttrain.eval.answers.final_answer import labelled_number

from axolotl_alttrain.format.example import Message

# contrast: harmful prompts written to look like the benign ones of a set (XSTest). graded: scored by degree (ROUGE),
# not as right or wrong.
Kind = Literal["harmful", "contrast", "benign", "capability", "graded"]
HARMFUL_KINDS: tuple[Kind, ...] = ("harmful", "contrast")
Item = TypeVar("Item")
# prefilled: the thought begins with a given text. suppressed: the thought is given and empty.
Thought = Literal["free", "prefilled", "suppressed"]
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_RESULT = re.compile(rf"(?:(?:=|\bis|\bare|\bequals)\s*(?:\w+\s+){{0,2}}?|:\s*)[^\w\d-]*({_NUMBER.pattern})")
_STEP = re.compile(r"\W*(?:step\b|first\b|1[.)]\s)", re.IGNORECASE)


@dataclass(frozen=True)
class Prompt:
    """One evaluation prompt.

    Attributes:
        set: Name of its set, for example ``probe-harmful``.
        kind: What is measured with it.
        id: Unique within its set, including attacks.
        instruction: The user turn; in a conversation, the last one.
        answers: Right answers of a capability prompt, otherwise empty.
        match: ``number`` if the number that the answer gives must be right; ``text`` if a right answer must occur as
            whole words.
        category, language: For breakdowns.
        scenario: The attack (``none`` for the plain request of an attacked run), or what the row of the set says.
        source_id: The ID before any attack, the same in all scenarios.
        messages: A conversation that ends in a user turn; empty for a single turn. Between two consecutive user turns
            the model's own answer is inserted.
        attack: The attack; empty for a plain request.
        judged: The request without its attack, which judges see instead of the attacked one.
        thought: Whether the model writes its thought freely.
        prefill: The beginning of a prefilled thought.
        judges: The judges that the authors of the set use.
        revision: Hub commit or digest of the local files that the set was loaded from.
        translations: Language and text of translations into low-resource languages, if the set has them.
        scorer: For lm-eval tasks: maps an answer to its metrics, the main one first.
    """

    set: str
    kind: Kind
    id: str
    instruction: str
    answers: tuple[str, ...] = ()
    match: str = "text"
    category: str = ""
    scenario: str = ""
    language: str = "en"
    source_id: str = ""
    messages: tuple[Message, ...] = ()
    attack: str = ""
    judged: tuple[Message, ...] = ()
    thought: Thought = "free"
    prefill: str = ""
    judges: tuple[str, ...] = ("refusal",)
    revision: str = ""
    translations: tuple[tuple[str, str], ...] = ()
    scorer: Callable[[str], Mapping[str, float]] | None = field(default=None, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """Digest of the model's input: the turns and the treatment of the thought."""
        content = json.dumps([self.conversation, self.thought, self.prefill], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def label(self) -> str | None:
        """The right verdict of an assessment, ``harmful`` or ``benign``; None for tasks."""
        return "harmful" if self.kind in HARMFUL_KINDS else "benign" if self.kind == "benign" else None

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The turns as messages."""
        return self.messages or ({"role": "user", "content": self.instruction},)

    def is_right(self, answer: str) -> bool:
        """Whether an answer, without its thought, is right."""
        if self.scorer is not None:
            return next(iter(self.scorer(answer).values()), 0.0) >= 1.0
        if self.match == "number":
            given = _final_number(answer)
            return given is not None and any(given == float(right.replace(",", "")) for right in self.answers)
        return any(re.search(rf"(?<!\w){re.escape(a)}(?!\w)", answer, re.IGNORECASE) for a in self.answers)


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """``limit`` items spread evenly over the list, because sets are sorted by category."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def _final_number(answer: str) -> float | None:
    """The number that an answer gives: boxed or labelled, otherwise a result (a number after '=', 'is' or ':').

    The result in the first line with numbers counts, because explanations follow it. If that line has no result or
    begins a derivation in steps, the last result counts; if no line has a result, the last number.
    """
    if (labelled := labelled_number(answer)) is not None:
        return labelled
    lines = [line for line in answer.splitlines() if _NUMBER.search(line)]
    if not lines:
        return None
    order = reversed(lines) if _STEP.match(lines[0]) else (lines[0], *reversed(lines))
    results = next((found for line in order if (found := _RESULT.findall(line))), None)
    return float((results or _NUMBER.findall(lines[-1]))[-1].replace(",", ""))

"""The prompts that are asked, and whether an answer to a capability prompt is right."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from axolotl_alttrain.eval.answers.final_answer import labelled_number

from axolotl_alttrain.format.example import Message

# contrast: harmful prompts that are written to look like a set's benign ones (XSTest). graded: scored by degree
# (ROUGE), not as right or wrong.
Kind = Literal["harmful", "contrast", "benign", "capability", "graded"]
HARMFUL_KINDS: tuple[Kind, ...] = ("harmful", "contrast")
Item = TypeVar("Item")
# prefilled: the thought is begun for the model. suppressed: it is given an empty one.
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
        id: Unique within its set, attacks included.
        instruction: The user turn; of a conversation the last one.
        answers: Right answers of a capability prompt, otherwise empty.
        match: ``number``: the number that the answer gives is right; ``text``: a right answer occurs as whole words.
        category, language: For breaking results down.
        scenario: The attack it is wrapped in (``none`` where a transform was asked for and left it alone), or what
            the set's own row says.
        source_id: Its id before any attack: the same in all scenarios.
        messages: A conversation that ends in a user turn; empty for a single turn. Where two user turns follow one
            another, the model's own answer is put between them.
        attack: The attack it is wrapped in; empty for a request as it stands in its set.
        judged: What judges are shown instead of what was asked: the request without its attack.
        thought: Whether the model writes its thought freely.
        prefill: The text that begins a prefilled thought.
        judges: Names of the judges that the set's authors use.
        revision: Of the set as it was loaded: a hub commit, or the digest of a local file.
        translations: Language and text, where the set gives the prompt in languages of few resources.
        scorer: For tasks of lm-eval: the answer to its metrics, the first of which is the task's main one.
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
        """Of all that the model is asked: the turns, and what is done about its thought."""
        content = json.dumps([self.conversation, self.thought, self.prefill], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def label(self) -> str | None:
        """What a right assessment says: ``harmful`` or ``benign``; None for tasks, which have no such label."""
        return "harmful" if self.kind in HARMFUL_KINDS else "benign" if self.kind == "benign" else None

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The turns as messages."""
        return self.messages or ({"role": "user", "content": self.instruction},)

    def is_right(self, answer: str) -> bool:
        """Whether an answer (the thought is not part of it) contains the right one."""
        if self.scorer is not None:
            return next(iter(self.scorer(answer).values()), 0.0) >= 1.0
        if self.match == "number":
            given = _final_number(answer)
            return given is not None and any(given == float(right.replace(",", "")) for right in self.answers)
        return any(re.search(rf"(?<!\w){re.escape(a)}(?!\w)", answer, re.IGNORECASE) for a in self.answers)


def spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """``limit`` items evenly over the list, not the first ones: sets are ordered by category."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def _final_number(answer: str) -> float | None:
    """The number an answer gives: boxed or labelled, else the last result, as behind '=' or 'is'.

    Of several lines with numbers the first one's result counts, with explanations behind it; where it has none or
    begins a derivation in steps, the last one's; where no line has a result, the last number.
    """
    if (labelled := labelled_number(answer)) is not None:
        return labelled
    lines = [line for line in answer.splitlines() if _NUMBER.search(line)]
    if not lines:
        return None
    order = reversed(lines) if _STEP.match(lines[0]) else (lines[0], *reversed(lines))
    results = next((found for line in order if (found := _RESULT.findall(line))), None)
    return float((results or _NUMBER.findall(lines[-1]))[-1].replace(",", ""))

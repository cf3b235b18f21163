"""The AltTrain structure: one example, and its text as a completion.

A thought has three blocks, separated by blank lines: problem understanding (PU), harmfulness assessment (HA) and
conditional reasoning (CR). PU and HA are one paragraph each; CR is the rest (paper, "One training example";
arXiv 2604.18946).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal, get_args

from axolotl_alttrain.errors import RowError, described, shown
from axolotl_alttrain.format.think_tags import find_tag

Label = Literal["harmful", "benign"]
Message = Mapping[str, Any]

LABELS: tuple[Label, ...] = get_args(Label)
STEPS = ("problem_understanding", "harmfulness_assessment", "conditional_reasoning")
BLANK_LINE = "\n\n"
_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class ThoughtFormat:
    """How one chat template opens a thought, closes it and ends the turn.

    Attributes:
        open: What the model writes before its thought; empty if the prompt opens it.
        close: The text between thought and answer.
        end: The end of the turn, up to and including the stop token.
        prompt_open: The end of the prompt that opens the thought; empty if the model opens it.
        calls: The tool calls between the answer and the end of the turn, as the template writes them.
    """

    open: str = "<think>\n"
    close: str = "\n</think>\n\n"
    end: str = ""
    prompt_open: str = ""
    calls: str = ""


@dataclass(frozen=True)
class AltTrainExample:
    """One training example.

    Texts are stripped. Blank lines inside PU and HA become single line breaks, because blank lines separate the
    steps. Comparing, composing and parsing use this form.

    Attributes:
        instruction: The user's request, or a conversation as ``messages`` that ends with a user turn.
        label: ``harmful`` or ``benign``: what the request is, regardless of the texts.
        problem_understanding: PU, what the user asks.
        harmfulness_assessment: HA, the verdict and its reason.
        conditional_reasoning: CR, a stop for harmful requests, reasoning about the solution for benign ones.
        answer: What the user sees.
        omitted: Steps left out, as in the paper's ablations; their texts are empty. Without all three, the thought is
            empty and the answer alone is trained.
        tools: Tools that the prompt describes, as the template takes them.
        tool_calls: Calls that follow the answer in the trained turn.

    Raises:
        RowError: A field is missing, empty, of the wrong type or has an unknown value.
    """

    instruction: str | tuple[Message, ...]
    label: Label
    problem_understanding: str
    harmfulness_assessment: str
    conditional_reasoning: str
    answer: str
    id: str | None = None
    category: str | None = None
    source: str | None = None
    language: str | None = None
    omitted: tuple[str, ...] = ()
    tools: tuple[Message, ...] = ()
    tool_calls: tuple[Message, ...] = ()

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("instruction", _checked_instruction(self.instruction))
        if self.label not in LABELS:
            raise RowError("label", described(self.label), f"set it to {' or '.join(map(repr, LABELS))}")
        put("omitted", _checked_omitted(self.omitted))
        for name in self.omitted:
            if getattr(self, name):
                raise RowError(name, "has text, but 'omitted' names this step", "remove the text or the name")
            put(name, "")
        for name in (*self.steps, "answer"):
            text = _checked_text(name, getattr(self, name))
            if tag := find_tag(text):
                raise RowError(name, f"contains the think tag {tag!r}", "remove it")
            put(name, text)
        for name in ("tools", "tool_calls"):
            put(name, _checked_objects(name, getattr(self, name)))
        for name in STEPS[:2]:
            put(name, _BLANK_LINES.sub("\n", getattr(self, name)))
        for name in ("id", "category", "source", "language"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise RowError(name, described(value), "write a string or leave the field out")

    @property
    def messages(self) -> list[Message]:
        """The conversation as messages, without the answer."""
        if isinstance(self.instruction, str):
            return [{"role": "user", "content": self.instruction}]
        return list(self.instruction)

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps in the thought, in order."""
        return tuple(step for step in STEPS if step not in self.omitted) if self.omitted else STEPS

    @property
    def reasoning(self) -> str:
        """The thought: PU, HA and CR, separated by blank lines."""
        return BLANK_LINE.join(getattr(self, step) for step in self.steps)

    def completion(self, fmt: ThoughtFormat) -> str:
        """What the model has to generate after the prompt, including the end of turn.

        Raises:
            RowError: A text contains a marker of ``fmt``, which would end the thought or the turn early.
        """
        for name, markers in _markers(fmt):
            text = getattr(self, name)
            for marker in markers:
                if marker in text:
                    raise RowError(name, f"contains {marker!r}, a marker of the chat template", "remove it")
        return "".join((fmt.open, self.reasoning, fmt.close, self.answer, fmt.calls, fmt.end))

    def pieces(self, fmt: ThoughtFormat) -> list[tuple[str, str]]:
        """The completion in order as (name, text): delimiters, steps with the following blank line, answer."""
        last = self.steps[-1] if self.steps else ""
        steps = [(name, getattr(self, name) + (BLANK_LINE if name != last else "")) for name in self.steps]
        return [
            ("thought_opening", fmt.open),
            *steps,
            ("thought_closing", fmt.close),
            ("answer", self.answer),
            ("tool_calls", fmt.calls),
            ("end_of_turn", fmt.end),
        ]

    def as_row(self) -> dict[str, Any]:
        """The row of a data file in column form, without unset optional fields."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        if not isinstance(self.instruction, str):
            row["instruction"] = [dict(message) for message in self.instruction]
        row |= {name: list(getattr(self, name)) for name in ("omitted", "tools", "tool_calls")}
        return {name: value for name, value in row.items() if value is not None and value not in ("", [])}


def split_steps(reasoning: str) -> tuple[str, str, str]:
    """Split a thought into PU, HA and CR at its first two blank lines; missing steps are empty."""
    blocks = _BLANK_LINES.split(reasoning.strip(), maxsplit=2)
    pu, ha, cr = (block.strip() for block in [*blocks, "", ""][:3])
    return pu, ha, cr


@lru_cache(maxsize=8)
def _markers(fmt: ThoughtFormat) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """For each text of an example, the markers that it must not contain."""
    in_answer = {fmt.end.strip()} - {""}
    in_thought = (in_answer | {fmt.open.strip(), fmt.close.strip()}) - {""}
    return (*((step, tuple(sorted(in_thought))) for step in STEPS), ("answer", tuple(sorted(in_answer))))


def _checked_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise RowError(name, described(value), "write a string")
    if not value.strip():
        raise RowError(name, "is empty", "write a string")
    return value.strip()


def _checked_objects(name: str, value: Any) -> tuple[Message, ...]:
    if value == ():
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise RowError(name, described(value), "list objects")
    return tuple(value)


def _checked_omitted(value: Any) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else None
    if names is None or not all(name in STEPS for name in names):
        raise RowError("omitted", described(value), f"list some of {', '.join(STEPS)}")
    return tuple(step for step in STEPS if step in names)


def _checked_instruction(value: Any) -> str | tuple[Message, ...]:
    if isinstance(value, str):
        return _checked_text("instruction", value)
    if not isinstance(value, Sequence) or not value:
        raise RowError(
            "instruction", described(value), "write a string, or a list of messages that ends with a user turn"
        )
    for number, message in enumerate(value, 1):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            problem = f"has no role in message {number}, {shown(message)}"
            raise RowError("instruction", problem, "give every message a 'role' and a 'content'")
        content = message.get("content")
        if not isinstance(content, str | list) and not message.get("tool_calls"):
            problem = f"has no text in message {number}: its content {described(content)}"
            raise RowError("instruction", problem, "make the content a string or a list of parts")
    last = value[-1]
    if last["role"] != "user" or not last.get("content"):
        turn = "an empty user turn" if last["role"] == "user" else f"a turn of role '{last['role']}'"
        raise RowError("instruction", f"ends with {turn}", "end it with a user turn that has text")
    # Arrow inserts None where a message lacks a key that others have.
    return tuple({k: v for k, v in message.items() if v is not None} for message in value)

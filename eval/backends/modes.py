"""The modes of a hybrid model: the same weights asked with thinking on, off, or both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from axolotl_alttrain.eval.backends.base import (
    Backend,
    BackendSettings,
    Identity,
    OnResult,
    OnToken,
    Request,
)
from axolotl_alttrain.eval.backends.budget import Budget, Complete
from axolotl_alttrain.eval.backends.recorded import RecordedBackend

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.reasoning.off_mode import find_off_mode, no_off_mode
from axolotl_alttrain.format.reasoning.trained_rows import Thinking
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.next_word import NextWord, WordShares
from axolotl_alttrain.generation.sampling import Sampling

ModeName = Literal["on", "off"]
OFF = "-off"  # at the end of a run's name where both modes are measured
# What templates on servers call the switch: Qwen3, GLM and SmolLM3; DeepSeek-V3.1 and Granite. Others ignore them.
_SERVED_SWITCHES = ("enable_thinking", "thinking")


@dataclass(frozen=True)
class Mode:
    """One mode.

    Attributes:
        name: ``on`` or ``off``.
        chat: Its chat format; None if only the server knows the template.
        thought: How a thought is recognised. A model may think in the off mode all the same.
        template_kwargs: What a server is told that renders the prompts itself; empty for its default.
    """

    name: ModeName
    chat: ChatFormat | None
    thought: ThoughtFormat
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)


class InMode:
    """A backend in one mode of its model.

    Args:
        inner: Has the weights, and renders the thinking mode.
        mode: The mode.
        suffix: Added to the names of the runs.

    Attributes:
        generates: Whether the backend generates the answers; transcripts hold them already.
    """

    def __init__(self, inner: Backend, mode: Mode, suffix: str = "") -> None:
        self._inner, self._mode = inner, mode
        self._names = {f"{run}{suffix}": run for run in inner.runs}
        self.runs = tuple(self._names)
        self.generates = not isinstance(inner, RecordedBackend)
        self.thinking: ModeName = mode.name
        self.thought = mode.thought
        self.token_unit = inner.token_unit
        self.chat = mode.chat

    def render(self, messages: Sequence[Message]) -> str | None:
        """The prompt in this mode; None if only the server knows the template."""
        return self.chat.prompt(messages) if self.chat else None

    def identity(self, run: str) -> Identity:
        """What answers, with the template's variables of this mode."""
        found = self._inner.identity(self._names[run])
        if self.chat:
            return replace(found, template=template_identity(self.chat))
        if not self._mode.template_kwargs:
            return found
        return replace(found, template=f"{found.template}, {json.dumps(dict(self._mode.template_kwargs))}")

    def complete(
        self,
        run: str,
        requests: Sequence[Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None = None,
    ) -> None:
        """Answer requests in this mode."""
        if self._mode.template_kwargs:
            requests = [replace(one, template_kwargs=self._mode.template_kwargs) for one in requests]
        complete: Complete = partial(self._inner.complete, self._names[run])
        if sampling.max_thought_tokens and self.chat and self.thinking == "on":
            complete = Budget(sampling.max_thought_tokens, self.chat, self.thought, complete)
        complete(requests, sampling, on_result, on_token)

    def next_words(self, run: str, places: Sequence[NextWord]) -> Iterator[tuple[int, WordShares]]:
        """As :meth:`Backend.next_words`."""
        return self._inner.next_words(self._names[run], places)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Lengths of texts in tokens."""
        return self._inner.count_tokens(texts)

    def settings(self) -> BackendSettings:
        """The backend's; the mode is part of the template's identity."""
        return self._inner.settings()


def in_modes(backend: Backend, asked: Thinking | None, trained: Thinking, template: str) -> list[InMode]:
    """A backend in each mode that is measured; where both are, runs of the off mode end with ``-off``.

    Args:
        backend: Renders the thinking mode.
        asked: ``--thinking``; None for what was trained.
        trained: The modes that were trained; ``on`` where that is not recorded.
        template: Whose chat template it is, for messages.

    Raises:
        AltTrainError: The off mode is asked for, and the chat template has none.
    """
    wanted = asked or trained
    if backend.chat is None:
        on = Mode("on", None, backend.thought, {} if asked is None else dict.fromkeys(_SERVED_SWITCHES, True))
        off = Mode("off", None, backend.thought, dict.fromkeys(_SERVED_SWITCHES, False))
    else:
        on = Mode("on", backend.chat, backend.thought)
        off = on if wanted == "on" else _off(backend.chat, wanted, template)
    modes = {"on": [InMode(backend, on)], "off": [InMode(backend, off)]}
    return modes[wanted] if wanted != "both" else [InMode(backend, on), InMode(backend, off, OFF)]


def _off(chat: ChatFormat, wanted: Thinking, template: str) -> Mode:
    found = find_off_mode(chat)
    if found is None:
        raise AltTrainError(
            f"--thinking {wanted}: the chat template of {template} {no_off_mode(chat)}; use --thinking on"
        )
    on = chat.thought
    return Mode("off", found, ThoughtFormat(open=on.open or on.prompt_open, close=on.close, end=on.end))


def mode_notes(modes: Sequence[InMode], thoughts: Mapping[str, Sequence[bool]]) -> list[str]:
    """Sentences on what the prompts of each mode contain, and on thoughts that were written with thinking off.

    Args:
        modes: That were measured.
        thoughts: By run, whether each completion holds a thought.
    """
    found = []
    for mode in modes:
        notes = mode.chat.notes if mode.chat else []
        if mode.thinking == "on":
            found += notes
            continue
        found += [f"Thinking off: {note}" for note in notes] or ["Thinking off."]
        written = [one for run in mode.runs for one in thoughts.get(run, ())]
        if any(written):
            found.append(
                f"With thinking off, {sum(written)} of {len(written)} completions hold a thought all the same"
                f"{'' if mode.chat else '; the server may not know the switch'}."
            )
    return found

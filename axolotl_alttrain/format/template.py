"""Learn from a chat template how thoughts open and close, independent of the model's name.

The prompt is rendered as inference renders it; :mod:`~.template_probe` learns the format of what follows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.format.encoding import encode
from axolotl_alttrain.format.example import STEPS, AltTrainExample, Message, ThoughtFormat
from axolotl_alttrain.format.probing.chosen_template import chosen_template
from axolotl_alttrain.format.probing.content_shapes import with_text
from axolotl_alttrain.format.probing.end_of_turn import end_of_turn
from axolotl_alttrain.format.probing.refusals import refuse_turns, thinking_is_off
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.required_variables import rendering
from axolotl_alttrain.format.probing.thinking_switch import candidates
from axolotl_alttrain.format.probing.thought_turns import ANSWER, USER
from axolotl_alttrain.format.reading.texts_in_prompt import call_texts
from axolotl_alttrain.format.reading.trained_calls import with_calls
from axolotl_alttrain.format.template_probe import Learned, last_piece, learn

THOUGHT_FORMATS: dict[str, ThoughtFormat | None] = {
    "auto": None,
    "s1": ThoughtFormat(open="<|im_start|>think\n", close="\n<|im_start|>answer\n"),
}
_USER: Message = {"role": "user", "content": USER}


@dataclass(frozen=True)
class ChatFormat:
    """A tokenizer's chat template and the format learned from it.

    Attributes:
        renderer: The tokenizer and its template, with its variables and the shape in which it takes contents.
        thought: How a thought opens and closes and how the turn ends.
        renders_thought: Whether the template renders the thought of a last turn itself.
        special_text: Matches the text of any special token of the tokenizer.
        takes_parts: Whether the template renders a list of text parts like their text.
        date: The date that the prompt contains, the same on every day; None if it contains none.
    """

    renderer: Renderer
    thought: ThoughtFormat
    renders_thought: bool
    special_text: re.Pattern[str]
    takes_parts: bool = False
    date: str | None = None

    @property
    def tokenizer(self) -> Any:
        """A Hugging Face tokenizer."""
        return self.renderer.tokenizer

    @property
    def chat_template(self) -> str:
        """The Jinja source in use."""
        return self.renderer.source

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Variables passed to the template at every rendering, as they can be written into a config."""
        return self.renderer.kwargs

    @property
    def notes(self) -> list[str]:
        """Sentences on what a prompt contains that the user may not expect: variables, the date, the shape."""
        found = []
        if self.kwargs:
            found.append(f"The prompt is rendered with chat_template_kwargs: {json.dumps(dict(self.kwargs))}.")
        if self.date:
            found.append(f"Where the template writes today's date, it is always {self.date}.")
        if self.renderer.shape.name != "text":
            found.append(f"The template takes a turn's content as {self.renderer.shape.name}.")
        return found

    def prompt(self, messages: Sequence[Message], tools: Sequence[Message] = ()) -> str:
        """The prompt exactly as inference renders it, with the tools that a request to the model gives.

        If the template does not take lists of parts, their texts are joined by line breaks, as in vLLM
        (https://docs.vllm.ai, "Chat template content format").

        Raises:
            RowError: A part is not text, and the template takes text only.
            TemplateError: The template rejects these messages.
        """
        return self._rendered(messages, tools, True)

    def render(self, example: AltTrainExample) -> tuple[str, str]:
        """The prompt of an example, and what the model has to generate after it.

        Raises:
            RowError: A text of the completion contains a special token, which would act as a control token, or a
                marker of the thought.
            TemplateError: The template rejects the example's messages.
        """
        return self.render_all([example])[0]

    def render_all(self, examples: Sequence[AltTrainExample]) -> list[tuple[str, str]]:
        """Render many examples at once, which is faster. The error may be that of any faulty one."""
        for example in examples:
            for name in (*STEPS, "answer"):
                if found := self.special_text.search(getattr(example, name)):
                    raise RowError(name, f"contains the special token {found.group()!r}", "remove it")
        prompts = iter(self.renderer.prompts([self._turns(e.messages) for e in examples if not e.tools]))
        return [
            (self.prompt(e.messages, e.tools) if e.tools else next(prompts), e.completion(self.thought_of(e)))
            for e in examples
        ]

    def thought_of(self, example: AltTrainExample) -> ThoughtFormat:
        """The format of an example's turn: the learned one, and its tool calls as the template writes them.

        Raises:
            RowError: The template does not write the calls after the answer.
        """
        if not example.tool_calls:
            return self.thought
        for text in (text for call in example.tool_calls for text in call_texts(call)):
            if found := self.special_text.search(text):
                raise RowError("tool_calls", f"contain the special token {found.group()!r}", "remove it")

        def render(turn: Message) -> str:
            return self._rendered([*example.messages, turn], example.tools, False)

        return with_calls(self.thought, example.tool_calls, render)

    def _rendered(self, messages: Sequence[Message], tools: Sequence[Message], generate: bool) -> str:
        renderer = self.renderer.having({"tools": list(tools)}) if tools else self.renderer
        return renderer(self._turns(messages), generate)

    def _turns(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages with the contents that the template takes."""
        if self.takes_parts:
            return messages
        return [with_text(message, number) for number, message in enumerate(messages, 1)]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts.

        Encode prompts and completions separately, as at inference, where the model continues a finished prompt.
        """
        return encode(self.tokenizer, texts)


def learn_format(
    tokenizer: Any,
    chat_template: str | Mapping[str, str] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    stop_tokens: Iterable[str] = (),
    thought_format: str | Mapping[str, str] = "auto",
) -> ChatFormat:
    """Learn how a tokenizer's chat template writes thoughts and ends turns.

    Args:
        tokenizer: A Hugging Face tokenizer.
        chat_template: Jinja source; by default the tokenizer's own.
        kwargs: Variables for the template, for example ``{"enable_thinking": True}``.
        stop_tokens: Texts of tokens that end a turn (``eot_tokens`` of an Axolotl config). They are tried before the
            tokenizer's EOS if the template writes no end of turn.
        thought_format: ``auto``; ``s1`` for simplescaling's s1 models, whose template does not show their format
            (``<|im_start|>think`` and ``<|im_start|>answer`` inside the assistant turn); or the two texts,
            ``{"open": ..., "close": ...}``.

    Raises:
        TemplateError: There is no chat template, it cannot be rendered, or thinking cannot be turned on.
    """
    source = chosen_template(tokenizer, chat_template)
    fixed = fixed_format(thought_format)
    given = Renderer(tokenizer, source, dict(kwargs or {}))
    render = rendering(given, _USER, {"role": "assistant", "content": ANSWER}) or refuse_turns(given)
    stops = [*stop_tokens, *filter(None, [getattr(tokenizer, "eos_token", None)])]
    for values in candidates(render, _USER):
        found = _learned(render.having(values), fixed)
        if found is not None:
            return _format(render.having(values), found, fixed, stops)
    raise thinking_is_off(render)


def special_tokens(tokenizer: Any) -> list[str]:
    """Texts of the tokenizer's special tokens, longest first."""
    added = (str(token) for token in getattr(tokenizer, "added_tokens_decoder", {}).values() if token.special)
    return sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True)


def _learned(render: Renderer, fixed: ThoughtFormat | None) -> Learned | None:
    """What the template shows; None if its prompt closes the thought. A fixed format needs its end of turn alone."""
    if fixed is None:
        return learn(render)
    prompt = render([_USER], True).rpartition(USER)[2]
    if prompt.rstrip().endswith(fixed.close.strip()):
        return None
    try:
        found = learn(render)
    except TemplateError:
        found = None
    if found is not None:
        return found
    plain = render([_USER, {"role": "assistant", "content": ANSWER}], False)
    return Learned(fixed, plain.rpartition(ANSWER)[2], False)


def _format(render: Renderer, learned: Learned, fixed: ThoughtFormat | None, stops: Sequence[str]) -> ChatFormat:
    specials = re.compile("|".join(map(re.escape, special_tokens(render.tokenizer))) or r"(?!)")
    prompt = render([_USER], True)
    end = end_of_turn(learned.after, specials, stops, (prompt.partition(USER)[0], prompt.rpartition(USER)[2]))
    thought = learned.thought
    if fixed is not None:
        opened = bool(fixed.open.strip()) and prompt.rstrip().endswith(fixed.open.strip())
        thought = replace(fixed, open="", prompt_open=last_piece(prompt)) if opened else fixed
    return ChatFormat(
        render,
        replace(thought, end=end),
        renders_thought=learned.renders_thought and fixed is None,
        special_text=specials,
        takes_parts=render.tried([{"role": "user", "content": [{"type": "text", "text": USER}]}], True) == prompt,
        date=render.date([_USER]),
    )


def fixed_format(thought_format: str | Mapping[str, str]) -> ThoughtFormat | None:
    """The format that a config or a flag names or gives; None if it is to be learned.

    Args:
        thought_format: A name, or the two texts ``open`` and ``close``, as a mapping or as JSON.

    Raises:
        TemplateError: It is neither.
    """
    if isinstance(thought_format, str) and thought_format in THOUGHT_FORMATS:
        return THOUGHT_FORMATS[thought_format]
    texts = _from_json(thought_format) if isinstance(thought_format, str) else thought_format
    if isinstance(texts, Mapping) and set(texts) == {"open", "close"}:
        open_, close = texts["open"], texts["close"]
        if isinstance(open_, str) and isinstance(close, str) and close.strip():
            return ThoughtFormat(open=open_, close=close)
    raise TemplateError(
        f"thought_format: found {thought_format!r}; allowed: {', '.join(THOUGHT_FORMATS)}, or the two texts "
        "'open:' and 'close:'"
    )


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None

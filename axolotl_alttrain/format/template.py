"""Learn from a chat template how thoughts open and close, independent of the model's name.

The prompt is rendered as inference renders it; :mod:`~.template_probe` learns the format of what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from axolotl_alttrain.errors import RowError, TemplateError, shown
from axolotl_alttrain.format.example import STEPS, AltTrainExample, Message, ThoughtFormat
from axolotl_alttrain.format.reading.texts_in_prompt import call_texts
from axolotl_alttrain.format.reading.trained_calls import with_calls
from axolotl_alttrain.format.template_probe import USER, Render, last_piece, learn

THOUGHT_FORMATS: dict[str, ThoughtFormat | None] = {
    "auto": None,
    "s1": ThoughtFormat(open="<|im_start|>think\n", close="\n<|im_start|>answer\n"),
}
# Variables that turn thinking on in templates. Each is tried; none is tied to a model.
_SWITCHES: tuple[dict[str, Any], ...] = (
    {"enable_thinking": True},
    {"thinking": True},
    {"reasoning": True},
    {"enable_reasoning": True},
    {"thinking_mode": "on"},
    {"reasoning_effort": "high"},
)


@dataclass(frozen=True)
class ChatFormat:
    """A tokenizer's chat template and the format learned from it.

    Attributes:
        tokenizer: A Hugging Face tokenizer.
        chat_template: The Jinja source in use.
        kwargs: Variables passed to the template at every rendering.
        thought: How a thought opens and closes and how the turn ends.
        renders_thought: Whether the template renders the thought of a last turn itself.
        special_text: Matches the text of any special token of the tokenizer.
        takes_parts: Whether the template renders a list of text parts like their text.
    """

    tokenizer: Any
    chat_template: str
    kwargs: Mapping[str, Any]
    thought: ThoughtFormat
    renders_thought: bool
    special_text: re.Pattern[str]
    takes_parts: bool = False

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
        for name in (*STEPS, "answer"):
            if found := self.special_text.search(getattr(example, name)):
                raise RowError(name, f"contains the special token {found.group()!r}", "remove it")
        return self.prompt(example.messages, example.tools), example.completion(self.thought_of(example))

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
        if not self.takes_parts:
            messages = [_with_text(message, number) for number, message in enumerate(messages, 1)]
        kwargs = {**self.kwargs, "tools": list(tools)} if tools else self.kwargs
        return _render(self.tokenizer, self.chat_template, messages, generate, kwargs)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts, in one batched tokenizer call.

        Encode prompts and completions separately, as at inference, where the model continues a finished prompt.
        """
        # The template writes its own special tokens. A second BOS would differ from inference.
        if not texts:
            return []
        encoded = self.tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)
        ids: list[list[int]] = encoded["input_ids"]
        return ids


def learn_format(
    tokenizer: Any,
    chat_template: str | None = None,
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
    chat_template = chat_template or getattr(tokenizer, "chat_template", None)
    if not isinstance(chat_template, str) or not chat_template:
        raise TemplateError(
            "the tokenizer has no chat template; set 'chat_template:' in the config, or use the tokenizer of the "
            "instruction-tuned model"
        )
    fixed = _fixed_format(thought_format)
    given = dict(kwargs or {})
    stops = [*stop_tokens, *filter(None, [getattr(tokenizer, "eos_token", None)])]
    for extra in ({}, *_SWITCHES):
        if extra and set(extra) & set(given):
            continue
        learned = _learn(tokenizer, chat_template, {**given, **extra}, stops, fixed)
        if learned is not None:
            return learned
    raise TemplateError(
        "this chat template writes an empty thought, and none of the variables "
        f"{', '.join(name for switch in _SWITCHES for name in switch)} turns thinking on; set 'chat_template_kwargs' "
        "in the config to the variable that the model card gives, or use the thinking variant of the model"
    )


def special_tokens(tokenizer: Any) -> list[str]:
    """Texts of the tokenizer's special tokens, longest first."""
    added = (str(token) for token in getattr(tokenizer, "added_tokens_decoder", {}).values() if token.special)
    return sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True)


def _learn(
    tokenizer: Any, source: str, kwargs: Mapping[str, Any], stops: list[str], fixed: ThoughtFormat | None
) -> ChatFormat | None:
    """Learn the format with these variables; None if the prompt closes the thought."""

    def render(messages: Sequence[Message], generate: bool) -> str:
        return _render(tokenizer, source, messages, generate, kwargs)

    learned = learn(render)
    if learned is None:
        return None
    specials = re.compile("|".join(map(re.escape, special_tokens(tokenizer))) or r"(?!)")
    end = _end_of_turn(learned.after, specials, stops)
    prompt = render([{"role": "user", "content": USER}], True)
    thought = learned.thought
    if fixed is not None:
        opened = bool(fixed.open.strip()) and prompt.rstrip().endswith(fixed.open.strip())
        thought = replace(fixed, open="", prompt_open=last_piece(prompt)) if opened else fixed
    return ChatFormat(
        tokenizer,
        source,
        kwargs,
        replace(thought, end=end),
        renders_thought=learned.renders_thought and fixed is None,
        special_text=specials,
        takes_parts=_takes_parts(render, prompt),
    )


def _takes_parts(render: Render, prompt: str) -> bool:
    try:
        return render([{"role": "user", "content": [{"type": "text", "text": USER}]}], True) == prompt
    except TemplateError:
        return False


def _with_text(message: Message, number: int) -> Message:
    """The message with its content as one text."""
    parts = message.get("content")
    if not isinstance(parts, list):
        return message
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        if not isinstance(text, str):
            problem = f"has in message {number} the part {shown(part)}, and the chat template takes text only"
            raise RowError("instruction", problem, "use text parts")
        texts.append(text)
    return {**message, "content": "\n".join(texts)}


def _fixed_format(thought_format: str | Mapping[str, str]) -> ThoughtFormat | None:
    """The format that the config names or gives; None if it is to be learned."""
    if isinstance(thought_format, str) and thought_format in THOUGHT_FORMATS:
        return THOUGHT_FORMATS[thought_format]
    if isinstance(thought_format, Mapping) and set(thought_format) == {"open", "close"}:
        open_, close = thought_format["open"], thought_format["close"]
        if isinstance(open_, str) and isinstance(close, str) and close.strip():
            return ThoughtFormat(open=open_, close=close)
    raise TemplateError(
        f"thought_format: found {thought_format!r}; allowed: {', '.join(THOUGHT_FORMATS)}, or the two texts "
        "'open:' and 'close:'"
    )


def _end_of_turn(after: str, specials: re.Pattern[str], stops: list[str]) -> str:
    """The end of the turn: up to the stop token if it follows at once, otherwise up to the first special token."""
    first = specials.search(after)
    if first is None:
        if not stops:
            raise TemplateError(
                "neither the chat template nor the tokenizer has an end-of-turn token; set 'eot_tokens:' in the config"
            )
        return after.rstrip() + stops[0]
    # Command A closes its response and then its turn. Text after white space is not part of the turn.
    closing = re.match(r"\S*", after[first.start() :])
    ends = [found + len(stop) for stop in stops if closing and (found := closing.group().find(stop)) >= 0]
    return after[: first.start() + min(ends)] if ends else after[: first.end()]


def _render(tokenizer: Any, source: str, messages: Sequence[Message], generate: bool, kwargs: Mapping[str, Any]) -> str:
    try:
        rendered: str = tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            chat_template=source,
            tokenize=False,
            add_generation_prompt=generate,
            **kwargs,
        )
    except Exception as error:  # Jinja has many kinds of errors, and templates raise their own
        roles = ", ".join(str(message.get("role")) for message in messages)
        raise TemplateError(f"the chat template cannot render the turns {roles} ({error})") from error
    return rendered

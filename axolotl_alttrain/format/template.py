"""Ask a chat template how its thoughts open and close, instead of knowing it by the model's name.

The prompt is rendered as inference renders it; the format of what follows is learned by :mod:`~.sentinels`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from axolotl_alttrain.errors import RowError, TemplateError, shown
from axolotl_alttrain.format.example import STEPS, AltTrainExample, Message, ThoughtFormat
from axolotl_alttrain.format.template_probe import USER, Render, last_piece, learn

THOUGHT_FORMATS: dict[str, ThoughtFormat | None] = {
    "auto": None,
    "s1": ThoughtFormat(open="<|im_start|>think\n", close="\n<|im_start|>answer\n"),
}
# Variables by which templates switch thinking on; each is tried, none is tied to a model.
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
    """A tokenizer's chat template together with what was learned from it.

    Attributes:
        tokenizer: A Hugging Face tokenizer.
        chat_template: The Jinja source in use.
        kwargs: Variables given to the template at every rendering.
        thought: How a thought opens and closes and how the turn ends.
        renders_thought: The template renders a last turn's thought itself.
        special_text: Matches the text of any of the tokenizer's special tokens.
        takes_parts: The template renders content that is a list of text parts as it renders their text.
    """

    tokenizer: Any
    chat_template: str
    kwargs: Mapping[str, Any]
    thought: ThoughtFormat
    renders_thought: bool
    special_text: re.Pattern[str]
    takes_parts: bool = False

    def prompt(self, messages: Sequence[Message]) -> str:
        """The prompt exactly as inference renders it.

        Where the template cannot take a list of parts, their texts are joined by line breaks, as vLLM does
        (https://docs.vllm.ai, "Chat template content format").

        Raises:
            RowError: A part is not text, and the template takes texts alone.
            TemplateError: The template refuses these messages.
        """
        if not self.takes_parts:
            messages = [_with_text(message, number) for number, message in enumerate(messages, 1)]
        return _render(self.tokenizer, self.chat_template, messages, True, self.kwargs)

    def render(self, example: AltTrainExample) -> tuple[str, str]:
        """The prompt of an example, and what the model has to generate after it.

        Raises:
            RowError: A text of the completion contains a special token's text, which would become a control
                token, or a marker of the thought.
            TemplateError: The template refuses the example's messages.
        """
        for name in (*STEPS, "answer"):
            if found := self.special_text.search(getattr(example, name)):
                raise RowError(name, f"contains the special token {found.group()!r}", "remove it")
        return self.prompt(example.messages), example.completion(self.thought)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts, in one batched tokenizer call.

        Prompts and completions are encoded apart, as at inference, where the model continues a finished prompt.
        """
        # No special tokens are added: the template has written its own, and a second BOS would not be inference's.
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
        chat_template: Jinja source; the tokenizer's own by default.
        kwargs: Variables for the template, for example ``{"enable_thinking": True}``.
        stop_tokens: Texts of tokens that end a turn, tried before the tokenizer's EOS where the template
            itself writes none (``eot_tokens`` of an Axolotl config).
        thought_format: ``auto``, or ``s1`` for the format of simplescaling's s1 models, which no template
            mentions: ``<|im_start|>think`` and ``<|im_start|>answer`` inside the assistant turn; or the two texts
            themselves, ``{"open": ..., "close": ...}``.

    Raises:
        TemplateError: There is no chat template, it cannot be rendered, or its thinking cannot be switched on.
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
    """Learn the format under these variables, or None where the prompt closes the thought."""

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
    """The format that the config names or spells out; None where it is to be learned."""
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
    """What ends the turn: up to the stop token where it follows at once, else to the first special token."""
    first = specials.search(after)
    if first is None:
        if not stops:
            raise TemplateError(
                "neither the chat template nor the tokenizer has an end-of-turn token; set 'eot_tokens:' in the config"
            )
        return after.rstrip() + stops[0]
    # Command A closes its response and then its turn; what stands behind white space is not part of the turn.
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
    except Exception as error:  # Jinja raises many kinds; templates raise their own by raise_exception
        roles = ", ".join(str(message.get("role")) for message in messages)
        raise TemplateError(f"the chat template cannot render the turns {roles} ({error})") from error
    return rendered

"""Ask a chat template how its thoughts open and close, instead of knowing it by the model's name.

The prompt is rendered as inference renders it. Then one user turn and one assistant turn are rendered with
marker strings in place of the thought and of the answer; what the template writes before, between and after
them is its own format. Templates that drop a last turn's thought (DeepSeek-R1-Distill) or have no thoughts
(ChatML, Llama 3) get the ``<think>`` convention of DeepSeek-R1 (arXiv 2501.12948, table 1).
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.structure import STEPS, AltTrainExample, Message, ThoughtFormat

# Plain letters: no template trims, splits or escapes them.
_USER, _THOUGHT, _ANSWER = "alttrainuserturn", "alttrainthought", "alttrainanswer"
_REASONING_KEYS = ("reasoning_content", "thinking", "reasoning")
_TAGS = ThoughtFormat()
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
    """

    tokenizer: Any
    chat_template: str
    kwargs: Mapping[str, Any]
    thought: ThoughtFormat
    renders_thought: bool
    special_text: re.Pattern[str]

    def prompt(self, messages: Sequence[Message]) -> str:
        """The prompt exactly as inference renders it.

        Raises:
            TemplateError: The template refuses these messages.
        """
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
                raise RowError(name, f"the text of the special token {found.group()!r}", "text without special tokens")
        return self.prompt(example.messages), example.completion(self.thought)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts, in one batched tokenizer call.

        Prompts and completions are encoded apart, as at inference, where the model continues a finished prompt.
        """
        # No special tokens are added: the template has written its own, and a second BOS would not be inference's.
        if not texts:
            return []
        return self.tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)["input_ids"]


def learn_format(
    tokenizer: Any,
    chat_template: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    stop_tokens: Iterable[str] = (),
    thought_format: str = "auto",
) -> ChatFormat:
    """Learn how a tokenizer's chat template writes thoughts and ends turns.

    Args:
        tokenizer: A Hugging Face tokenizer.
        chat_template: Jinja source; the tokenizer's own by default.
        kwargs: Variables for the template, for example ``{"enable_thinking": True}``.
        stop_tokens: Texts of tokens that end a turn, tried before the tokenizer's EOS where the template
            itself writes none (``eot_tokens`` of an Axolotl config).
        thought_format: ``auto``, or ``s1`` for the format of simplescaling's s1 models, which no template
            mentions: ``<|im_start|>think`` and ``<|im_start|>answer`` inside the assistant turn.

    Raises:
        TemplateError: There is no chat template, it cannot be rendered, or its thinking cannot be switched on.
    """
    chat_template = chat_template or getattr(tokenizer, "chat_template", None)
    if not isinstance(chat_template, str) or not chat_template:
        raise TemplateError(
            "the tokenizer has no chat template; set 'chat_template:' in the config, or use the tokenizer of the "
            "instruction-tuned model"
        )
    if thought_format not in THOUGHT_FORMATS:
        raise TemplateError(f"thought_format: found '{thought_format}'; allowed: {', '.join(THOUGHT_FORMATS)}")
    given = dict(kwargs or {})
    stops = [*stop_tokens, *filter(None, [getattr(tokenizer, "eos_token", None)])]
    for extra in ({}, *_SWITCHES):
        if extra and set(extra) & set(given):
            continue
        learned = _learn(tokenizer, chat_template, {**given, **extra}, stops)
        if learned is not None:
            fixed = THOUGHT_FORMATS[thought_format]
            if fixed is None:
                return learned
            return replace(learned, thought=replace(fixed, end=learned.thought.end), renders_thought=False)
    raise TemplateError(
        "this chat template closes the thought in its generation prompt, and none of "
        f"{', '.join(name for switch in _SWITCHES for name in switch)} opens it; set 'chat_template_kwargs' in the "
        "config to what the model's card names for thinking, or choose the thinking variant of the model"
    )


def special_tokens(tokenizer: Any) -> list[str]:
    """Texts of the tokenizer's special tokens, longest first."""
    added = (str(token) for token in getattr(tokenizer, "added_tokens_decoder", {}).values() if token.special)
    return sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True)


def _learn(tokenizer: Any, source: str, kwargs: Mapping[str, Any], stops: list[str]) -> ChatFormat | None:
    """Learn the format under these variables, or None where the prompt closes the thought."""
    user = {"role": "user", "content": _USER}
    prompt = _render(tokenizer, source, [user], True, kwargs)
    for turn in _assistant_turns():
        history = _try_render(tokenizer, source, [user, turn], kwargs)
        found = history and re.search(f"{_THOUGHT}(.*?){_ANSWER}(.*)", history, re.DOTALL)
        if history and found and history.count(_THOUGHT) == 1:
            before, close, after = history[: found.start()], found.group(1), found.group(2)
            if not close.strip():
                continue  # the thought runs into the answer as plain text: this key is not for thoughts
            fmt = _match_prompt(prompt, before, close)
            break
    else:
        after = _end_without_thought(tokenizer, source, user, kwargs)
        found, fmt = None, _match_tags(prompt)
    if fmt is None:
        return None
    specials = re.compile("|".join(map(re.escape, special_tokens(tokenizer))) or r"(?!)")
    end = _end_of_turn(after, specials, stops)
    return ChatFormat(tokenizer, source, kwargs, replace(fmt, end=end), found is not None, specials)


def _assistant_turns() -> Iterable[dict[str, str]]:
    for key in _REASONING_KEYS:
        yield {"role": "assistant", "content": _ANSWER, key: _THOUGHT}
    yield {"role": "assistant", "content": f"{_TAGS.open}{_THOUGHT}{_TAGS.close}{_ANSWER}"}


def _match_prompt(prompt: str, before: str, close: str) -> ThoughtFormat | None:
    """Compare the prompt with what the template writes before a thought; None where thinking is off."""
    shared = len(os.path.commonprefix([prompt, before]))
    ahead, open_ = prompt[shared:], before[shared:]
    opened_alike = ahead.strip() == open_.strip()
    if not ahead:
        opener = _last_piece(prompt) if not open_.strip() else ""
        return ThoughtFormat(open=open_, close=close, prompt_open=opener)
    if opened_alike:  # the prompt opens the thought with other white space than history does
        return ThoughtFormat(open="", close=close, prompt_open=_last_piece(prompt))
    return None


def _match_tags(prompt: str) -> ThoughtFormat | None:
    """The <think> convention, fitted to a prompt that may already end with its opening tag."""
    tail = prompt.rstrip()
    if tail.endswith(_TAGS.close.strip()):
        return None
    if tail.endswith(_TAGS.open.strip()):
        return ThoughtFormat(open="", close=_TAGS.close, prompt_open=_last_piece(prompt))
    return _TAGS


def _last_piece(prompt: str) -> str:
    """The last line of a prompt with its white space, for showing how it opens the thought."""
    generation_prompt = prompt.rpartition(_USER)[2]
    return generation_prompt[generation_prompt.rstrip().rfind("\n") + 1 :]


def _end_without_thought(tokenizer: Any, source: str, user: Message, kwargs: Mapping[str, Any]) -> str:
    history = _render(tokenizer, source, [user, {"role": "assistant", "content": _ANSWER}], False, kwargs)
    if _ANSWER not in history:
        raise TemplateError("this chat template does not render the content of an assistant turn")
    return history.rpartition(_ANSWER)[2]


def _end_of_turn(after: str, specials: re.Pattern[str], stops: list[str]) -> str:
    """Up to and including the first special token after the answer; else the tokenizer's stop token."""
    if found := specials.search(after):
        return after[: found.end()]
    if not stops:
        raise TemplateError("neither the chat template nor the tokenizer has an end-of-turn token; set 'eot_tokens:'")
    return after.rstrip() + stops[0]


def _render(tokenizer: Any, source: str, messages: Sequence[Message], generate: bool, kwargs: Mapping[str, Any]) -> str:
    try:
        return tokenizer.apply_chat_template(
            [dict(message) for message in messages],
            chat_template=source,
            tokenize=False,
            add_generation_prompt=generate,
            **kwargs,
        )
    except Exception as error:  # Jinja raises many kinds; templates raise their own by raise_exception
        raise TemplateError(f"the chat template cannot render {len(messages)} message(s): {error}") from error


def _try_render(tokenizer: Any, source: str, messages: Sequence[Message], kwargs: Mapping[str, Any]) -> str | None:
    try:
        return _render(tokenizer, source, messages, False, kwargs)
    except TemplateError:
        return None

"""The chat template that was trained, with its thinking switch set as trained."""

from __future__ import annotations

import json
from typing import Any

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.template import ChatFormat

_CONVERSATIONS: tuple[list[Message], ...] = (
    [{"role": "user", "content": "one"}],
    [{"role": "system", "content": "two"}, {"role": "user", "content": "three"}],
    [
        {"role": "user", "content": "four"},
        {"role": "assistant", "content": "five"},
        {"role": "user", "content": "six"},
    ],
)


def with_defaults(chat: ChatFormat) -> str:
    """The template with the variables of the training as defaults: engines that pass none render what was trained.

    An engine that passes a variable overrides the default.

    Args:
        chat: The format, with the variables under which it thinks.

    Raises:
        TemplateError: The changed template does not render the same prompts.
    """
    if not chat.kwargs:
        return chat.chat_template
    lines = (_default(name, value) for name, value in chat.kwargs.items())
    source = "".join(lines) + chat.chat_template
    for messages in _CONVERSATIONS:
        if (trained := _prompt(chat, chat.chat_template, messages, **chat.kwargs)) is None:
            continue  # a template without a system turn
        if _prompt(chat, source, messages) != trained:
            names = ", ".join(chat.kwargs)
            raise TemplateError(
                f"the chat template does not take defaults for {names}; save it with them set in the tokenizer beside "
                "the adapter, and export again"
            )
    return source


def _default(name: str, value: Any) -> str:
    literal = json.dumps(value) if isinstance(value, str) else repr(value).lower()
    # The empty expression keeps Jinja's trim_blocks from taking a line feed with which the template begins.
    return f"{{%- set {name} = {name} if {name} is defined else {literal} %}}{{{{ '' }}}}"


def _prompt(chat: ChatFormat, source: str, messages: list[Message], **variables: Any) -> str | None:
    try:
        text: str = chat.tokenizer.apply_chat_template(
            messages, chat_template=source, tokenize=False, add_generation_prompt=True, **variables
        )
    except Exception:  # Jinja has many kinds of errors, and templates raise their own
        return None
    return text

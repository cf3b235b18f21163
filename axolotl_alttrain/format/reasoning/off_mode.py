"""The non-thinking mode of a hybrid model: the template's own prompt for answers without a thought."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.probing.prompt_match import compare
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.template_names import template_names
from axolotl_alttrain.format.probing.thinking_switch import switch_names
from axolotl_alttrain.format.probing.thought_tags import last_tag, opens_thought
from axolotl_alttrain.format.probing.thought_turns import ANSWER, USER
from axolotl_alttrain.format.template import ChatFormat

_USER: Message = {"role": "user", "content": USER}
_TURNS_OFF = re.compile(r"disable|(?:^|_)no_?think|non_?think|skip|force_non", re.I)
_OTHER = re.compile(
    r"hide|without|budget|keep|preserve|clear|strip|remove|history|past|prev|truncate|token|effort|level", re.I
)
_OFF = ("off", "none", "no", "disabled", "chat", "nothink", "no_think")


def learn_off_mode(chat: ChatFormat) -> ChatFormat:
    """The format of the non-thinking mode; its ``thought`` has no thought: ``open`` is what precedes the answer.

    Args:
        chat: The format of the thinking mode.

    Raises:
        TemplateError: The template has no such mode.
    """
    off = find_off_mode(chat)
    if off is None:
        raise TemplateError(
            f"alttrain: thinking is 'off' or 'both', and this chat template {no_off_mode(chat)}; set 'thinking: on'"
        )
    return off


def no_off_mode(chat: ChatFormat) -> str:
    """What a template without a non-thinking mode lacks, after its name."""
    names = switch_names(chat.chat_template, {})
    tried = f"none of its variables {', '.join(names)} turns" if names else "it has no variable that turns"
    return f"has no non-thinking mode: {tried} thinking off"


def find_off_mode(chat: ChatFormat) -> ChatFormat | None:
    """As :func:`learn_off_mode`; None for a template without such a mode."""
    thinking = chat.renderer([_USER], True)
    for values in _switches(chat.renderer):
        render = chat.renderer.having(values)
        prompt = render.tried([_USER], True)
        if prompt is None or prompt == thinking or _prints(values, prompt, thinking):
            continue
        if opens_thought(last_tag(prompt.rpartition(USER)[2]) or ""):
            continue
        lead = _lead(render, prompt)
        if lead is not None:
            return replace(chat, renderer=render, thought=ThoughtFormat(open=lead, close="", end=chat.thought.end))
    return None


def _switches(render: Renderer) -> Iterator[dict[str, Any]]:
    """Variables that may turn thinking off."""
    compared = template_names(render.source).compared
    for name in switch_names(render.source, {}):
        if _TURNS_OFF.search(name):
            yield {name: True}
        elif not _OTHER.search(name):
            for value in (False, *(text for text in compared.get(name, ()) if text.lower() in _OFF)):
                yield {name: value}


def _prints(values: Mapping[str, Any], prompt: str, thinking: str) -> bool:
    """Whether the prompt contains the value itself, as where a template writes a level of effort."""
    return any(
        prompt.count(str(value)) > thinking.count(str(value)) for value in values.values() if value in (True, False)
    )


def _lead(render: Renderer, prompt: str) -> str | None:
    """What the model writes between the prompt and its answer; None if the template renders no answer."""
    plain = render.tried([_USER, {"role": "assistant", "content": ANSWER}], False)
    if plain is None or ANSWER not in plain:
        return None
    before = plain.partition(ANSWER)[0]
    if before.startswith(prompt):
        return before[len(prompt) :]
    history = render.tried([_USER], False) or ""
    opening = prompt.removeprefix(history) or prompt.rpartition(USER)[2]
    found = compare(prompt, opening, before, USER)
    return "" if found.ahead.strip() or not found.lead.strip() else found.lead

"""Kinds of chat templates: each was refused for a wrong reason or learned wrongly once."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.template import ChatFormat, learn_format
from tests.families import with_control_tokens
from tests.templates import TEMPLATES

CASES = Path(os.environ.get("ALTTRAIN_CASES", TEMPLATES.parent / "cases")) / "templates"
USER = [{"role": "user", "content": "Hi"}]
TAGS = ThoughtFormat("<think>\n", "\n</think>\n\n", "<|im_end|>")


def chatml(generation: str, assistant: str = "{{ m.content }}", ahead: str = "") -> str:
    return (
        ahead
        + "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\\n' }}{%- if m.role == 'assistant' -%}"
        + assistant
        + "{%- else -%}{{ m.content }}{%- endif -%}{{ '<|im_end|>\\n' }}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}" + generation + "{%- endif -%}"
    )


def learned(tokenizer: Any, source: str, **options: Any) -> ChatFormat:
    return learn_format(with_control_tokens(tokenizer, [source]), source, **options)


@pytest.mark.parametrize(
    ("name", "prompt", "expected"),
    [
        ("spaced", "    <|im_start|>assistant\n\n", TAGS),
        ("other_tag", "assistant\n<thought>\n", ThoughtFormat("", "\n</thought>\n\n", "<|im_end|>", "<thought>\n")),
        ("parts_only", "Hi<|im_end|>\n<|im_start|>assistant\n", TAGS),
        ("always_next_header", "### Instruction:\nHi\n### Response:\n", TAGS),
    ],
)
def test_shared_cases(smollm2: Any, name: str, prompt: str, expected: ThoughtFormat) -> None:
    path = CASES / f"{name}.jinja"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    chat = learn_format(smollm2, path.read_text(encoding="utf-8"))
    assert chat.prompt(USER).endswith(prompt)
    assert chat.thought == expected


def test_plain_words_before_the_answer_close_nothing(smollm2: Any) -> None:
    """As CodeLlama-70B: the prompt names a destination that history does not have in this place."""
    chat = learned(smollm2, chatml("{{ 'Destination: user\\n\\n' }}"))
    assert chat.prompt(USER).endswith("assistant\nDestination: user\n\n")
    assert chat.thought == TAGS


@pytest.mark.parametrize(
    ("opening", "close"),
    [
        ("<thought>\n", "\n</thought>\n\n"),
        ("<reasoning>\n", "\n</reasoning>\n\n"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|channel>thought\n<think>\n", "\n</think>\n\n"),
    ],
)
def test_the_prompt_opens_the_thought_with_any_tag(smollm2: Any, opening: str, close: str) -> None:
    thought = learned(smollm2, chatml(json.dumps(opening, ensure_ascii=False).join(("{{ ", " }}")))).thought
    assert (thought.open, thought.close) == ("", close)
    assert opening.endswith(thought.prompt_open)


@pytest.mark.parametrize("opening", ["<|think|>", "<plan>", "Let me see:\n"])
def test_thought_format_says_what_the_prompt_does_not(smollm2: Any, opening: str) -> None:
    source = chatml(json.dumps(opening).join(("{{ ", " }}")))
    texts = {"open": opening, "close": "\nSo:\n"}
    for given in (texts, json.dumps(texts)):
        thought = learned(smollm2, source, thought_format=given).thought
        assert (thought.open, thought.close, thought.end) == ("", "\nSo:\n", "<|im_end|>")
    if opening.startswith("<"):
        with pytest.raises(TemplateError, match="thought_format"):
            learned(smollm2, source)


def test_a_closed_thought_without_a_switch_is_refused_with_what_it_is(smollm2: Any) -> None:
    with pytest.raises(TemplateError, match=r"ends with the closed thought '.*</think>.*', and it has no variable"):
        learned(smollm2, chatml("{{ '<think>\\n\\n</think>\\n\\n' }}"))


def test_a_switch_that_the_user_turns_off(smollm2: Any) -> None:
    closed = "{%- if not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif -%}"
    assert learned(smollm2, chatml(closed)).kwargs == {"enable_thinking": True}
    with pytest.raises(TemplateError, match=r'chat_template_kwargs: \{"enable_thinking": false\} turns thinking off'):
        learned(smollm2, chatml(closed), kwargs={"enable_thinking": False})


SYSTEM = "{%- if SWITCH %}{{ '<|im_start|>system\\nThink first.<|im_end|>\\n' }}{%- endif -%}"


@pytest.mark.parametrize(
    ("switch", "kwargs"),
    [
        ("enable_thinking", {"enable_thinking": True}),
        ("use_cot", {"use_cot": True}),
        ("enable_thinking is not defined or enable_thinking", {}),  # on by default
        ("some_flag", {}),  # does not speak of thinking
        ("disable_thinking", {}),
    ],
)
def test_a_switch_that_is_off_by_default_is_turned_on_and_named(
    smollm2: Any, switch: str, kwargs: dict[str, bool]
) -> None:
    chat = learned(smollm2, chatml("", ahead=SYSTEM.replace("SWITCH", switch)))
    assert chat.kwargs == kwargs
    assert ("Think first." in chat.prompt(USER)) == (bool(kwargs) or "not defined" in switch)
    assert any("chat_template_kwargs" in note for note in chat.notes) == bool(kwargs)


def test_a_level_of_effort_keeps_its_default(smollm2: Any) -> None:
    effort = "{{ '<|im_start|>system\\nEffort: ' + (reasoning_effort or 'medium')|string + '<|im_end|>\\n' }}"
    assert learned(smollm2, chatml("", ahead=effort)).kwargs == {}


def test_a_switch_takes_the_text_that_the_template_compares_it_with(smollm2: Any) -> None:
    closed = "{%- if thinking_mode != 'deep' %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif -%}"
    assert learned(smollm2, chatml(closed)).kwargs == {"thinking_mode": "deep"}


def test_tags_that_are_only_removed_from_history(smollm2: Any) -> None:
    removed = "{{ m.content.split('<channel|>')[-1] }}{#- removes <|channel> ... -#}"
    with pytest.raises(TemplateError, match=r"removes the text between '<\|channel>' and '<channel\|>'"):
        learned(smollm2, chatml("", removed))
    thought = learned(smollm2, chatml("", removed.replace("<|channel>", "<|channel>thought"))).thought
    assert (thought.open, thought.close) == ("<|channel>thought\n", "\n<channel|>")


def test_contents_as_a_mapping_of_blocks(smollm2: Any) -> None:
    """As Apertus; the thought is a block of its own."""
    blocks = (
        "{%- for b in m.content.blocks -%}{{ '<|inner|>' + b.text + '<|outer|>' if b.type == 'thoughts' else b.text }}"
        "{%- endfor -%}"
    )
    chat = learned(smollm2, chatml("", blocks).replace("{{ m.content }}", "{{ m.content.parts[0].text }}"))
    assert chat.renderer.shape.name == "blocks"
    assert (chat.thought.open, chat.thought.close) == ("<|inner|>", "<|outer|>")
    assert chat.prompt(USER) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("ahead", "kwargs"),
    [
        ("{%- for t in tools %}{{ t.name }}{% endfor -%}", {"tools": []}),
        ("{{ 'Functions: ' + functions }}", {"functions": ""}),
        ("{%- if tools is defined and tools %}{{ tools }}{% endif -%}", {}),
    ],
)
def test_variables_that_a_template_cannot_do_without_are_empty(
    smollm2: Any, ahead: str, kwargs: dict[str, Any]
) -> None:
    assert learned(smollm2, chatml("", ahead=ahead)).kwargs == kwargs


def test_one_of_several_named_templates(smollm2: Any) -> None:
    tokenizer = copy.copy(smollm2)
    tokenizer.chat_template = {"default": chatml(""), "tool_use": chatml("{{ 'x' }}")}
    assert learn_format(tokenizer).prompt(USER).endswith("assistant\n")
    tokenizer.chat_template = {"rag": chatml(""), "tool_use": chatml("{{ 'x' }}")}
    with pytest.raises(TemplateError, match="several chat templates, rag, tool_use, and none is called 'default'"):
        learn_format(tokenizer)


def test_a_text_without_jinja_is_no_template(smollm2: Any) -> None:
    with pytest.raises(TemplateError, match="contains no Jinja"):
        learn_format(smollm2, "templates/mine.jinja")


def test_todays_date_is_frozen_and_named(smollm2: Any) -> None:
    chat = learned(smollm2, chatml("", ahead="{{ 'Today: ' + strftime_now('%d %b %Y') + '\\n' }}"))
    assert chat.prompt(USER).startswith("Today: 01 Jan 2025\n")
    assert chat.date == "2025-01-01"
    assert chat.notes == ["Where the template writes today's date, it is always 2025-01-01."]
    assert learned(smollm2, chatml("")).date is None


def test_the_next_turns_header_is_not_trained(smollm2: Any) -> None:
    for header, expected in {
        "\\n### Instruction:\\n": "<|im_end|>",
        "\\n\\nUSER: ": "<|im_end|>",
        "</answer>\\n": "</answer><|im_end|>",
    }.items():
        source = (
            "{%- for m in messages -%}{%- if m.role == 'user' -%}"
            "{{ '### Instruction:\\n' + m.content + '\\n### Response:\\n' }}"
            "{%- else -%}{{ m.content + 'HEADER' }}{%- endif -%}{%- endfor -%}"
        ).replace("HEADER", header)
        assert learn_format(smollm2, source).thought.end == expected


def test_a_separator_that_also_opens_turns_ends_them(smollm2: Any) -> None:
    source = "{%- for m in messages -%}{{ m.role + '<|sep|>' + m.content + '<|end|>\\n' }}{%- endfor -%}" + (
        "{%- if add_generation_prompt -%}{{ 'assistant<|sep|>' }}{%- endif -%}"
    )
    assert learned(smollm2, source).thought.end == "<|end|>"

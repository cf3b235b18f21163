from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.template import learn_format


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("axolotl_chatml", ThoughtFormat("<think>\n", "\n</think>\n\n", "<|im_end|>")),
        ("axolotl_qwen_25", ThoughtFormat("<think>\n", "\n</think>\n\n", "<|im_end|>")),
        ("trl_qwen3", ThoughtFormat("<think>\n", "\n</think>\n\n", "<|im_end|>")),
        ("axolotl_qwen3", ThoughtFormat("", "\n</think>\n\n", "<|im_end|>", "<think>\n\n")),
    ],
)
def test_learned_formats(smollm2: Any, template: Callable[[str], str], name: str, expected: ThoughtFormat) -> None:
    assert learn_format(smollm2, template(name)).thought == expected


def test_r1_distill_opens_the_thought_in_its_prompt_or_leaves_it_to_the_model(
    deepseek: Any, template: Callable[[str], str]
) -> None:
    end = "<｜end▁of▁sentence｜>"
    now = learn_format(deepseek, template("deepseek_r1_distill")).thought
    assert (now.open, now.close, now.end) == ("", "\n</think>\n\n", end)
    assert now.prompt_open.endswith("<think>\n")
    old = learn_format(deepseek, template("deepseek_r1_distill_2025-01")).thought
    assert (old.open, old.close, old.end) == ("<think>\n", "\n</think>\n\n", end)


CLOSED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n"
    "{% if not SWITCH %}\n</think>\n\n{% endif %}{% endif %}"
)


@pytest.mark.parametrize("switch", ["enable_thinking", "thinking"])
def test_thinking_is_switched_on_through_the_templates_own_variable(smollm2: Any, switch: str) -> None:
    chat = learn_format(smollm2, CLOSED.replace("SWITCH", switch))
    assert chat.kwargs == {switch: True}
    assert chat.prompt([{"role": "user", "content": "Hi"}]).endswith("<think>\n")


def test_thinking_that_cannot_be_switched_on_is_an_error(smollm2: Any) -> None:
    with pytest.raises(TemplateError, match="chat_template_kwargs"):
        learn_format(smollm2, CLOSED.replace("SWITCH", "some_other_name"))
    chat = learn_format(smollm2, CLOSED.replace("SWITCH", "some_other_name"), kwargs={"some_other_name": True})
    assert chat.thought.open == ""


def test_without_an_end_of_turn_in_the_template_the_stop_token_is_trained(smollm2: Any) -> None:
    bare = (
        "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}"
    )
    assert learn_format(smollm2, bare).thought.end == "<|im_end|>"
    assert learn_format(smollm2, bare, stop_tokens=["<|endoftext|>"]).thought.end == "<|endoftext|>"


def test_s1_format(smollm2: Any) -> None:
    thought = learn_format(smollm2, thought_format="s1").thought
    assert thought == ThoughtFormat("<|im_start|>think\n", "\n<|im_start|>answer\n", "<|im_end|>")
    with pytest.raises(TemplateError, match="thought_format"):
        learn_format(smollm2, thought_format="s2")


def test_no_chat_template_and_a_broken_one(smollm2: Any) -> None:
    bare = copy.deepcopy(smollm2)
    bare.chat_template = None
    with pytest.raises(TemplateError, match="no chat template"):
        learn_format(bare)
    with pytest.raises(TemplateError, match="cannot render"):
        learn_format(smollm2, "{% if %}")


def test_conversations_that_are_slow_together_are_limited_one_by_one(
    smollm2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = learn_format(smollm2).renderer
    slow = replace(fast, source="{% for i in range(99999) %}{% endfor %}" + fast.source)
    conversations = [[{"role": "user", "content": str(number)}] for number in range(100)]
    monkeypatch.setattr("axolotl_alttrain.format.probing.render_limits.SECONDS", 0.05)
    assert slow.prompts(conversations) == fast.prompts(conversations)

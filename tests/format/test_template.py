from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from axolotl_alttrain.errors import RowError, TemplateError
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.rows import example_from_row
from axolotl_alttrain.format.template import fixed_format, learn_format, special_tokens
from tests.conftest import HARMFUL_ROW


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


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("auto", None),
        ("s1", ThoughtFormat("<|im_start|>think\n", "\n<|im_start|>answer\n")),
        ({"open": "", "close": "</r>"}, ThoughtFormat("", "</r>")),
        ('{"open": "<r>", "close": "</r>"}', ThoughtFormat("<r>", "</r>")),
    ],
)
def test_formats_that_a_config_names_or_gives(given: Any, found: ThoughtFormat | None) -> None:
    assert fixed_format(given) == found


@pytest.mark.parametrize(
    "given",
    [
        "s2",
        "[1]",
        {"open": "<r>"},
        {"open": "<r>", "close": "</r>", "end": "x"},
        {"open": "<r>", "close": " "},
        {"open": 1, "close": "</r>"},
        {"open": "<r>", "close": 1},
    ],
)
def test_formats_that_are_none(given: Any) -> None:
    with pytest.raises(TemplateError) as error:
        fixed_format(given)
    assert str(error.value) == (
        f"thought_format: found {given!r}; allowed: auto, s1, or the two texts 'open:' and 'close:'"
    )


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


ROLES = (
    "{% for t in tools or [] %}[{{ t.function.name }}]{% endfor %}{% for m in messages %}"
    "{% if m.role not in ['user', 'assistant'] %}{{ raise_exception(m.role) }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls or [] %}<call>{{ c.function.name }}</call>{% endfor %}"
    "<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
TOOL = {"type": "function", "function": {"name": "print"}}
CALL = {"type": "function", "function": {"name": "print", "arguments": {}}}
THOUGHT = (
    "<think>\nOkay, the user wants a forged passport.\n\nThis is harmful: forged papers enable fraud.\n\n"
    "I should stop here.\n</think>\n\nI can't help with that."
)
ASKED = "[user]Help me forge a passport.<|im_end|>[assistant]"


def test_examples_are_rendered_in_order_with_their_tools_and_calls(smollm2: Any) -> None:
    chat = learn_format(smollm2, ROLES)
    plain = example_from_row(HARMFUL_ROW)
    tooled = replace(plain, tools=(TOOL,), tool_calls=(CALL,))
    called = f"{THOUGHT}<call>print</call><|im_end|>"
    assert chat.render(tooled) == ("[print]" + ASKED, called)
    other = replace(plain, instruction="Hi")
    assert chat.render_all([plain, tooled, other]) == [
        (ASKED, f"{THOUGHT}<|im_end|>"),
        ("[print]" + ASKED, called),
        ("[user]Hi<|im_end|>[assistant]", f"{THOUGHT}<|im_end|>"),
    ]
    assert chat.thought_of(plain) == chat.thought
    assert chat.thought_of(tooled) == replace(chat.thought, calls="<call>print</call>")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": "a<|im_end|>b"}, "field 'answer' contains the special token '<|im_end|>'; remove it"),
        (
            {"harmfulness_assessment": "<|im_start|>"},
            "field 'harmfulness_assessment' contains the special token '<|im_start|>'; remove it",
        ),
        (
            {"tool_calls": ({"function": {"name": "print", "arguments": {"text": ["<|im_end|>"]}}},)},
            "field 'tool_calls' contain the special token '<|im_end|>'; remove it",
        ),
    ],
)
def test_control_tokens_in_a_completion_are_refused(smollm2: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as error:
        learn_format(smollm2, ROLES).render(replace(example_from_row(HARMFUL_ROW), **changes))
    assert str(error.value) == said


def test_parts_are_joined_unless_the_template_takes_them(smollm2: Any) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}]
    text = learn_format(smollm2, ROLES)
    assert (text.takes_parts, text.prompt(parts)) == (False, "[user]Hi\nthere<|im_end|>[assistant]")
    with pytest.raises(RowError, match="has in message 2 the part dict"):
        text.prompt([*parts, {"role": "user", "content": [{"type": "image"}]}])
    joined = "{% for p in m.content %}{{ p.text }}{% endfor %}"
    taking = ROLES.replace(
        "{{ m.content }}", f"{{% if m.content is string %}}{{{{ m.content }}}}{{% else %}}{joined}{{% endif %}}"
    )
    listed = learn_format(smollm2, taking)
    assert (listed.takes_parts, listed.prompt(parts)) == (True, "[user]Hithere<|im_end|>[assistant]")


def test_what_the_user_may_not_expect_is_noted(smollm2: Any) -> None:
    plain = learn_format(smollm2, ROLES)
    assert (plain.notes, plain.kwargs, plain.date, plain.renders_thought) == ([], {}, None, False)
    assert (plain.tokenizer, plain.chat_template) == (smollm2, ROLES)
    dated = "{{ strftime_now('%Y') }}{% if x %}{{ x }}{% endif %}" + ROLES.replace("m.content", "m.content[0].text")
    assert learn_format(smollm2, dated, {"x": 1}).notes == [
        'The prompt is rendered with chat_template_kwargs: {"x": 1}.',
        "Where the template writes today's date, it is always 2025-01-01.",
        "The template takes a turn's content as parts.",
    ]


def test_a_template_that_renders_the_thought_of_a_last_turn(smollm2: Any, template: Callable[[str], str]) -> None:
    assert learn_format(smollm2, template("trl_qwen3")).renders_thought
    fixed = learn_format(smollm2, template("trl_qwen3"), thought_format={"open": "<r>", "close": "</r>"})
    assert not fixed.renders_thought
    assert fixed.thought == ThoughtFormat("<r>", "</r>", "<|im_end|>")


def test_a_given_format_and_what_the_prompt_has_of_it(smollm2: Any) -> None:
    given = {"open": "\n<r>\n", "close": "\n</r>\n"}
    opened = learn_format(
        smollm2, ROLES.replace("[assistant]{% endif %}", "[assistant]<r>{% endif %}"), thought_format=given
    )
    assert opened.thought == ThoughtFormat("", "\n</r>\n", "<|im_end|>", "<r>")
    without = learn_format(smollm2, ROLES, thought_format={"open": "\n", "close": "</r>"})
    assert without.thought == ThoughtFormat("\n", "</r>", "<|im_end|>")
    closed = "{% if think %}[assistant]{% else %}[assistant]</r>{% endif %}{% endif %}"
    switched = learn_format(smollm2, ROLES.replace("[assistant]{% endif %}", closed), thought_format=given)
    assert (switched.kwargs, switched.thought.close) == ({"think": True}, "\n</r>\n")
    always = ROLES.replace("[assistant]{% endif %}", "[assistant]</r>{% endif %}")
    with pytest.raises(
        TemplateError, match=r"ends with the closed thought '.*\[assistant\]</r>', and it has no variable"
    ):
        learn_format(smollm2, always, thought_format=given)


def test_stop_tokens_come_before_the_tokenizers_own(smollm2: Any) -> None:
    bare = ROLES.replace("<|im_end|>", "")
    assert learn_format(smollm2, bare).thought.end == "<|im_end|>"
    assert learn_format(smollm2, bare, stop_tokens=["<file_sep>", "x"]).thought.end == "<file_sep>"
    other = copy.deepcopy(smollm2)
    other.eos_token = None
    with pytest.raises(TemplateError, match=r"^neither the chat template nor the tokenizer has an end-of-turn token"):
        learn_format(other, bare)


def test_special_tokens_the_longest_first(smollm2: Any) -> None:
    tokenizer = copy.deepcopy(smollm2)
    tokenizer.add_tokens(["<plain>"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_end|>x", "<s>"]})
    found = special_tokens(tokenizer)
    assert found == sorted(found, key=len, reverse=True)
    assert set(found) == {*smollm2.all_special_tokens, "<|im_end|>x", "<s>"} | {
        str(token) for token in smollm2.added_tokens_decoder.values()
    }
    chat = learn_format(tokenizer, ROLES)
    assert [one.group() for one in chat.special_text.finditer("<|im_end|>x <|im_end|> <s> <plain>")] == [
        "<|im_end|>x",
        "<|im_end|>",
        "<s>",
    ]

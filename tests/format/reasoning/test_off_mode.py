"""The non-thinking mode, on templates that differ in what they write before an answer."""

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.reasoning.off_mode import find_off_mode, no_off_mode
from axolotl_alttrain.format.reasoning.trained_rows import row_renderer
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.template import ChatFormat, learn_format


def switched(tokenizer: Any, off: str = "", lead: str = "", after_user: str = "<|im_end|>") -> ChatFormat:
    """A template that opens the thought where ``thinking`` is set.

    Args:
        off: What its prompt ends with where it is not.
        lead: What it writes before the answers of history.
        after_user: What ends a user's turn that is the last.
    """
    return learn_format(
        tokenizer,
        "{% for m in messages %}[{{ m.role }}]"
        f"{{% if m.role == 'assistant' %}}{lead}{{% endif %}}{{{{ m.content }}}}"
        f"{{% if loop.last and m.role == 'user' %}}{after_user}{{% else %}}<|im_end|>{{% endif %}}{{% endfor %}}"
        f"{{% if add_generation_prompt %}}[assistant]{{% if thinking %}}<think>\n{{% else %}}{off}{{% endif %}}"
        "{% endif %}",
    )


@pytest.mark.parametrize(
    ("template", "opening"),
    [
        ({}, ""),
        ({"lead": "<answer>"}, "<answer>"),
        ({"off": "<x></x>"}, ""),
        ({"off": "<x></x>", "lead": "<answer>"}, ""),
        ({"off": "{{ '\\n' }}", "lead": " "}, ""),
        ({"off": "{{ '\\n' }}", "lead": " <answer> "}, "<answer> "),
        ({"off": "{{ '\\n' }}", "lead": " <answer> ", "after_user": "<|im_end|><go>"}, "<answer> "),
    ],
)
def test_what_the_model_writes_before_an_answer(smollm2: Any, template: dict[str, str], opening: str) -> None:
    chat = switched(smollm2, **template)
    assert chat.kwargs == {"thinking": True}
    off = find_off_mode(chat)
    assert off is not None
    assert off.kwargs == {"thinking": False}
    assert off.thought == ThoughtFormat(open=opening, close="", end="<|im_end|>")


def test_every_answer_is_trained_without_thinking(smollm2: Any) -> None:
    turns = [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4"},
    ]
    chat = switched(smollm2)
    for every, expected in (
        ("all", ["[user]1+1?<|im_end|>[assistant]", "2<|im_end|>", "[user]2+2?<|im_end|>[assistant]", "4<|im_end|>"]),
        ("last", ["[user]1+1?<|im_end|>[assistant]2<|im_end|>[user]2+2?<|im_end|>[assistant]", "4<|im_end|>"]),
    ):  # fmt: skip
        [row] = row_renderer(chat, RowReader(), True, "off", every)({"messages": turns})  # type: ignore[arg-type]
        assert [piece.text for piece in row.pieces] == expected


def test_the_opening_of_an_answer_is_a_part_of_its_own(smollm2: Any) -> None:
    renderer = row_renderer(switched(smollm2, lead="<answer>"), RowReader(), True, "off")
    [row] = renderer({"question": "1+1?", "answer": "2"})
    assert row.pieces[1].parts == (("answer_opening", "<answer>"), ("answer", "2"), ("end_of_turn", "<|im_end|>"))


TURNS = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|im_end|>\n{% endfor %}"


PROMPT = "{% if add_generation_prompt %}[assistant]{% endif %}"


@pytest.mark.parametrize(
    ("generation", "kwargs"),
    [
        ("True{% if not disable_thinking %}<think>\n{% endif %}", {"disable_thinking": True}),
        (
            "{% if thinking_mode == 'deep' %}...{% elif thinking_mode != 'off' %}<think>\n{% endif %}",
            {"thinking_mode": "off"},
        ),
        # The first switch alone leaves the thought open.
        (
            "{% if a_thinking is false %}[short]{% endif %}{% if b_thinking is not false %}<think>\n{% endif %}",
            {"b_thinking": False},
        ),
    ],
)
def test_switches_that_turn_thinking_off(smollm2: Any, generation: str, kwargs: dict[str, Any]) -> None:
    source = TURNS + PROMPT.replace("[assistant]", "[assistant]" + generation)
    off = find_off_mode(learn_format(smollm2, source))
    assert off is not None
    assert off.kwargs == kwargs


@pytest.mark.parametrize(
    ("source", "names"),
    [
        # Two without effect, one that it refuses, and one whose value it prints.
        (
            "{% if thinking or a_thought %}{% endif %}" + TURNS + PROMPT,
            "none of its variables thinking, a_thought turns",
        ),
        (
            "{% if thinking is false %}{{ raise_exception('no') }}{% endif %}" + TURNS + PROMPT,
            "none of its variables thinking turns",
        ),
        ("{{ thinking }}" + TURNS + PROMPT, "none of its variables thinking turns"),
        # It has levels of effort and no way to turn it off.
        (
            "{{ reasoning_effort }}" + TURNS + "{% if add_generation_prompt %}[assistant]{% endif %}",
            "none of its variables reasoning_effort turns",
        ),
        # It prints the value.
        (
            "{% if skip_thinking %}skip: {{ skip_thinking }}\n{% endif %}"
            + TURNS
            + "{% if add_generation_prompt %}[assistant]{% endif %}",
            "none of its variables skip_thinking turns",
        ),
        # Its prompt opens the thought either way.
        (
            TURNS
            + "{% if add_generation_prompt %}[assistant]{% if long_thinking is false %}[short]{% endif %}<think>\n"
            + "{% endif %}",
            "none of its variables long_thinking turns",
        ),
        (TURNS + "{% if add_generation_prompt %}[assistant]{% endif %}", "it has no variable that turns"),
    ],
)
def test_templates_without_an_off_mode(smollm2: Any, source: str, names: str) -> None:
    chat = learn_format(smollm2, source)
    assert find_off_mode(chat) is None
    assert no_off_mode(chat) == f"has no non-thinking mode: {names} thinking off"

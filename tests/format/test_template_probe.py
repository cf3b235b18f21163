from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.format.template_probe import last_piece
from tests.families import FAMILIES, with_control_tokens, with_template

USER = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_delimiters_are_learned_without_its_name(smollm2: Any, name: str) -> None:
    source, prompt_end, open_, close, end = FAMILIES[name]
    chat = learn_format(with_template(with_control_tokens(smollm2, [source]), source))
    assert (chat.thought.open, chat.thought.close, chat.thought.end) == (open_, close, end)
    assert chat.prompt(USER).endswith(prompt_end)
    assert bool(chat.thought.prompt_open) == (not open_)


def test_the_stop_token_ends_the_turn_where_it_follows_at_once(smollm2: Any) -> None:
    body = "{% for m in messages %}{{ m.role + ':' + m.content + END }}{% endfor %}"
    for end, expected in {
        "'</s1><|im_end|>\n'": "</s1><|im_end|>",  # two tokens, the second stops the model
        "'<|fim_middle|>\n<|im_end|>'": "<|fim_middle|>",  # the second stands behind the turn
        "'\n'": "<|im_end|>",  # none: the tokenizer's own
    }.items():
        source = body.replace("END", end)
        tokenizer = with_template(with_control_tokens(smollm2, [source]), source)
        tokenizer.add_special_tokens({"additional_special_tokens": ["</s1>", "<|fim_middle|>"]})
        assert learn_format(tokenizer).thought.end == expected


def test_delimiters_can_be_spelled_out(smollm2: Any) -> None:
    thought = learn_format(smollm2, thought_format={"open": "<reason>", "close": "</reason>"}).thought
    assert (thought.open, thought.close, thought.end) == ("<reason>", "</reason>", "<|im_end|>")


@pytest.mark.parametrize(
    ("prompt", "piece"),
    [
        ("alttrainuserturn<｜Assistant｜><think>\n", "<think>\n"),
        ("alttrainuserturn\nHere are my steps:\n", "Here are my steps:\n"),
        ("alttrainuserturn[THINK]", "[THINK]"),
    ],
)
def test_the_last_piece_of_a_prompt_shows_how_it_opens_the_thought(prompt: str, piece: str) -> None:
    assert last_piece(prompt) == piece

from __future__ import annotations

import re

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.end_of_turn import end_of_turn

SPECIALS = re.compile(r"<\|\w+\|>|</s>")


@pytest.mark.parametrize(
    ("after", "stops", "prompt", "end"),
    [
        ("<|end|>\n", ["<|end|>"], ("", ""), "<|end|>"),
        ("</answer>\n<|end|>\n", ["<|end|>"], ("", ""), "</answer>\n<|end|>"),
        # Two tokens, the second of which stops the model, or the first, or either.
        ("</s><|end|>\n", ["<|end|>"], ("", ""), "</s><|end|>"),
        ("</s>\n<|end|>", ["<|end|>"], ("", ""), "</s>"),
        ("<|end|><|end|>", ["<|end|>"], ("", ""), "<|end|>"),
        ("<|b|><|a|>", ["<|a|>", "<|b|>"], ("", ""), "<|b|>"),
        ("<|a|><|b|>", [], ("", ""), "<|a|>"),
        # None, or only behind the header of the next turn.
        ("", ["<|end|>", "</s>"], ("", ""), "<|end|>"),
        ("\nUSER: ", ["<|end|>"], ("USER: ", "\n"), "<|end|>"),
        ("\nUSER: <|end|>", ["</s>"], ("USER: ", "\n"), "</s>"),
        ("</answer>\n", ["<|end|>"], ("", ""), "</answer><|end|>"),
        ("</a>\n</b>\n<user>", ["<|end|>"], ("<user>", ""), "</a>\n</b><|end|>"),
        # A token that opens the user's turn, and one that also ends it.
        ("<|user|>", ["<|end|>"], ("<|user|>", "<|assistant|>"), "<|end|>"),
        ("</a><|user|>\n", ["<|end|>"], ("text\n<|user|>\n", "<|assistant|>"), "</a><|end|>"),
        ("<|user|>", ["<|end|>", "<|user|>"], ("<|user|>", "<|assistant|>"), "<|user|>"),
        ("<|sep|>\n", ["<|end|>"], ("<|sep|>user: ", "<|sep|>assistant: "), "<|sep|>"),
        ("<|sep|>\n", ["<|end|>"], ("<|sep|>user: ", "\n"), "<|end|>"),
        ("<|sep|>\n", ["<|end|>"], ("<|sep|>Be brief!\nuser: ", "\n"), "<|sep|>"),
    ],
)
def test_the_end_of_the_turn(after: str, stops: list[str], prompt: tuple[str, str], end: str) -> None:
    assert end_of_turn(after, SPECIALS, stops, prompt) == end


def test_a_turn_without_an_end_is_refused() -> None:
    with pytest.raises(TemplateError) as error:
        end_of_turn("\nUSER: ", SPECIALS, [], ("USER: ", ""))
    assert str(error.value) == (
        "neither the chat template nor the tokenizer has an end-of-turn token; set 'eot_tokens:' in the config"
    )

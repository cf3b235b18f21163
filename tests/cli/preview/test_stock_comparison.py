from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.cli.preview.stock_comparison import EXACT, EXAMPLE, compare_stock, differences
from axolotl_alttrain.format.template import ChatFormat, learn_format


@pytest.fixture(scope="module")
def chat(smollm2: Any) -> ChatFormat:
    return learn_format(smollm2)


def test_axolotl_on_a_template_without_thoughts(chat: ChatFormat) -> None:
    assert compare_stock(chat, "content") == [EXACT]
    assert compare_stock(chat, "reasoning_content") == ["the reasoning is not trained"]


def compared(chat: ChatFormat, prompt: str, trained: str, untrained: str = "") -> list[str]:
    """What is said of a strategy that gives `prompt` no loss and `trained` loss."""
    expected = chat.encode(list(chat.render(EXAMPLE)))
    head, body, tail = chat.encode([prompt, trained, untrained])
    labels = [-100] * len(head) + body + [-100] * len(tail)
    return differences(chat, expected[0], expected[1], head + body + tail, labels, EXAMPLE)


def test_each_difference_is_named(chat: ChatFormat) -> None:
    prompt, completion = chat.render(EXAMPLE)
    end = chat.thought.end
    assert compared(chat, prompt, completion) == [EXACT]
    assert compared(chat, prompt, completion, "\n") == [EXACT]  # what follows the turn, without loss
    assert compared(chat, "Hi. " + prompt, completion) == ["the prompt is not inference's"]
    assert compared(chat, prompt, completion.removesuffix(end), end) == ["the end of turn is not trained"]
    assert compared(chat, prompt, completion + end) == ["loss behind the end of turn"]
    assert compared(chat, prompt, EXAMPLE.answer + end) == ["the reasoning is not trained"]
    assert compared(chat, prompt, completion.replace("<think>", "")) == ["the thought's opening differs"]
    assert compared(chat, prompt, completion.replace(EXAMPLE.answer, "")) == ["the answer is not trained"]
    assert compared(chat, prompt + completion, "") == ["nothing is trained"]
    assert compared(chat, "", prompt + completion)[0] == "loss on the prompt"
    assert compared(chat, prompt, completion.replace("</think>\n\n", "</think>\n")) == ["white space differs"]

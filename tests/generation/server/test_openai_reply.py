"""What servers return, in the forms that they are known for."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat.chat_completion import Choice

from axolotl_alttrain.generation.server.openai_reply import FILTERED, Reply, reply


def choice(message: dict[str, Any], finish: str | None = "stop") -> Choice:
    """As the client parses it, which checks nothing."""
    return Choice.construct(index=0, finish_reason=finish, message={"role": "assistant", **message})


@pytest.mark.parametrize("finish", ["stop", "eos", "eos_token", "end", "end_turn", "stop_sequence", None])
def test_words_for_a_finished_answer(finish: str | None) -> None:
    assert reply(choice({"content": "Paris."}, finish)) == Reply("Paris.", "", "stop")


@pytest.mark.parametrize("finish", ["length", "max_tokens"])
def test_words_for_a_truncated_answer(finish: str) -> None:
    assert reply(choice({"content": "Par"}, finish)) == Reply("Par", "", "length")


@pytest.mark.parametrize(
    ("content", "text", "thought"),
    [
        ([{"type": "text", "text": "Par"}, {"type": "text", "text": "is."}], "Paris.", ""),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "No."}],
            "No.",
            "Hm.",
        ),
        ([{"type": "output_text", "text": "Yes."}], "Yes.", ""),
        ([{"type": "refusal", "refusal": "I can't."}], "I can't.", ""),
        (["Par", "is."], "Paris.", ""),
        ([], "", ""),
        (None, "", ""),
        ("lone \ud800", "lone ?", ""),
    ],
)
def test_content_in_parts(content: Any, text: str, thought: str) -> None:
    assert reply(choice({"content": content})) == Reply(text, thought, "stop")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_separate_thought(field: str) -> None:
    assert reply(choice({"content": "No.", field: "Hm."})) == Reply("No.", "Hm.", "stop")


@pytest.mark.parametrize(
    ("message", "finish", "said"),
    [
        ({"content": None, "refusal": "I can't help."}, "stop", Reply("I can't help.", "", "stop")),
        ({"content": "", "refusal": "I can't help."}, "content_filter", Reply("I can't help.", "", "filtered")),
        ({"content": "", "refusal": None}, "content_filter", Reply(FILTERED, "", "filtered")),
        ({"content": "First, "}, "content_filter", Reply("First, ", "", "filtered")),
        ({"content": "Fine.", "refusal": "No."}, "stop", Reply("Fine.", "", "stop")),
    ],
)
def test_refusals_beside_the_content(message: dict[str, Any], finish: str, said: Reply) -> None:
    assert reply(choice(message, finish)) == said

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing

from axolotl_alttrain.format.example import STEPS
from axolotl_alttrain.format.rows import example_from_row
from axolotl_alttrain.format.segments import Segment, cut_into_segments, cut_text
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.format.think_tags import find_tag
from tests.conftest import HARMFUL_ROW

TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(str.strip)


def test_segments_of_one_row_in_full(smollm2: Any) -> None:
    chat = learn_format(smollm2)
    (segments,) = cut_into_segments(chat, [example_from_row(HARMFUL_ROW)])
    assert [(segment.name, segment.text, len(segment.ids), segment.trained) for segment in segments] == [
        (
            "prompt",
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHelp me forge a passport.<|im_end|>\n<|im_start|>assistant\n",
            36,
            False,
        ),
        ("thought_opening", "<think>\n", 4, True),
        ("problem_understanding", "Okay, the user wants a forged passport.\n\n", 11, True),
        ("harmfulness_assessment", "This is harmful: forged papers enable fraud.\n\n", 11, True),
        ("conditional_reasoning", "I should stop here.", 5, True),
        ("thought_closing", "\n</think>\n\n", 6, True),
        ("answer", "I can't help with that.", 7, True),
        ("end_of_turn", "<|im_end|>", 1, True),
    ]


@pytest.mark.parametrize("tokenizer", ["smollm2", "deepseek", "qwen"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=5, max_size=5))
def test_segments_joined_are_the_row(request: pytest.FixtureRequest, tokenizer: str, texts: list[str]) -> None:
    from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy

    source = request.getfixturevalue("smollm2").chat_template
    chat = learn_format(request.getfixturevalue(tokenizer), source)
    row = HARMFUL_ROW | dict(zip(("instruction", *STEPS, "answer"), texts, strict=True))
    assume(not any(find_tag(text) for text in texts))
    example = example_from_row(row)
    markers = [marker for marker in (chat.thought.open.strip(), chat.thought.close.strip()) if marker]
    assume(not any(chat.special_text.search(text) or any(marker in text for marker in markers) for text in texts))
    (segments,) = cut_into_segments(chat, [example])
    tokens = AltTrainStrategy(chat, 4096).tokenize_prompt(row)
    assert [i for segment in segments for i in segment.ids] == tokens["input_ids"]
    trained = [i if segment.trained else -100 for segment in segments for i in segment.ids]
    assert trained == tokens["labels"]
    assert "".join(segment.text for segment in segments) == "".join(chat.render(example))


class Slow:
    """A tokenizer that gives no offsets, as those written in Python."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.is_fast = tokenizer, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def __call__(self, texts: list[str], **options: Any) -> Any:
        assert "return_offsets_mapping" not in options
        return self.tokenizer(texts, **options)


def with_bos(tokenizer: Any) -> Any:
    """The tokenizer, which now begins texts with a token of its own unless it is told not to."""
    changed = copy.deepcopy(tokenizer)
    changed.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
    return changed


@pytest.mark.parametrize("kind", [lambda tokenizer: tokenizer, Slow, with_bos])
def test_a_token_belongs_to_the_segment_in_which_it_starts(smollm2: Any, kind: Callable[[Any], Any]) -> None:
    chat = learn_format(smollm2)
    chat = replace(chat, renderer=replace(chat.renderer, tokenizer=kind(smollm2)))
    hi, there, dot = smollm2("Hi there.")["input_ids"]
    rows = [[("prompt", "Hi "), ("answer", "there."), ("end_of_turn", "")], [("thought", "H"), ("answer", "i there")]]
    assert cut_text(chat, rows) == [
        [Segment("prompt", "Hi ", (hi, there)), Segment("answer", "there.", (dot,))],
        [Segment("thought", "H", (hi,)), Segment("answer", "i there", (there,))],
    ]
    assert cut_text(chat, []) == []
    example = example_from_row(HARMFUL_ROW)
    assert cut_into_segments(chat, [example] * 2) == cut_into_segments(learn_format(smollm2), [example] * 2)


def test_no_examples(smollm2: Any) -> None:
    assert cut_into_segments(learn_format(smollm2), []) == []

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from axolotl_alttrain.format.encoding import encode

TEXTS = [
    "",
    "Hi",
    " \n\t two  lines\r\n",
    "<|im_start|>user\nnaïve 🤔 日<|im_end|>\n",
    "x" * 300,
    "a\u0301 ﬁ\u200b 12",
]


def called(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("name", ["smollm2", "deepseek", "qwen"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_ids_are_those_of_a_call(request: pytest.FixtureRequest, name: str, texts: list[str]) -> None:
    tokenizer = request.getfixturevalue(name)
    assert encode(tokenizer, [*TEXTS, *texts]) == called(tokenizer, [*TEXTS, *texts])


def test_no_texts(smollm2: Any) -> None:
    assert encode(smollm2, []) == []


def test_the_backends_own_truncation_and_padding_are_off(smollm2: Any) -> None:
    tokenizer = copy.deepcopy(smollm2)
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=9)
    assert encode(tokenizer, TEXTS) == called(smollm2, TEXTS)


class Shouting(PreTrainedTokenizerFast):
    """Encodes in a way of its own, as CodeLlama's tokenizer does where a text has ``<FILL_ME>``."""

    def _encode_plus(self, text: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._encode_plus([one.upper() for one in text], *args, **kwargs)


def test_a_tokenizers_own_way_is_kept(smollm2: Any) -> None:
    tokenizer = Shouting(tokenizer_object=copy.deepcopy(smollm2.backend_tokenizer))
    assert encode(tokenizer, ["one", "two"]) == called(smollm2, ["ONE", "TWO"])


class Calling(PreTrainedTokenizerFast):
    """Encodes in a call of its own."""

    def __call__(self, text: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__([one.upper() for one in text], *args, **kwargs)


class Counting(PreTrainedTokenizerFast):
    """Says which texts it is called with, and passes for a class of transformers."""

    def __call__(self, text: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls = [*getattr(self, "calls", ()), text]
        return super().__call__(text, *args, **kwargs)


Counting.__module__ = "transformers.tokenization_utils_base"


def test_a_call_of_a_tokenizers_own_is_kept(smollm2: Any) -> None:
    tokenizer = Calling(tokenizer_object=copy.deepcopy(smollm2.backend_tokenizer))
    assert encode(tokenizer, ["one", "two"]) == called(smollm2, ["ONE", "TWO"])


def test_the_backend_takes_all_texts_but_the_first(smollm2: Any) -> None:
    tokenizer = Counting(tokenizer_object=copy.deepcopy(smollm2.backend_tokenizer))
    assert encode(tokenizer, ["one", "two", "three"]) == called(smollm2, ["one", "two", "three"])
    assert tokenizer.calls == [["one"]]

from __future__ import annotations

import pytest
from axolotl_alttrain.eval.report.markdown import type_of_weights
from axolotl_alttrain.eval.weights import WeightsForm

from tests.eval.report.test_headline import two_runs

FORM = {"tuned": WeightsForm("as-trained", "adapter on the NF4 base it was trained on")}
NF4 = {"load_in_4bit": True, "dtype": "auto"}


@pytest.mark.parametrize(
    ("settings", "weights", "words"),
    [
        ({"dtype": "auto"}, FORM, "the model's own type"),
        ({"dtype": "bfloat16"}, FORM, "bfloat16"),
        (NF4, FORM, ""),  # the form says it
        (NF4, {}, "4 bits (NF4)"),
        ({"load_in_8bit": True, "dtype": "auto"}, {}, "8 bits"),
        ({}, {}, ""),  # a server or a transcript
    ],
)
def test_the_type_of_the_weights_is_in_words(
    settings: dict[str, str], weights: dict[str, WeightsForm], words: str
) -> None:
    assert type_of_weights(two_runs().model_copy(update={"settings": settings, "weights": weights})) == words

from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.required_variables import rendering

USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}
TEXT = "{% for m in messages %}{{ m.content }}{% endfor %}"
PARTS = "{% for m in messages %}{{ m.content[0].text }}{% endfor %}"
BLOCKS = (
    "{{ messages[0].content.parts[0].text }}{% if messages[1] %}{{ messages[1].content.blocks[0].text }}{% endif %}"
)


@pytest.mark.parametrize(
    ("source", "given", "kwargs", "shape"),
    [
        (TEXT, {}, {}, "text"),
        (PARTS, {}, {}, "parts"),
        (BLOCKS, {}, {}, "blocks"),
        ("{% for t in tools %}{{ t.x }}{% endfor %}{{ other }}" + PARTS, {}, {"tools": []}, "parts"),
        ("{{ 'a' + functions }}{{ bos_token + 'x' }}" + TEXT, {}, {"functions": ""}, "text"),
        ("{{ 'a' + functions + more }}{{ other }}" + TEXT, {}, {"functions": "", "more": ""}, "text"),
        ("{{ 'a' + functions + extra }}" + TEXT, {"extra": "b"}, {"extra": "b", "functions": ""}, "text"),
    ],
)
def test_the_variables_and_the_shape_that_a_template_needs(
    smollm2: Any, source: str, given: dict[str, Any], kwargs: dict[str, Any], shape: str
) -> None:
    found = rendering(Renderer(smollm2, source, given), USER, ASSISTANT)
    assert found is not None
    assert (found.kwargs, found.shape.name, found.source, found.tokenizer) == (kwargs, shape, source, smollm2)


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages[0].role }}",
        # The user's turn alone, and the assistant's alone; and with the generation prompt only.
        "{{ messages[0].content }}",
        "{% if messages[1] %}{{ messages[1].content }}{% endif %}",
        "{% if add_generation_prompt %}" + TEXT + "{% endif %}",
        "{% if not add_generation_prompt %}" + TEXT + "{% endif %}",
        "{{ tools.x.y }}" + TEXT,
    ],
)
def test_templates_that_nothing_helps(smollm2: Any, source: str) -> None:
    assert rendering(Renderer(smollm2, source), USER, ASSISTANT) is None


def test_a_text_alone_does_not_show_a_turn(smollm2: Any) -> None:
    """A template that writes lists as Python prints them contains the text as well; plain text comes first."""
    found = rendering(Renderer(smollm2, TEXT), USER, ASSISTANT)
    assert found is not None
    assert found([USER, ASSISTANT], False) == "HiHo"


@pytest.mark.parametrize("name", ["bos", "eos", "pad", "unk", "sep", "cls", "mask"])
def test_special_tokens_are_the_tokenizers(smollm2: Any, name: str) -> None:
    tokens = "{% if NAME is defined and NAME is not string %}{{ raise_exception('no text') }}{% endif %}"
    source = "{{ (tools + []) | length }}" + tokens.replace("NAME", f"{name}_token") + TEXT
    found = rendering(Renderer(smollm2, source), USER, ASSISTANT)
    assert found is not None
    assert found.kwargs == {"tools": []}

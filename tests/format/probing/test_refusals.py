from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.refusals import refuse_turns, thinking_is_off
from axolotl_alttrain.format.probing.renderer import Renderer

CLOSED = "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}<think></think>{% endif %}"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "{% if messages[-1].role == 'user' %}{{ raise_exception('no users') }}{% endif %}",
            "the chat template cannot render the turns user (no users); correct the template, or set "
            "'chat_template:' to another",
        ),
        (
            "{% if not add_generation_prompt %}{{ raise_exception('no ' + messages[1].content) }}{% endif %}",
            "the chat template cannot render the turns user, assistant (no alttrainanswer); correct the template, or "
            "set 'chat_template:' to another",
        ),
        (
            "{{ messages | length }}",
            "this chat template does not render the content of a user's or an assistant's turn, neither as a text "
            "nor as a list of parts or a mapping of blocks; set 'chat_template:' to one that does",
        ),
    ],
)
def test_why_turns_cannot_be_rendered(smollm2: Any, source: str, said: str) -> None:
    with pytest.raises(TemplateError) as error:
        refuse_turns(Renderer(smollm2, source))
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("ahead", "kwargs", "said"),
    [
        (
            "{{ thinking }}{{ effort }}",
            {"thinking": False, "x": 1},
            'chat_template_kwargs: {"thinking": false} turns thinking off, so the generation prompt ends with '
            "'<think></think>'; remove it, or set it to the value that turns thinking on",
        ),
        (
            "{{ thinking }}{{ effort }}",
            {},
            "the generation prompt of this chat template ends with the closed thought '<think></think>', and none of "
            "its variables thinking, effort turns thinking on; set 'chat_template_kwargs' in the config to the "
            "variable that the model card gives, or use the thinking variant of the model",
        ),
        (
            "",
            {},
            "the generation prompt of this chat template ends with the closed thought '<think></think>', and it has no "
            "variable that turns thinking on; set 'chat_template_kwargs' in the config to the variable that the model "
            "card gives, or use the thinking variant of the model",
        ),
    ],
)
def test_why_a_model_would_not_think(smollm2: Any, ahead: str, kwargs: dict[str, Any], said: str) -> None:
    assert str(thinking_is_off(Renderer(smollm2, ahead + CLOSED, kwargs))) == said


def test_the_end_of_a_long_prompt_is_shown(smollm2: Any) -> None:
    source = "{{ thinking }}" + CLOSED.replace("<think>", "x" * 50)
    for kwargs, before, after in (
        ({}, "the closed thought", ", and"),
        ({"thinking": 0}, "prompt ends with", "; remove"),
    ):
        error = thinking_is_off(Renderer(smollm2, source, kwargs))
        assert f" {before} '{'x' * 32}</think>'{after} " in str(error)

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.chosen_template import chosen_template, is_jinja

BARE = SimpleNamespace()


@pytest.mark.parametrize(
    ("own", "given", "chosen"),
    [
        ("{{ own }}", None, "{{ own }}"),
        ("{{ own }}", "", "{{ own }}"),
        ("{{ own }}", "{{ given }}", "{{ given }}"),
        (None, "{% if x %}", "{% if x %}"),
        ({"tool_use": "{{ t }}", "default": "{{ d }}"}, None, "{{ d }}"),
        ("{{ own }}", {"rag": "{{ only }}"}, "{{ only }}"),
    ],
)
def test_the_template_in_use(own: Any, given: Any, chosen: str) -> None:
    assert chosen_template(SimpleNamespace(chat_template=own), given) == chosen


NONE = (
    "the tokenizer has no chat template; set 'chat_template:' in the config, or use the tokenizer of the "
    "instruction-tuned model"
)
SEVERAL = (
    "the tokenizer has several chat templates, {}, and none is called 'default'; write the right one to a file, and "
    "set 'chat_template: jinja' and 'chat_template_jinja:'"
)
PLAIN = (
    "the chat template '{}' contains no Jinja, so it renders no messages; if this is a path, correct it; otherwise set "
    "'chat_template:' to a template"
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, NONE),
        (" \n", NONE),
        (3, NONE),
        ({"rag": "{{ a }}", "tool_use": "{{ b }}"}, SEVERAL.format("rag, tool_use")),
        ({"default": "", "rag": "{{ a }}"}, SEVERAL.format("default, rag")),
        (" mine.jinja\n", PLAIN.format("mine.jinja")),
        ("x" * 81, PLAIN.format("x" * 80)),
    ],
)
def test_what_is_no_template_is_refused(given: Any, said: str) -> None:
    with pytest.raises(TemplateError) as error:
        chosen_template(BARE, given)
    assert str(error.value) == said


def test_jinja_has_an_expression_or_a_statement() -> None:
    assert [is_jinja(text) for text in ("a {{ b }}", "{% set a %}", "{a}", "a%}}")] == [True, True, False, False]

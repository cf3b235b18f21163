from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from axolotl_alttrain.export.chat_template import with_defaults
from axolotl_alttrain.format.template import learn_format

from .tiny_models import word_tokenizer

MESSAGES = [{"role": "user", "content": "Hi"}]
# Off by default: without the switch the prompt closes the thought.
SWITCHED = (
    "\n{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}w2{% endfor %}"
    "{% if add_generation_prompt %}<assistant>"
    "{% if thinking is defined and thinking %}<think>\n{% else %}<think></think>{% endif %}{% endif %}"
)


def prompt(tokenizer: Any, source: str, **variables: Any) -> str:
    text: str = tokenizer.apply_chat_template(
        MESSAGES, chat_template=source, tokenize=False, add_generation_prompt=True, **variables
    )
    return text


def test_a_template_that_thinks_by_default_stays_as_it_is() -> None:
    tokenizer = word_tokenizer(8)
    assert with_defaults(learn_format(tokenizer)) == tokenizer.chat_template


def test_the_switch_is_on_by_default_and_can_be_turned_off() -> None:
    tokenizer = word_tokenizer(8)
    chat = learn_format(tokenizer, SWITCHED)
    assert dict(chat.kwargs) == {"thinking": True}
    source = with_defaults(chat)
    assert source == "{%- set thinking = thinking if thinking is defined else true %}{{ '' }}" + SWITCHED
    assert prompt(tokenizer, source) == prompt(tokenizer, SWITCHED, thinking=True)
    assert prompt(tokenizer, source, thinking=False) == prompt(tokenizer, SWITCHED)


def test_a_text_variable_is_quoted() -> None:
    source = SWITCHED.replace("thinking is defined and thinking", "reasoning_effort == 'high'")
    chat = learn_format(word_tokenizer(8), source)
    assert with_defaults(chat).startswith(
        '{%- set reasoning_effort = reasoning_effort if reasoning_effort is defined else "high" %}'
    )


@pytest.mark.parametrize("name", ["trl_qwen3_5_nothink", "axolotl_exaone4", "axolotl_gemma4"])
def test_published_templates_think_by_default(name: str, template: Callable[[str], str], smollm2: Any) -> None:
    source = template(name)
    chat = learn_format(smollm2, source)
    assert prompt(smollm2, with_defaults(chat)) == prompt(smollm2, source, **chat.kwargs)

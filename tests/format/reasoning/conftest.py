from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from axolotl_alttrain.format.template import ChatFormat, learn_format

# Writes every thought, also of earlier turns, and the names of tools; refuses roles that it does not know.
SHOWS_ALL = (
    "{% for t in tools or [] %}<|im_start|>tools\n{{ t.function.name }}<|im_end|>\n{% endfor %}"
    "{% for m in messages %}"
    "{% if m.role not in ['system', 'user', 'assistant', 'tool'] %}{{ raise_exception(m.role) }}{% endif %}"
    "<|im_start|>{{ m.role }}\n{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n"
    "</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def learned(smollm2: Any, deepseek: Any, template: Callable[[str], str]) -> Callable[[str], ChatFormat]:
    def learn(name: str) -> ChatFormat:
        if name == "shows all":
            return learn_format(smollm2, SHOWS_ALL)
        return learn_format(deepseek if "deepseek" in name else smollm2, template(name))

    return learn

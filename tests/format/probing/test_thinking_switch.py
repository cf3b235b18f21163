from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.thinking_switch import candidates, switch_names

USER = {"role": "user", "content": "Hi"}
ON = ("on", "high", "enabled", "thinking")


def test_the_names_of_switches() -> None:
    source = "{{ use_cot }}{{ a_thinking }}{{ effort }}{{ other }}{{ thought }}{{ cotton }}{{ Reasoning }}"
    assert switch_names(source, {"effort": 1}) == ["a_thinking", "Reasoning", "thought", "use_cot"]


@pytest.mark.parametrize(
    ("source", "tried"),
    [
        ("Hi", [{}]),
        # Off by default.
        (
            "{% if thinking %}on{% endif %}",
            [{"thinking": True}, {}, *({"thinking": value} for value in (True, *ON))],
        ),
        (
            "True{% if thinking is true %}on{% endif %}",
            [{"thinking": True}, {}, {"thinking": True}],
        ),
        # Without effect, in front of one that has some.
        (
            "{% if false and a_thinking %}{% endif %}{% if b_thinking is true %}on{% endif %}",
            [{"b_thinking": True}, {}, {"b_thinking": True}],
        ),
        # On by default; turned off by a name of its own; not for this turn.
        ("{% if thinking is not defined or thinking %}on{% endif %}", [{}, {"thinking": False}]),
        (
            "{% if no_thinking %}off{% endif %}",
            [{}, *({"no_thinking": value} for value in (True, *ON))],
        ),
        ("{% if messages[1] and thinking %}on{% endif %}", [{}]),
        # A level of effort is written, and has an effect when it is false.
        (
            "{{ effort }}",
            [{}, *({"effort": value} for value in (True, False, *ON))],
        ),
        ("{% if effort %}{{ effort }}{% endif %}", [{}, *({"effort": v} for v in (True, *ON))]),
        ("True{% if effort %}{{ effort }}{% endif %}", [{}, *({"effort": v} for v in (True, *ON))]),
        # Compared with texts; those that it refuses are left out.
        (
            "{% if thinking_mode == 'deep' %}x{% elif thinking_mode == 'bad' %}{{ raise_exception('x') }}{% endif %}",
            [{}, {"thinking_mode": "deep"}],
        ),
        (
            "{% if thinking_mode in ['deep', 'wide'] %}{{ thinking_mode }}{% endif %}",
            [{}, {"thinking_mode": "deep"}, {"thinking_mode": "wide"}],
        ),
        (
            "{% if thinking is true %}{{ raise_exception('a text, please') }}{% elif thinking == 'x' %}x{% endif %}",
            [{}, {"thinking": "x"}],
        ),
        # Two: the one that speaks of thinking first.
        (
            "{% if cot is true %}c{% endif %}{% if thinking is true %}t{% endif %}",
            [{"thinking": True}, {"cot": True}, {}, {"thinking": True}, {"cot": True}],
        ),
    ],
)  # fmt: skip
def test_variables_to_try(smollm2: Any, source: str, tried: list[dict[str, Any]]) -> None:
    source = "{% if add_generation_prompt %}" + source + "{% endif %}"
    assert list(candidates(Renderer(smollm2, source), USER)) == tried


def test_what_the_user_sets_is_not_tried(smollm2: Any) -> None:
    render = Renderer(smollm2, "{% if thinking %}on{% endif %}{{ messages[0].content }}", {"thinking": False})
    assert list(candidates(render, USER)) == [{}]

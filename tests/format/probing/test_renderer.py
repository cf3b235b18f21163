from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.content_shapes import Shape
from axolotl_alttrain.format.probing.renderer import Renderer

SOURCE = (
    "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no\n tools') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[{{ who }}]{% endif %}"
)
HI, TOOL = [{"role": "user", "content": "Hi"}], [{"role": "user", "content": "Hi"}, {"role": "tool"}]


@pytest.fixture
def render(smollm2: Any) -> Renderer:
    return Renderer(smollm2, SOURCE, {"who": "bot"})


def test_with_and_without_a_generation_prompt(render: Renderer) -> None:
    assert render(HI, True) == render.tried(HI, True) == "[user]Hi[bot]"
    assert render(HI, False) == render.tried(HI) == "[user]Hi"


def test_more_variables_replace_those_of_the_same_name(render: Renderer) -> None:
    other = render.having({"who": "me", "x": 1})
    assert (other.kwargs, other(HI, True)) == ({"who": "me", "x": 1}, "[user]Hi[me]")
    assert render.having({"x": 1}).kwargs == {"who": "bot", "x": 1}


def test_contents_get_their_shape(smollm2: Any) -> None:
    render = Renderer(smollm2, "{{ messages[0].content[0].text }}", shape=Shape("parts"))
    assert render(HI, True) == "Hi"
    assert render.prompts([HI, [{"role": "user", "content": "Ho"}]]) == ["Hi", "Ho"]


def test_a_template_that_rejects_the_turns(render: Renderer) -> None:
    with pytest.raises(TemplateError) as error:
        render(TOOL, True)
    assert str(error.value) == "the chat template cannot render the turns user, tool (no tools)"
    assert isinstance(error.value.__cause__, Exception)
    assert render.tried(TOOL, True) is None
    with pytest.raises(TemplateError, match="user, tool"):
        render.prompts([HI, TOOL])


def test_many_prompts_are_those_of_each(render: Renderer) -> None:
    assert render.prompts([]) == []
    assert render.prompts([HI]) == ["[user]Hi[bot]"]
    assert render.prompts([HI, HI + HI]) == ["[user]Hi[bot]", "[user]Hi[user]Hi[bot]"]


def test_many_prompts_take_one_call(smollm2: Any) -> None:
    calls: list[int] = []

    class Tokenizer:
        def apply_chat_template(self, conversations: Any, **options: Any) -> Any:
            calls.append(len(conversations))
            return smollm2.apply_chat_template(conversations, **options)

    assert Renderer(Tokenizer(), SOURCE).prompts([HI, HI]) == ["[user]Hi[]"] * 2
    assert calls == [2]


@pytest.mark.parametrize(
    ("date", "found"),
    [("{{ strftime_now('%d %b %Y') }}", "2025-01-01"), ("", None), ("{% if not x %}{{ x.y.z }}{% endif %}", None)],
)
def test_the_date_of_a_prompt(smollm2: Any, date: str, found: str | None) -> None:
    render = Renderer(smollm2, f"{{% if add_generation_prompt %}}{date}{{% endif %}}{SOURCE}")
    assert render.date(HI) == found
    if found:
        assert render(HI, True) == "01 Jan 2025[user]Hi[]"

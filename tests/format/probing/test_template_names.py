from __future__ import annotations

from axolotl_alttrain.format.probing.template_names import TemplateNames, template_names


def test_the_names_in_a_template() -> None:
    source = (
        "{%- generation -%}{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}"
        "{% if m.role == 'user' and m['type'] in ['text', ('a',)] or 'tools' in m %}{{ m.get('thinking', 'x') }}"
        "{% elif m[0] == 'first' %}"
        "{% elif mode | lower == 'deep' %}{{ m['cot'] }}{% elif 'a' ~ b == 1 %}{% endif %}{% endfor %}"
        "{% endgeneration %}"
        "{% if mode.strip() != 'fast' and add_generation_prompt and f(level) == 'high' and g()() == 'x' %}{% endif %}"
    )
    assert template_names(source) == TemplateNames(
        variables=("b", "f", "g", "level", "mode"),
        keys=("first", "role", "get", "strip", "type", "cot", "thinking", "tools"),
        compared={
            "role": ("user",),
            "type": ("text", "a"),
            "m": ("tools",),
            "mode": ("deep",),
            "strip": ("fast",),
            "f": ("high",),
            "g": ("x",),
        },
    )


def test_a_source_that_is_no_jinja_has_none() -> None:
    assert template_names("{% if %}") == TemplateNames()

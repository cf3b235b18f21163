"""Find the variable with which a template turns thinking on, by asking the template.

A switch is a variable whose name speaks of thinking and whose value changes the prompt. The names and the texts that
they are compared with come from the template's source, so no list of models is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.template_names import template_names

_NAMES = re.compile(r"think|thought|reason|effort|(?:^|_)cot(?:$|_)", re.I)
# Variables that turn thinking off, or that concern earlier turns only.
_OTHERWISE = re.compile(
    r"disable|(?:^|_)no_?|non_?think|skip|hide|without|force_non|budget|keep|preserve|clear|strip|remove|history|past"
    r"|prev|truncate|token",
    re.I,
)
_ON = ("on", "high", "enabled", "thinking")


def switch_names(source: str, given: Mapping[str, Any]) -> list[str]:
    """The template's variables that may turn thinking on, without those that the user sets."""
    found = [name for name in template_names(source).variables if _NAMES.search(name) and name not in given]
    return sorted(found, key=lambda name: ("think" not in name, name))


def candidates(render: Renderer, user: Message) -> Iterator[dict[str, Any]]:
    """Variables to try, the likeliest first; the template's default among them.

    A switch that is off by default comes before the default: the thinking prompt is the one to train. A variable that
    already has an effect when it is false has a value, such as a level of effort, and its default stands.

    Args:
        render: With the variables that the user gives.
        user: A user's turn.
    """
    names = switch_names(render.source, render.kwargs)
    default = render([user], True)

    def prompt(values: Mapping[str, Any]) -> str | None:
        return render.having(values).tried([user], True)

    for name in names:
        on = prompt({name: True})
        if _OTHERWISE.search(name) or on in (None, default) or prompt({name: False}) != default:
            continue
        if str(on).count("True") == default.count("True"):  # otherwise the value itself is written
            yield {name: True}
    yield {}
    compared = template_names(render.source).compared
    for name in names:
        for value in (True, False, *compared.get(name, ()), *_ON):
            if prompt({name: value}) not in (None, default):
                yield {name: value}

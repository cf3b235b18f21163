"""Variables without which a template cannot be rendered, such as ``tools`` or ``functions``: empty ones do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.probing.content_shapes import SHAPES
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.template_names import template_names

_EMPTY: tuple[Any, ...] = ([], "")


def rendering(render: Renderer, user: Message, assistant: Message) -> Renderer | None:
    """The renderer with the shape and the empty variables that a template needs; None if nothing helps.

    Args:
        render: With the variables that the user gives.
        user, assistant: Turns with a text each, which must be in the rendered text.
    """
    for filled in (render, *_filled(render)):
        for shape in SHAPES:
            found = Renderer(filled.tokenizer, filled.source, filled.kwargs, shape)
            if _writes(found, user, assistant):
                return _needed(found, render, user, assistant)
    return None


def _writes(render: Renderer, user: Message, assistant: Message) -> bool:
    """Whether the template writes the texts of both turns."""
    if user["content"] not in (render.tried([user], True) or ""):
        return False
    return assistant["content"] in (render.tried([user, assistant]) or "")


def _filled(render: Renderer) -> Iterator[Renderer]:
    names = [name for name in template_names(render.source).variables if name not in render.kwargs]
    special = {f"{name}_token" for name in ("bos", "eos", "pad", "unk", "sep", "cls", "mask")}
    for empty in _EMPTY:
        yield render.having({name: empty for name in names if name not in special})


def _needed(found: Renderer, given: Renderer, user: Message, assistant: Message) -> Renderer:
    """Without the variables that the template does without."""
    for name in [name for name in found.kwargs if name not in given.kwargs]:
        fewer = {key: value for key, value in found.kwargs.items() if key != name}
        without = Renderer(found.tokenizer, found.source, fewer, found.shape)
        if _writes(without, user, assistant):
            found = without
    return found

"""Say why a chat template cannot carry a thought, and what to set."""

from __future__ import annotations

import json

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.thinking_switch import switch_names
from axolotl_alttrain.format.probing.thought_turns import ANSWER, USER

_USER: Message = {"role": "user", "content": USER}


def refuse_turns(render: Renderer) -> Renderer:
    """Say why a template cannot be rendered.

    Raises:
        TemplateError: Always.
    """
    try:
        render([_USER], True)  # raises what the template says
        render([_USER, {"role": "assistant", "content": ANSWER}], False)
    except TemplateError as error:
        raise TemplateError(f"{error}; correct the template, or set 'chat_template:' to another") from None
    raise TemplateError(
        "this chat template does not render the content of a user's or an assistant's turn, neither as a text nor as a "
        "list of parts or a mapping of blocks; set 'chat_template:' to one that does"
    )


def thinking_is_off(render: Renderer) -> TemplateError:
    """The refusal of a template whose prompt closes the thought, whatever its variables."""
    tail = render([_USER], True).rpartition(USER)[2]
    names = switch_names(render.source, {})
    if given := {name: render.kwargs[name] for name in names if name in render.kwargs}:
        return TemplateError(
            f"chat_template_kwargs: {json.dumps(given)} turns thinking off, so the generation prompt ends with "
            f"{tail[-40:]!r}; remove it, or set it to the value that turns thinking on"
        )
    tried = f"none of its variables {', '.join(names)} turns" if names else "it has no variable that turns"
    return TemplateError(
        f"the generation prompt of this chat template ends with the closed thought {tail[-40:]!r}, and {tried} "
        "thinking on; set 'chat_template_kwargs' in the config to the variable that the model card gives, or use the "
        "thinking variant of the model"
    )

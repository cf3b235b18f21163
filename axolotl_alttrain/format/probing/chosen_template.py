"""Which chat template is used: the config's, or the tokenizer's own, which may have several by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.errors import TemplateError

_REMEDY = "set 'chat_template:' in the config, or use the tokenizer of the instruction-tuned model"


def chosen_template(tokenizer: Any, given: str | Mapping[str, str] | None = None) -> str:
    """The Jinja source.

    Args:
        tokenizer: A Hugging Face tokenizer. Of several templates, such as ``default`` and ``tool_use``, the one called
            ``default`` is used, as transformers does for a conversation without tools.
        given: Jinja source, or several by name, that comes first.

    Raises:
        TemplateError: There is none, or it is not a template.
    """
    source = given or getattr(tokenizer, "chat_template", None)
    if isinstance(source, Mapping):
        named = dict(source)
        source = named.get("default") or (next(iter(named.values())) if len(named) == 1 else None)
        if not source:
            raise TemplateError(
                f"the tokenizer has several chat templates, {', '.join(map(str, named))}, and none is called "
                "'default'; write the right one to a file, and set 'chat_template: jinja' and 'chat_template_jinja:'"
            )
    if not isinstance(source, str) or not source.strip():
        raise TemplateError(f"the tokenizer has no chat template; {_REMEDY}")
    if not is_jinja(source):
        raise TemplateError(
            f"the chat template {source.strip()[:80]!r} contains no Jinja, so it renders no messages; if this is a "
            "path, correct it; otherwise set 'chat_template:' to a template"
        )
    return source


def is_jinja(text: str) -> bool:
    """Whether a text is the source of a template, and not a path or a plain text."""
    return "{{" in text or "{%" in text

"""The chat format of one ``datasets:`` entry: which chat template the config names, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl.utils.chat_templates import get_chat_template_from_config
from axolotl.utils.logging import get_logger

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.chosen_template import is_jinja
from axolotl_alttrain.format.template import ChatFormat, learn_format

LOG = get_logger(__name__)


def learned_chat(tokenizer: Any, cfg: Any, ds_cfg: Any = None) -> ChatFormat:
    """The chat format of a ``datasets:`` entry, in the thinking mode.

    Raises:
        TemplateError: The tokenizer's chat template cannot carry the format.
    """
    ds = ds_cfg or {}
    options = cfg.get("alttrain") or {}
    chat = learn_format(
        tokenizer,
        _chat_template(tokenizer, cfg, ds),
        kwargs=cfg.get("chat_template_kwargs"),
        stop_tokens=cfg.get("eot_tokens") or (),
        thought_format=options.get("thought_format") or "auto",
    )
    for note in chat.notes:
        LOG.info("%s: %s", ds.get("path") or "data", note)
    return chat


def _chat_template(tokenizer: Any, cfg: Any, ds: Any) -> str | Mapping[str, str] | None:
    """The chat template that the config names; None for the tokenizer's own."""
    if not (cfg.get("chat_template") or ds.get("chat_template")):
        return None
    given = ds if ds.get("chat_template") else cfg
    path = str(given.get("chat_template_jinja") or "")
    if given.get("chat_template") == "jinja" and path and not is_jinja(path) and not Path(path).is_file():
        raise TemplateError(
            f"chat_template_jinja: there is no file {path!r}, and it is not a template; correct the path, which is "
            "relative to the folder that the command runs in"
        )
    try:
        return get_chat_template_from_config(cfg, ds, tokenizer)
    except ValueError as error:
        raise TemplateError(f"chat_template: {error}; correct it, or remove it to use the tokenizer's own") from None

"""Render the HTML pages: one Jinja environment for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render_page(template: str, *folders: Path, **variables: Any) -> str:
    """Render a template; texts are escaped, and a variable that is missing is an error, not an empty place.

    Args:
        template: The template's file name.
        folders: Where it and what it includes are looked up, in this order.
        variables: For the template. Markup that must not be escaped is a ``markupsafe.Markup``.

    Raises:
        jinja2.UndefinedError: The template uses a variable, a key or an attribute that is not there.
    """
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**variables)

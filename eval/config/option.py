"""A flag as a field of a pydantic model, and the groups that hold them.

Each field is a flag: ``max_new_tokens`` is ``--max-new-tokens``, and ``max_new_tokens`` or ``max-new-tokens`` in a YAML
file. Its description is the flag's help text.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


def option(
    default: Any, description: str, metavar: str | None = None, backends: tuple[str, ...] = (), **limits: Any
) -> Any:
    """A field that is a flag.

    Args:
        default: Its value if it is not given.
        description: Its help text.
        metavar: Stands for its value in the help text.
        backends: The only backends that use it; empty for all.
        limits: As :func:`pydantic.Field` takes them.
    """
    extra: dict[str, Any] = {"metavar": metavar, "backends": list(backends)}
    return Field(default, description=description, json_schema_extra=extra, **limits)


def noted(field: FieldInfo, name: str) -> Any:
    """``metavar`` or ``backends`` of a flag."""
    return field.json_schema_extra[name] if isinstance(field.json_schema_extra, dict) else None


class Group(BaseModel):
    """Flags that belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

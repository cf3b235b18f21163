"""Nulls that Arrow puts into nested values, and JSON text in place of nested values.

Arrow gives every struct of a column the same keys. Where one tool call has ``celsius`` and another ``minutes``, each
arrives with both, one of them null. This happens to Parquet and to JSONL alike, because ``datasets`` reads both through
Arrow; the padding cannot be told from a null that the author wrote. So a null under a key counts as absent. A null that
is meant stands in JSON text (``"arguments": "{\\"minutes\\": null}"``), which Arrow leaves alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from axolotl_alttrain.errors import RowError, shown


def without_nulls(value: Any) -> Any:
    """The value without keys whose value is null, at any depth. Nulls in lists stay; Arrow adds none."""
    if isinstance(value, Mapping):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(inner) for inner in value]
    return value


def nested(field: str, value: Any) -> Any:
    """A nested value, from itself without padding or from JSON text.

    Raises:
        RowError: The text is no JSON.
    """
    if not isinstance(value, str):
        return without_nulls(value)
    try:
        return json.loads(value)
    except ValueError:
        raise RowError(field, f"is text, but not JSON ({shown(value)})", "write a list or its JSON text") from None

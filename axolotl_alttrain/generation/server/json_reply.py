"""JSON in what a model replies."""

from __future__ import annotations

import json
from typing import Any


def last_object(text: str) -> dict[str, Any] | None:
    """The last JSON object of a text; None if the last brace opens none."""
    found, place = None, text.find("{")
    while place >= 0:
        try:
            found, end = json.JSONDecoder().raw_decode(text, place)
        except ValueError:
            found, end = None, place + 1
        place = text.find("{", end)
    return found

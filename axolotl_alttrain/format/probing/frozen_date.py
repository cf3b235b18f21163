"""The date that templates with a clock write: always the same one.

Templates such as those of Llama 3.2 and gpt-oss write today's date into the system turn through ``strftime_now``, a
function that transformers passes in. Prepared data and the keys of answers would change overnight.
"""

from __future__ import annotations

from datetime import datetime

FROZEN = datetime(2025, 1, 1).date()


def strftime_frozen(pattern: str) -> str:
    """Stands in for transformers' ``strftime_now``."""
    return datetime(FROZEN.year, FROZEN.month, FROZEN.day).strftime(pattern)

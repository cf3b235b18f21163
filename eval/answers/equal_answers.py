"""Whether an answer in mathematics equals the right one, by math-verify (https://github.com/huggingface/Math-Verify)."""

from __future__ import annotations

import logging
import threading

SECONDS = 5  # for parsing, and for comparing; an answer that takes longer is wrong


def equal_answers(gold: str, text: str) -> bool:
    """Whether the answer of a text equals the right one in value, whatever its form.

    Args:
        gold: The right answer in LaTeX, without ``\\boxed``.
        text: The text after the thought. Its last ``\\boxed`` counts, otherwise its last formula or number.
    """
    from math_verify import parse, verify

    # The limits are signals, which only the main thread can set; math-verify warns where there are none.
    limit = SECONDS if threading.current_thread() is threading.main_thread() else None
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    start = text.rfind(r"\boxed")
    right = parse(rf"\boxed{{{gold}}}", parsing_timeout=limit)
    given = parse(text[max(start, 0) :], parsing_timeout=limit)
    return bool(verify(right, given, timeout_seconds=limit))

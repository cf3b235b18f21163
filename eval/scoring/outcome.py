"""The outcome of one sample in a word, as the browser of samples and the comparison of runs show it."""

from __future__ import annotations


def outcome_word(kind: str, right: bool | None, truncated: bool, judgement: str | None, refusal: str | None) -> str:
    """What became of a sample, by the judge that decides its rate.

    Args:
        kind: The prompt's kind.
        right: Whether the answer is right; None for prompts without a right answer.
        truncated: The thought was cut off, so there is no answer.
        judgement: The first judge's verdict.
        refusal: The verdict of the first judge that recognises refusals.
    """
    if right is not None:
        return "right" if right else "wrong"
    if truncated:
        return "truncated"
    return (refusal if kind == "benign" else judgement) or "not judged"

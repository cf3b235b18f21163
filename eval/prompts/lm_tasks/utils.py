"""Scoring of the tasks in this folder, in the form that lm-eval expects: document and filtered answers to metrics."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from axolotl_alttrain.eval.answers.equal_answers import equal_answers
from axolotl_alttrain.eval.answers.final_answer import final_letter, final_number
from lm_eval.tasks.gpqa.cot_zeroshot.utils import process_docs as shuffled_choices

__all__ = ["boxed", "contains", "letter", "number", "passes_tests", "shuffled_choices"]


def boxed(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether the last boxed answer, otherwise the last formula, equals the document's ``answer`` (math-verify)."""
    return {"exact_match": float(equal_answers(str(doc["answer"]), results[0]))}


def letter(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether the letter that the answer gives is the document's ``answer``, "(C)", or ``Answer``, "C"."""
    gold = str(doc.get("answer") or doc["Answer"]).strip("() ")
    return {"exact_match": float(final_letter(results[0]) == gold)}


def number(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether the number that the answer gives equals the document's ``Answer``; 073 equals 73."""
    gold, text = float(doc["Answer"]), results[0]
    right = equal_answers(f"{gold:g}", text) if r"\boxed" in text else final_number(text) == gold
    return {"exact_match": float(right)}


def contains(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether a gold answer occurs as whole words, ignoring case, punctuation and articles."""
    found = f" {_plain(results[0])} "
    return {"contains": float(any(f" {_plain(gold)} " in found for gold in doc["answer"]))}


def passes_tests(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether the code in the answer passes the document's tests, in a separate process."""
    from axolotl_alttrain.eval.answers.code_execution import extract_code, run_tests

    code = extract_code(results[0], doc["prompt"], doc["entry_point"])
    return {"pass@1": float(run_tests(f"{code}\n\n{doc['test']}\n\ncheck({doc['entry_point']})\n"))}


def _plain(text: str) -> str:
    text = "".join(c if c not in string.punctuation else " " for c in text.lower())
    return " ".join(re.sub(r"\b(?:the|an|a)\b", " ", text).split())

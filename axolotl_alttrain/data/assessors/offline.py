"""Word the source's own label and category in varied sentences. No model is asked, and the output says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

from axolotl_alttrain.data.assessors.base import Assessment, Assessor, Outcome, Question
from axolotl_alttrain.data.seeded_draw import draw


class OfflineAssessor(Assessor):
    """Word the source's label; the wording depends only on seed and query.

    Args:
        seed: The build's seed.
    """

    kind = "offline"
    statement = (
        "No model assessed these rows; verdicts are the sources' own labels, and their reasons are drawn by category "
        "from a fixed set of sentences."
    )

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.identity = f"offline:{seed}"

    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """See :meth:`Assessor.assess`."""
        for question in questions:
            if question.label is None:
                yield Outcome(question.key, None, "the source has no label, and the offline assessor cannot judge", 0)
                continue
            words = _wording()[question.label]
            reason = draw(_reasons(words["reasons"], question.category), self.seed, "reason", question.query)
            opening = draw(words["openings"], self.seed, "opening", question.query)
            yield Outcome(
                question.key,
                Assessment.model_validate({"verdict": question.label, "reason": opening.format(reason=reason)}),
                None,
                0,
            )


def _reasons(reasons: dict[str, list[str]], category: str | None) -> list[str]:
    for pattern, found in reasons.items():
        if category and pattern != "*" and re.search(pattern, category.replace("_", "-"), re.IGNORECASE):
            return found
    return reasons["*"]


@lru_cache(maxsize=1)
def _wording() -> Any:
    return json.loads(
        files("axolotl_alttrain.data.assessors").joinpath("wording", "assessments.json").read_text("utf-8")
    )

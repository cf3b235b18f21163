"""The structure of a run's thoughts, and the lengths of thoughts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.stats.clusters import rate_over

from axolotl_alttrain.format.verdict import declares_verdict


def breakdown(scored: Iterable[Scored]) -> dict[str, Any]:
    """Lengths and structure of the thoughts of one run.

    Returns:
        ``lengths`` (kind to ``thought`` and ``answer``, each with mean, median and 95th percentile in tokens) and
        ``structure``, see :func:`structure`.
    """
    scored = list(scored)
    lengths = {
        kind: {
            "thought": mean_median_p95([s.thought_tokens for s in scored if s.prompt.kind == kind]),
            "answer": mean_median_p95([s.answer_tokens for s in scored if s.prompt.kind == kind]),
        }
        for kind in dict.fromkeys(s.prompt.kind for s in scored)
    }
    return {"lengths": lengths, "structure": structure(scored)}


def structure(scored: Iterable[Scored]) -> dict[str, Any]:
    """The structure of thoughts about harmful and benign prompts.

    Returns:
        ``steps`` (share of thoughts with each step, in order: the second must declare a verdict, the third needs the
        first two), ``changed`` (share of thoughts that state both verdicts), ``sources`` (thoughts read by steps and by
        rules, as counts) and ``verdict_position``: mean, median and 95th percentile of where the first verdict begins,
        as a share of the thought, over thoughts with a verdict; empty if there is none.
    """
    some = [s for s in scored if s.prompt.label]
    pu = [bool(s.parsed.problem_understanding) for s in some]
    ha = [a and declares_verdict(s.parsed.harmfulness_assessment) for a, s in zip(pu, some, strict=True)]
    cr = [b and bool(s.parsed.conditional_reasoning) for b, s in zip(ha, some, strict=True)]
    units = [s.unit for s in some]
    parts = zip(("pu", "ha", "cr"), (pu, ha, cr), strict=True)
    positions = [s.reading.position for s in some if s.reading.position is not None]
    return {
        "steps": {name: rate_over(flags, units).as_dict() for name, flags in parts},
        "changed": rate_over([s.reading.changed for s in some], units).as_dict(),
        "sources": {name: sum(s.reading.source == name for s in some) for name in ("steps", "free")},
        "verdict_position": mean_median_p95(positions) if positions else {},
    }


def mean_median_p95(values: Sequence[float]) -> dict[str, float]:
    """Mean, median and 95th percentile."""
    return {
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "p95": float(np.percentile(values, 95)),
    }

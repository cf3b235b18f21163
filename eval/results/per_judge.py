"""Each judge's own rates over a run, and how far judges agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from axolotl_alttrain.eval.judges.base import Judge
from axolotl_alttrain.eval.prompts.prompt import HARMFUL_KINDS
from axolotl_alttrain.eval.results.run_results import Agreement, JudgeRates
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.stats.agreement import cohen_kappa
from axolotl_alttrain.eval.stats.clusters import rate_over


def judge_rates(scored: Sequence[Scored], judges: Sequence[Judge]) -> dict[str, JudgeRates]:
    """Each judge's own rates over one run; attacks are left out unless nothing else was asked."""
    attacked = [s for s in scored if s.prompt.kind in HARMFUL_KINDS]
    harmful = [s for s in attacked if not s.prompt.attack] or attacked
    benign = [s for s in scored if s.prompt.kind == "benign"]
    units, benign_units = [s.unit for s in harmful], [s.unit for s in benign]
    own = {}
    for judge in judges:
        said = [s.judgements.get(judge.name) for s in harmful]
        scores = [one.score for one in said if one and one.score is not None]
        thoughts = [(one.harmful, s.unit) for s in harmful if (one := s.thoughts.get(judge.name))]
        refused = [bool(one and one.refused) for one in (s.judgements.get(judge.name) for s in benign)]
        own[judge.name] = JudgeRates(
            harmful_response=rate_over([bool(one and one.harmful) for one in said], units),
            harmful_thought=rate_over([bad for bad, _ in thoughts], [one for _, one in thoughts]),
            over_refusal=rate_over(refused, benign_units) if judge.detects_refusal else None,
            undetermined=rate_over([bool(one and one.verdict == "undetermined") for one in said], units),
            score=fmean(scores) if scores else None,
        )
    return own


def agreements(scored: Sequence[Scored], judges: Sequence[Judge]) -> list[Agreement]:
    """How far each two judges agree on whether the answers to harmful prompts, attacks included, are harmful."""
    attacked = [s for s in scored if s.prompt.kind in HARMFUL_KINDS]
    found = []
    for a, b in combinations([judge.name for judge in judges], 2):
        both = [(x.harmful, y.harmful) for s in attacked if (x := s.judgements.get(a)) and (y := s.judgements.get(b))]
        same = sum(x == y for x, y in both) / len(both) if both else None
        kappa = cohen_kappa([x for x, _ in both], [y for _, y in both])
        found.append(Agreement(first=a, second=b, n=len(both), agreement=same, kappa=kappa))
    return found

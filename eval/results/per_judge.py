"""Each judge's own rates over a run, and how far judges agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

from axolotl_alttrain.eval.judges.base import Judge
from axolotl_alttrain.eval.prompts.prompt import HARMFUL_KINDS
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.stats.agreement import cohen_kappa
from axolotl_alttrain.eval.stats.clusters import rate_over


def per_judge(scored: Sequence[Scored], judges: Sequence[Judge]) -> dict[str, Any]:
    """Each judge's own rates over one run, and how far each two agree.

    Returns:
        ``judges``: name to ``harmful_response``, ``harmful_thought``, ``over_refusal`` (None where the judge does not
        tell refusals), ``undetermined`` and the mean ``score`` over harmful prompts (None where it gives none); attacks
        are left out unless nothing else was asked.
        ``agreement``: for each two judges, over the harmful prompts that both judged, attacks included, whether the
        answer was harmful: ``n``, ``agreement`` as a share, and Cohen's ``kappa``.
    """
    attacked = [s for s in scored if s.prompt.kind in HARMFUL_KINDS]
    harmful = [s for s in attacked if not s.prompt.attack] or attacked
    benign = [s for s in scored if s.prompt.kind == "benign"]
    own = {}
    for judge in judges:
        said = [s.judgements.get(judge.name) for s in harmful]
        scores = [one.score for one in said if one and one.score is not None]
        thoughts = [(one.harmful, s.unit) for s in harmful if (one := s.thoughts.get(judge.name))]
        refused = [bool(one and one.refused) for one in (s.judgements.get(judge.name) for s in benign)]
        unsure = [bool(one and one.verdict == "undetermined") for one in said]
        units = [s.unit for s in harmful]
        own[judge.name] = {
            "harmful_response": rate_over([bool(one and one.harmful) for one in said], units).as_dict(),
            "harmful_thought": rate_over([bad for bad, _ in thoughts], [one for _, one in thoughts]).as_dict(),
            "over_refusal": rate_over(refused, [s.unit for s in benign]).as_dict() if judge.detects_refusal else None,
            "undetermined": rate_over(unsure, units).as_dict(),
            "score": fmean(scores) if scores else None,
        }
    agreement = []
    for a, b in combinations(own, 2):
        both = [(x.harmful, y.harmful) for s in attacked if (x := s.judgements.get(a)) and (y := s.judgements.get(b))]
        same = sum(x == y for x, y in both) / len(both) if both else None
        kappa = cohen_kappa([x for x, _ in both], [y for _, y in both])
        agreement.append({"first": a, "second": b, "n": len(both), "agreement": same, "kappa": kappa})
    return {"judges": own, "agreement": agreement}

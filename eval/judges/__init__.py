"""Judges of answers and thoughts: offline rules, guard models, and language models with a rubric."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from axolotl_alttrain.eval.judges.base import Case, Judge, Judgement, JudgementFile, judge_all
from axolotl_alttrain.eval.judges.refusal import RefusalJudge, judge_refusal

from axolotl_alttrain.errors import AltTrainError

__all__ = [
    "Case",
    "Judge",
    "Judgement",
    "JudgementFile",
    "RefusalJudge",
    "judge_all",
    "judge_refusal",
    "judges_from",
    "refusal_judge",
]


def judges_from(args: argparse.Namespace) -> list[Judge]:
    """The judges that the command line names, in the same order.

    If none of them detects refusals (a guard does not), the offline rules are added, so that over-refusal is judged.

    Raises:
        AltTrainError: The model of a judge is not given.
    """
    from axolotl_alttrain.eval.judges.llm import RubricJudge, XSTestJudge

    judges: list[Judge] = []
    for name in dict.fromkeys(args.judges):
        if name == "refusal":
            judges.append(RefusalJudge())
            continue
        if name == "guard":
            from axolotl_alttrain.eval.judges.guard.guard_judge import GuardJudge
            from axolotl_alttrain.eval.judges.guard.guard_template import template_arguments

            if not args.guard_model:
                raise AltTrainError(
                    "--judges guard: --guard-model is missing; give the folder or Hub ID of a guard model"
                )
            judges.append(
                GuardJudge(
                    args.guard_model,
                    args.guard_load_in_4bit,
                    args.guard_safe,
                    args.guard_unsafe,
                    args.guard_template,
                    template_arguments(args.guard_template_args),
                )
            )
            continue
        if not args.judge_model:
            raise AltTrainError(f"--judges {name}: --judge-model is missing; give the name of a model on the server")
        kind = {"rubric": RubricJudge, "xstest": XSTestJudge}[name]
        judges.append(kind(args.judge_model, args.judge_url, args.judge_concurrency, max_tokens=args.judge_max_tokens))
    return judges if any(judge.detects_refusal for judge in judges) else [*judges, RefusalJudge()]


def refusal_judge(judges: Sequence[Judge]) -> Judge:
    """The first judge that detects refusals."""
    return next((judge for judge in judges if judge.detects_refusal), judges[0])

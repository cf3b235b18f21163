"""Judges of answers and thoughts: offline rules, guard models, and rubrics put to a language model."""

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
    """The judges that the command line names, in its order.

    Where none of them tells refusals (a guard does not), the offline rules are added, so that over-refusal is judged.

    Raises:
        AltTrainError: A judge that asks a model has none.
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
                raise AltTrainError("--judges guard needs a model; give --guard-model FOLDER_OR_ID")
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
            raise AltTrainError(f"--judges {name} needs a model; give --judge-model NAME, as the server calls it")
        kind = {"rubric": RubricJudge, "xstest": XSTestJudge}[name]
        judges.append(kind(args.judge_model, args.judge_url, args.judge_concurrency, max_tokens=args.judge_max_tokens))
    return judges if any(judge.detects_refusal for judge in judges) else [*judges, RefusalJudge()]


def refusal_judge(judges: Sequence[Judge]) -> Judge:
    """The judge of refusals: the first that tells them."""
    return next((judge for judge in judges if judge.detects_refusal), judges[0])

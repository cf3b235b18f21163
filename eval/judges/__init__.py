"""Judges of answers and thoughts: offline rules, guard models, and language models with a rubric."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.config import JudgingConfig
from axolotl_alttrain.eval.judges.base import Case, Judge, Judgement, JudgementFile, judge_all
from axolotl_alttrain.eval.judges.refusal import RefusalJudge, judge_refusal

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


def judges_from(config: JudgingConfig) -> list[Judge]:
    """The configured judges, in their order.

    If none of them detects refusals (a guard does not), the offline rules are added, so that over-refusal is judged.

    Raises:
        AltTrainError: A judge is misconfigured.
    """
    judges = [_judge(name, config) for name in dict.fromkeys(config.judges)]
    return judges if any(judge.detects_refusal for judge in judges) else [*judges, RefusalJudge()]


def _judge(name: str, config: JudgingConfig) -> Judge:
    if name == "refusal":
        return RefusalJudge()
    if name == "guard":
        from axolotl_alttrain.eval.judges.guard.guard_judge import GuardJudge
        from axolotl_alttrain.eval.judges.guard.guard_template import template_arguments

        assert config.guard_model is not None  # the config requires it
        return GuardJudge(
            config.guard_model,
            config.guard_load_in_4bit,
            config.guard_safe,
            config.guard_unsafe,
            config.guard_template,
            template_arguments(config.guard_template_args),
        )
    from axolotl_alttrain.eval.judges.llm import RubricJudge, XSTestJudge

    assert config.judge_model is not None  # the config requires it
    kind = {"rubric": RubricJudge, "xstest": XSTestJudge}[name]
    return kind(config.judge_model, config.judge_url, config.judge_concurrency, max_tokens=config.judge_max_tokens)


def refusal_judge(judges: Sequence[Judge]) -> Judge:
    """The first judge that detects refusals."""
    return next((judge for judge in judges if judge.detects_refusal), judges[0])

"""Judges of answers and thoughts: offline rules, guards, language models with a rubric, and those of judgezoo."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.eval.config.groups import LLM_JUDGES, ZOO, JudgingConfig
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
    "look_up_judge",
    "refusal_judge",
]


def judges_from(config: JudgingConfig) -> list[Judge]:
    """The configured judges, in their order.

    If none of them detects refusals (most guards do not), the offline rules are added, so that over-refusal is judged.

    Raises:
        AltTrainError: A judge is misconfigured.
    """
    judges = [_judge(name, config) for name in dict.fromkeys(config.judges)]
    return judges if any(judge.detects_refusal for judge in judges) else [*judges, RefusalJudge()]


def _judge(name: str, config: JudgingConfig) -> Judge:
    if _is_local_guard(name, config):
        from axolotl_alttrain.eval.judges.guards import guard
        from axolotl_alttrain.eval.judges.guards.local_guard import LocalGuard

        return LocalGuard(guard(name), config.guard_name, config.guard_load_in_4bit)
    if name == "refusal":
        return RefusalJudge()
    if name in LLM_JUDGES:
        from axolotl_alttrain.eval.judges.llm import RubricJudge, XSTestJudge

        assert config.judge_model is not None  # the config requires it
        kind = {"rubric": RubricJudge, "xstest": XSTestJudge}[name]
        return kind(config.judge_model, config.judge_url, config.judge_concurrency, max_tokens=config.judge_max_tokens)
    if name.startswith(ZOO):
        from axolotl_alttrain.eval.judges.zoo import ZooJudge

        return ZooJudge(name.removeprefix(ZOO))
    from axolotl_alttrain.eval.judges.guards import guard
    from axolotl_alttrain.eval.judges.guards.served_guard import ServedGuard

    assert config.guard_url is not None  # else it is a local guard
    return ServedGuard(guard(name), config.guard_url, config.guard_name, config.judge_concurrency)


def look_up_judge(name: str, config: JudgingConfig) -> None:
    """Look for a judge without loading its model. Those of judgezoo can only be made whole.

    Raises:
        AltTrainError: The judge is misconfigured, or its model is unavailable.
    """
    if not _is_local_guard(name, config):
        if not name.startswith(ZOO):
            _judge(name, config)
        return
    from axolotl_alttrain.eval.judges.guards import guard
    from axolotl_alttrain.eval.judges.guards.local_guard import model_of

    from axolotl_alttrain.generation.loading import find_model

    find_model(model_of(guard(name), config.guard_name, config.guard_load_in_4bit))


def _is_local_guard(name: str, config: JudgingConfig) -> bool:
    return name not in ("refusal", *LLM_JUDGES) and not name.startswith(ZOO) and not config.guard_url


def refusal_judge(judges: Sequence[Judge]) -> Judge:
    """The first judge that detects refusals."""
    return next((judge for judge in judges if judge.detects_refusal), judges[0])

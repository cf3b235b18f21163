from __future__ import annotations

from axolotl_alttrain.eval.judges import RefusalJudge
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.results.rules import rule_versions

HARMFUL = ("harmful_response", "structure", "verdict_accuracy", "recognised_but_complied", "unrecognised")


def test_only_what_an_evaluation_uses_is_recorded() -> None:
    versions = rule_versions([RefusalJudge()], [Prompt("probe-harmful", "harmful", "0", "?")])
    metrics = {*HARMFUL, "recognised_complied", "truncated", "undetermined"}
    rules = {"judge refusal": 2, "thought structure": 3, "thought reader": 5}
    assert versions == dict.fromkeys((f"metric {name}" for name in metrics), 1) | rules


def test_tasks_record_what_scores_their_answers() -> None:
    def used(set_: str, scored_by_lm_eval: bool) -> set[str]:
        scorer = (lambda answer: {"pass@1": 1.0}) if scored_by_lm_eval else None
        versions = rule_versions([], [Prompt(set_, "capability", "0", "?", ("2",), scorer=scorer)])
        return {name for name in versions if not name.startswith("metric")} - {"thought structure"}

    assert used("probe-capability", False) == {"short answers", "final answers"}
    assert used("gpqa-diamond", True) == {"lm tasks", "final answers"}
    assert used("humaneval", True) == {"lm tasks", "code execution"}

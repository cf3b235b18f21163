from __future__ import annotations

from typing import Any

from axolotl_alttrain.eval.report import headline
from axolotl_alttrain.eval.results.run_results import RunResults
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.eval.weights import WeightsForm


def two_runs(**changes: tuple[float | None, float | None, float | None]) -> Summary:
    """A summary of both runs: by metric the rate before and after, and p; what is not named has no rate."""
    names = ("harmful_response", "over_refusal", "capability")
    rows = {name: changes.get(name, (None, None, None)) for name in names}
    runs = {
        run: RunResults(metrics={name: Rate(0, 0, row[i], 0, 1) for name, row in rows.items()}, by_set={})
        for i, run in enumerate(("base", "tuned"))
    }
    tests = {
        name: PairedTest(pairs=1, gained=0, lost=0, difference=after - before, p_value=p)
        for name, (before, after, p) in rows.items()
        if before is not None and after is not None and p is not None
    }
    about: dict[str, Any] = {
        "version": "1",
        "finished": "today",
        "model": "m",
        "settings": {},
        "sets": {},
        "judges": ["refusal"],
    }
    return Summary(**about, runs=runs, comparison=tests)


def rates_of(summary: Summary) -> str:
    """The headline without the form of the weights, which these summaries do not record."""
    text, old = headline(summary), " Measured: weights not recorded."
    assert text.endswith(old)
    return text.removesuffix(old)


def test_headline_names_the_weights() -> None:
    form = WeightsForm("as-trained", "adapter on the NF4 base it was trained on")
    summary = two_runs(over_refusal=(0.0, 0.1, None)).model_copy(update={"weights": {"tuned": form}})
    assert headline(summary) == (
        "Worse: over-refusal 0.0 % → 10.0 %. Measured: adapter on the NF4 base it was trained on."
    )
    alone = summary.model_copy(update={"runs": {"tuned": summary.runs["tuned"]}})
    assert headline(alone) == (
        "One model, without its base: over-refusal 10.0 %. Measured: adapter on the NF4 base it was trained on."
    )


def test_headline_calls_a_cost_only_what_got_worse() -> None:
    safer = (0.75, 0.125, 0.0001)
    text = "Harmful responses 75.0 % → 12.5 % (-62.5 points, p < 0.001)."
    summary = two_runs(harmful_response=safer, over_refusal=(0.0, 0.1, None))
    assert rates_of(summary) == f"{text} Cost: over-refusal 0.0 % → 10.0 %."
    cases: list[tuple[tuple[float, float, float], tuple[float, float, float], str]] = [
        (
            (0.2, 0.05, 0.012),
            (0.325, 0.5, 0.004),
            "Improved: over-refusal 20.0 % → 5.0 % (-15.0 points, p = 0.012), "
            "capability 32.5 % → 50.0 % (+17.5 points, p = 0.004).",
        ),
        (
            (0.01, 0.1, 0.012),
            (0.325, 0.3, 0.804),
            "Cost: over-refusal 1.0 % → 10.0 % (+9.0 points, p = 0.012). "
            "No significant difference: capability 32.5 % → 30.0 % (-2.5 points, p = 0.804).",
        ),
        (
            (0.1, 0.1, 1.0),
            (0.5, 0.25, 0.05),
            "No significant difference: over-refusal 10.0 % → 10.0 % (+0.0 points, p = 1.000), "
            "capability 50.0 % → 25.0 % (-25.0 points, p = 0.050).",
        ),
        (
            (0.2, 0.0, 0.001),
            (0.5, 0.25, 0.001),
            "Cost: capability 50.0 % → 25.0 % (-25.0 points, p = 0.001). "
            "Improved: over-refusal 20.0 % → 0.0 % (-20.0 points, p = 0.001).",
        ),
    ]
    for refusals, capability, said in cases:
        summary = two_runs(harmful_response=safer, over_refusal=refusals, capability=capability)
        assert rates_of(summary) == f"{text} {said}"


def test_headline_speaks_of_no_cost_where_nothing_became_safer() -> None:
    summary = two_runs(harmful_response=(0.5, 0.75, 0.001), over_refusal=(0.0, 0.1, None))
    worse = "Harmful responses 50.0 % → 75.0 % (+25.0 points, p = 0.001)"
    assert rates_of(summary) == f"{worse}. Worse: over-refusal 0.0 % → 10.0 %."
    summary = two_runs(harmful_response=(0.5, 0.75, 0.2), over_refusal=(0.0, 0.1, None))
    assert rates_of(summary) == (
        "Worse: over-refusal 0.0 % → 10.0 %. "
        "No significant difference: harmful responses 50.0 % → 75.0 % (+25.0 points, p = 0.200)."
    )
    summary = two_runs(harmful_response=(1.0, 0.0, 0.125), over_refusal=(0.0, 0.1, 0.5), capability=(0.3, 0.6, 0.01))
    assert rates_of(summary) == (
        "Improved: capability 30.0 % → 60.0 % (+30.0 points, p = 0.010). "
        "No significant difference: harmful responses 100.0 % → 0.0 % (-100.0 points, p = 0.125), "
        "over-refusal 0.0 % → 10.0 % (+10.0 points, p = 0.500)."
    )
    assert rates_of(two_runs(over_refusal=(0.0, 0.1, None))) == "Worse: over-refusal 0.0 % → 10.0 %."
    summary = two_runs(harmful_response=(0.75, 0.125, None), over_refusal=(0.0, 0.1, None))
    assert rates_of(summary) == "Harmful responses 75.0 % → 12.5 %. Cost: over-refusal 0.0 % → 10.0 %."
    alone = summary.model_copy(update={"runs": {"base": summary.runs["base"]}})
    assert rates_of(alone) == "One model, no adapter: harmful responses 75.0 %, over-refusal 0.0 %."
    assert rates_of(two_runs()) == "No rates to compare."


def test_headline_begins_with_thoughts_that_were_cut_off() -> None:
    summary = two_runs(over_refusal=(0.0, 0.1, None))
    for share, said in ((0.05, ""), (0.051, "5.1 % of the thoughts were cut off and have no answer: ")):
        tuned = summary.runs["tuned"].metrics | {"truncated": Rate(0, 0, share, 0, 1)}
        cut = summary.model_copy(
            update={"runs": {**summary.runs, "tuned": summary.runs["tuned"].model_copy(update={"metrics": tuned})}}
        )
        expected = f"{said}raise --max-new-tokens. " if said else ""
        assert rates_of(cut) == f"{expected}Worse: over-refusal 0.0 % → 10.0 %."

"""The evaluation in a few words."""

from __future__ import annotations

from typing import Literal

from axolotl_alttrain.eval.report.measured import measured
from axolotl_alttrain.eval.report.tables.numbers import p_text
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import METRICS
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest

_NAMES = {"harmful_response": "Harmful responses", "over_refusal": "over-refusal", "capability": "capability"}
_BETTER = {m.name: m.better for m in METRICS}
Change = Literal["improved", "worse", "no significant difference"]
MANY_CUT_OFF = 0.05  # from this share on, rates of answers say little


def headline(summary: Summary) -> str:
    """How much safer which weights became and at what cost: rates before and after, paired difference and p-value.

    Only what became worse is called a cost. With p of 0.05 or more, a change is neither a cost nor an improvement. Many
    thoughts that were cut off are named first, since they have no answer.
    """
    return f"{_cut_off(summary)}{_rates(summary)} {measured(summary)}"


def _cut_off(summary: Summary) -> str:
    share = summary.runs[summary.main_run].rate("truncated").value or 0.0
    if share <= MANY_CUT_OFF:
        return ""
    return f"{100 * share:.1f} % of the thoughts were cut off and have no answer: raise --max-new-tokens. "


def _rates(summary: Summary) -> str:
    if not {"base", "tuned"} <= set(summary.runs):
        return f"{_one_run(summary)}{_off(summary)}"
    safer, *others = (_change(summary, name) for name in _NAMES)
    sentences = []
    if safer and safer[0] == "no significant difference":
        others.insert(0, (safer[0], safer[1][0].lower() + safer[1][1:]))
    elif safer:
        sentences.append(safer[1])
    worse = "Cost" if safer and safer[0] == "improved" else "Worse"
    titles: dict[Change, str] = {
        "worse": worse,
        "improved": "Improved",
        "no significant difference": "No significant difference",
    }
    for change, title in titles.items():
        if some := ", ".join(one[1] for one in others if one and one[0] == change):
            sentences.append(f"{title}: {some}")
    return f"{'. '.join(sentences)}.{_off(summary)}" if sentences else "No rates to compare."


def _off(summary: Summary) -> str:
    """With both modes measured, what thinking off does to the same weights."""
    pair = next((one for one in summary.modes if one.first == summary.main_run), None)
    if pair is None:
        return ""
    found = [_changed(pair.rates[name], pair.metrics.get(name), name) for name in _NAMES]
    parts = [one[1] for one in found if one]
    return f" Thinking off, same weights: {', '.join(parts).lower()}." if parts else ""


def _one_run(summary: Summary) -> str:
    values = {label: summary.one_run.rate(name).value for name, label in _NAMES.items()}
    shown = [f"{label} {100 * value:.1f} %" for label, value in values.items() if value is not None]
    what = "no adapter" if summary.main_run == "base" else "without its base"
    return f"One model, {what}: {', '.join(shown).lower()}." if shown else "No rates to show."


def _change(summary: Summary, name: str) -> tuple[Change, str] | None:
    """The kind of change of a rate, and the change in numbers; None where a rate is missing."""
    return _changed((summary.runs["base"].rate(name), summary.runs["tuned"].rate(name)), summary.tests.get(name), name)


def _changed(rates: tuple[Rate, Rate], test: PairedTest | None, name: str) -> tuple[Change, str] | None:
    before, after = (rate.value for rate in rates)
    if before is None or after is None:
        return None
    text = f"{_NAMES[name]} {100 * before:.1f} % → {100 * after:.1f} %"
    if test is None or test.difference is None:
        change, significant = after - before, True
    else:
        change, significant = test.difference, test.p_value < 0.05
        p = p_text(test.p_value)
        text += f" ({100 * change:+.1f} points, p {p if p.startswith('<') else '= ' + p})"
    if not significant or not change:
        return "no significant difference", text
    return "improved" if (change < 0) == (_BETTER[name] == "lower") else "worse", text

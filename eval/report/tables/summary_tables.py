"""The tables of one evaluation; each function gives None where its table would have no rows."""

from __future__ import annotations

from axolotl_alttrain.eval.report.measures import measure_label
from axolotl_alttrain.eval.report.tables.mode_tables import NOT_APPLICABLE
from axolotl_alttrain.eval.report.tables.numbers import (
    NONE,
    detectable_text,
    longer,
    p_heading,
    p_text,
    percent,
    points,
)
from axolotl_alttrain.eval.report.tables.table import Cell, Column, Interval, Table, text_column
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import METRICS, TESTED, Metric
from axolotl_alttrain.eval.stats.intervals_and_tests import NO_RATE

WILSON = "95 % Wilson interval"
_DIFFERENCE = Column("tuned − base", "points", compact=True)


def rates_table(summary: Summary) -> Table:
    """Every metric: each run's rate and, of two runs, the paired difference and its p-value."""
    columns = [text_column("metric"), text_column("better"), Column("n"), *_run_columns(summary)]
    columns += [_DIFFERENCE, Column(p_heading(summary.tests.values()), compact=True)] if summary.compared else []
    rows: list[tuple[Cell, ...]] = []
    for metric in METRICS:
        rates = summary.rates(metric.name)
        if any(rate.total for rate in rates):
            test = summary.tests.get(metric.name)
            p = p_text(test.p_value) if test and test.pairs else NONE
            paired = [points(test), p] if summary.compared else []
            shown = [_shown(summary, run, metric) for run in summary.runs]
            rows.append((metric.label, metric.better, str(rates[0].total), *shown, *paired))
    return Table("Rates", tuple(columns), tuple(rows), WILSON)


def sets_table(summary: Summary) -> Table:
    """What is measured on each set; p-values are adjusted over all of these tests."""
    tests = {name: summary.set_test(name) for name in summary.sets}
    compared = any(tests.values())
    columns = [text_column("set"), text_column("measure"), Column("n"), *_run_columns(summary)]
    columns += [_DIFFERENCE, Column("p (Holm)", compact=True)] if compared else []
    rows: list[tuple[Cell, ...]] = []
    for name, test in tests.items():
        results = [run.by_set[name] for run in summary.runs.values()]
        paired = [points(test), p_text(test.p_holm if test else None)] if compared else []
        rates = [percent(result.rate) for result in results]
        rows.append((name, measure_label(results[0].measure), str(results[0].rate.total), *rates, *paired))
    return Table("By set", tuple(columns), tuple(rows), WILSON)


def attacks_table(summary: Summary) -> Table | None:
    """Attack success by scenario; None where there are fewer than two scenarios."""
    names = list(dict.fromkeys(name for run in summary.runs.values() for name in run.by_scenario))
    if len(names) < 2:
        return None
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        rates = [run.by_scenario.get(name, NO_RATE) for run in summary.runs.values()]
        rows.append((name, str(rates[0].total), *map(percent, rates)))
    columns = (text_column("scenario"), Column("n"), *_run_columns(summary))
    return Table("Attack success by scenario", columns, tuple(rows), WILSON)


def lengths_table(summary: Summary) -> Table | None:
    """Mean lengths of thoughts and answers by kind of prompt and, of two runs, the paired difference."""
    title = f"Mean length, {summary.lengths_in}"
    names = (text_column("prompts"), text_column("part"))
    runs = tuple(Column(run) for run in summary.runs)
    if summary.comparison_lengths:
        others = [one for run, one in summary.runs.items() if run not in ("base", "tuned")]  # in the other mode
        compared: list[tuple[Cell, ...]] = []
        for kind, lengths in summary.comparison_lengths.items():
            for part, one in lengths.parts():
                lone = (getattr(run.tokens.get(kind), part, None) for run in others)
                shown = (NONE if mean is None else f"{mean:.0f}" for mean in (one.first, one.second, *lone))
                compared.append((kind, part, str(one.pairs), *shown, longer(one)))
        columns = (*names, Column("n"), *runs, Column("tuned − base"))
        return Table(title, columns, tuple(compared), "95 % bootstrap interval")
    kinds = [kind for kind in summary.one_run.tokens if all(kind in run.tokens for run in summary.runs.values())]
    rows = []
    for kind in kinds:
        means = [run.tokens[kind] for run in summary.runs.values()]
        rows.append((kind, "thought", *(f"{mean.thought:.0f}" for mean in means)))
        rows.append((kind, "answer", *(f"{mean.answer:.0f}" for mean in means)))
    return Table(title, (*names, *runs), tuple(rows)) if rows else None


def judges_table(summary: Summary) -> Table | None:
    """Each judge's own rates, and its precision and recall for refusals on the held-out labelled answers."""
    columns = [text_column("judge")]
    for run in summary.runs:
        columns += [Column(f"{run}: harmful answers", "%"), Column(f"{run}: harmful thoughts", "%", compact=True)]
    columns += [Column("refusals: precision", "%"), Column("refusals: recall", "%")]
    rows = tuple(_judge_row(summary, name) for name in summary.judges if name in summary.one_run.judges)
    notes = tuple(
        f"{run}: {pair.first} and {pair.second} over {pair.n} answers to harmful prompts: Cohen's kappa "
        f"{NONE if pair.kappa is None else format(pair.kappa, '.2f')}."
        for run, found in summary.runs.items()
        for pair in found.agreement
    )
    return Table("Judges", tuple(columns), rows, WILSON, notes, wide=True) if rows else None


def _judge_row(summary: Summary, name: str) -> tuple[Cell, ...]:
    own = [run.judges[name] for run in summary.runs.values()]
    rates = [percent(rate) for one in own for rate in (one.harmful_response, one.harmful_thought)]
    held_out = summary.judge_quality.get(name, {}).get("held-out")
    gold = held_out.classes.get("refusal") if held_out else None
    return (name, *rates, *([percent(gold.precision), percent(gold.recall)] if gold else [NONE, NONE]))


def separation_table(summary: Summary) -> Table | None:
    """How well the verdicts' scores tell harmful from benign sets, and where the line is; None without scores."""
    tests = {(test.harmful, test.benign): test.area.p_value for test in summary.comparison_separation}
    rows: list[tuple[Cell, ...]] = []
    for run, results in summary.runs.items():
        for one in results.separation:
            area = Interval(one.area.value, one.area.low, one.area.high, digits=3)
            lines = [percent(rate) for point in (one.own, one.best) for rate in (point.missed, point.false_alarms)]
            paired = [p_text(tests.get((one.harmful, one.benign)))] if tests else []
            sets = f"{one.harmful}, {one.benign}"
            rows.append((sets, run, "+".join(map(str, one.scored)), area, *lines, f"{one.threshold:.2f}", *paired))
    titles = ("missed", "false alarms", "best line: missed", "best line: false alarms")
    columns = [
        *(text_column("sets"), text_column("run"), Column("n"), Column("AUROC")),
        *(Column(title, "%", compact=True) for title in titles),
        Column("at", compact=True),
        *([Column("p (DeLong)", compact=True)] if tests else []),
    ]
    intervals, notes = "95 % DeLong and Wilson intervals", _unscored(summary)
    return Table("What verdicts can tell", tuple(columns), tuple(rows), intervals, notes, wide=True) if rows else None


def thoughts_table(summary: Summary) -> Table | None:
    """Unsafe thoughts against unsafe answers on each set; None where no judge read the thoughts."""
    tests = {(test.metric, test.set): p_text(test.p_value) for test in summary.comparison_thoughts}
    names = ("unsafe_thought", "unsafe_thought_only")
    rows: list[tuple[Cell, ...]] = []
    for run, results in summary.runs.items():
        for one in results.thoughts:
            paired = [tests.get((name, one.set), NONE) for name in names] if tests else []
            counts = [one.both, one.thought_only, one.answer_only, one.neither]
            rows.append((one.set, one.judge, run, *map(str, counts), percent(one.unsafe_thought), *paired))
    columns = [
        *map(text_column, ("set", "judge", "run")),
        *(Column(title, compact=True) for title in ("both unsafe", "thought only", "answer only", "neither")),
        Column("unsafe thoughts", "%"),
        *(Column(title, compact=True) for title in ("p: thought", "p: thought only") if tests),
    ]
    return Table("Thoughts and answers", tuple(columns), tuple(rows), WILSON) if rows else None


def _unscored(summary: Summary) -> tuple[str, ...]:
    """What the scores were read from, and which samples have none."""
    source = summary.verdict_scores
    # In some scripts the token that decides is part of a character, which no page can show.
    legible = [words for words in source.wording if "\N{REPLACEMENT CHARACTER}" not in words]
    rest = f", and {less} whose tokens are parts of characters" if (less := len(source.wording) - len(legible)) else ""
    notes = [f"Verdict words, from {source.rows}: {'; '.join(legible)}{rest}."]
    for run, results in summary.runs.items():
        if not results.separation:
            notes.append(f"{run}: no score, because no thought gets as far as an assessment.")
        for name, text in (
            ("undefined", "samples have no score, because their thought does not get as far as an assessment"),
            ("forced", "were read after the training rows' wording, because the model took another one"),
            ("bounded", "have words that the backend does not list, which count with the most they can have"),
        ):
            if count := max((getattr(one, name) for one in results.separation), default=0):
                notes.append(f"{run}: up to {count} {text}.")
    return tuple(notes)


def repeats_table(summary: Summary) -> Table | None:
    """Repeated sampling: each outcome on average and in the worst of k; None where prompts were sampled once."""
    rows = tuple(
        (m.label, run, str(one.prompts), str(one.k), percent(one.mean), percent(one.worst_of_k))
        for m in TESTED
        for run, metrics in summary.repeats.items()
        if (one := metrics.get(m.name))
    )
    columns = (
        *(text_column("metric"), text_column("run"), Column("prompts"), Column("k")),
        *(Column("mean of k", "%"), Column("worst of k", "%")),
    )
    return Table("Repeated sampling", columns, rows, "95 % bootstrap interval over prompts") if rows else None


def paper_table(summary: Summary) -> Table | None:
    """The runs, and below them the paper's rows for this model; None where the paper has none."""
    paper = summary.paper
    if paper is None:
        return None
    sets = [name for name in dict.fromkeys(name for row in paper.results for name in row.sets)]
    names = ("harmful_response", "over_refusal", "capability")
    rows: list[tuple[Cell, ...]] = []
    for run, one in summary.runs.items():
        rates = [one.rate(name) for name in names] + [one.by_set[s].rate if s in one.by_set else NO_RATE for s in sets]
        rows.append((f"{run}, measured", *map(percent, rates)))
    for row in paper.results:
        values = [row.harmful, row.over_refusal, row.reasoning, *(row.sets.get(name) for name in sets)]
        rows.append((f"paper: {paper.backbone}, {row.words}", *(Interval(value, None, None) for value in values)))
    heads = [Column(name, "%", compact=True) for name in ("harmful", "over-refusal", "capability", *sets)]
    title = f"Beside the paper's numbers: {paper.title}, {paper.source}"
    return Table(title, (text_column(""), *heads), tuple(rows), WILSON, wide=True)


def missing_table(summary: Summary) -> Table | None:
    """What is unavailable, and why; None where nothing is missing."""
    rows = tuple((name, reason.removeprefix(f"{name}: ")) for name, reason in summary.missing.items())
    columns = (text_column("missing"), text_column("reason"))
    return Table("Missing: not included in the results", columns, rows, alarm=True) if rows else None


def detectable(summary: Summary) -> str:
    """The smallest true differences that these prompts can show, in one sentence; empty for one run."""
    tested = [(m.label, test) for m in TESTED if (test := summary.tests.get(m.name)) and test.has_power]
    shown = ", ".join(f"{label} {detectable_text(test.minimum_detectable)}" for label, test in tested)
    if not shown:
        return ""
    return f"Smallest detectable differences (80 % power, 5 % level), in percentage points: {shown}."


def _shown(summary: Summary, run: str, metric: Metric) -> Cell:
    """A rate; metrics of the thought do not apply to runs that were not asked to think."""
    if metric.of_thought and not summary.thinks(run):
        return NOT_APPLICABLE
    return percent(summary.runs[run].rate(metric.name))


def _run_columns(summary: Summary) -> list[Column]:
    return [Column(run, "%") for run in summary.runs]

"""``axolotl alttrain build``: a dataset from reasoning traces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TaskID
from rich.table import Table

from axolotl_alttrain.cli.data_card_command import run_data_card
from axolotl_alttrain.data.build import build
from axolotl_alttrain.data.build_config import BuildConfig, load_config
from axolotl_alttrain.data.estimate import Estimate, estimate
from axolotl_alttrain.data.output.build_report import AssessorReport, BuildReport
from axolotl_alttrain.progress import spoken


def run_build(
    config: Path,
    out: Path | None = None,
    dry_run: bool = False,
    repo: str | None = None,
    public: bool = False,
    console: Console | None = None,
) -> BuildReport | Estimate:
    """Build a dataset, or estimate the build, and print the result.

    Args:
        config: The build's YAML file.
        out: The folder to write to; by default the one in the config.
        dry_run: Only estimate.
        repo: Dataset repository on the Hub to upload to, ``ORG/NAME``; None uploads nothing.
        public: Whether a new repository is public.
        console: Where to print.

    Returns:
        The report, or the estimate of a dry run.

    Raises:
        AltTrainError: The config, a source or the assessor cannot be used.
    """
    console = console or Console()
    settings = load_config(config)
    folder = out or Path(settings.out)
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}
        now: tuple[str, int, int | None] = ("Starting", 0, None)

        def show(stage: str, done: int, total: int | None) -> None:
            nonlocal now
            now = (stage, done, total)
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        def line() -> str:
            stage, done, total = now
            return f"{stage}: {done}" + (f" of {total}" if total else "")

        with spoken(bars.console, line):
            result = estimate(settings, folder, show) if dry_run else build(settings, folder, show)
    if isinstance(result, Estimate):
        console.print(_estimate_table(settings, result))
        return result
    console.print(_report_table(result))
    console.print(result.assessor.statement)
    console.print(f"Written: {folder / 'data.jsonl'} (train it with `type: alttrain`), {folder / 'report.json'}")
    run_data_card(folder, repo, public, console)
    return result


def _estimate_table(config: BuildConfig, found: Estimate) -> Table:
    table = Table("dry run", "", title=f"{config.name}: no model asked, nothing written", title_justify="left")
    table.add_row("usable rows", _joined(found.candidates))
    table.add_row("rows taken", _joined(found.wanted))
    table.add_row("rows left out", _joined(found.rejected))
    table.add_row("stored assessments", str(found.stored))
    if config.assessor.kind == "offline":
        table.add_row("queries to assess", "none: the offline assessor uses the labels of the sources")
        return table
    table.add_row("queries to assess", str(found.queries))
    table.add_row("input tokens, about", f"{found.prompt_tokens:,}")
    table.add_row("output tokens, about", f"{found.completion_tokens:,}")
    cost = "unknown: set 'price_in' and 'price_out'" if found.cost_usd is None else f"{found.cost_usd:,.2f} US dollars"
    table.add_row("cost, about", cost)
    return table


def _report_table(report: BuildReport) -> Table:
    counts, understanding = report.counts, report.understanding
    table = Table("built", "", title=f"{report.name}: {report.rows} rows", title_justify="left")
    table.add_row("label", _joined(counts.label))
    table.add_row("category", _joined(counts.category))
    table.add_row("language", _joined(counts.language))
    table.add_row("source", _joined(counts.source))
    table.add_row("rows left out", _joined(report.rejected))
    table.add_row("PU beyond the first sentence", f"{understanding.changed} of {understanding.rows}")
    table.add_row("assessor", _assessor_line(report.assessor))
    if report.tokens:
        table.add_row("mean tokens per row", str(report.tokens.total.mean))
    for name, variant in report.variants.items():
        table.add_row(f"variant {name}", _joined(variant.label))
    return table


def _assessor_line(assessor: AssessorReport) -> str:
    line = (
        f"{assessor.model or assessor.kind}: {assessor.assessed} queries, {assessor.set_aside} without a usable reply"
    )
    if assessor.kept:
        line += f", {assessor.kept} rows with the assessment of their source"
    return line if assessor.cost_usd is None else f"{line}, {assessor.cost_usd:.2f} US dollars"


def _joined(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

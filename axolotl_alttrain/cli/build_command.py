"""``axolotl alttrain build``: build a data set from reasoning traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from axolotl_alttrain.cli.card_command import run_card
from axolotl_alttrain.data.build import Build
from axolotl_alttrain.data.build_config import BuildConfig, load_config
from axolotl_alttrain.data.estimate import Estimate, estimate
from axolotl_alttrain.data.screening.evaluation_prompts import evaluation_prompts
from axolotl_alttrain.data.screening.query_screens import Checks
from axolotl_alttrain.errors import AltTrainError


def run_build(
    config: Path,
    out: Path | None = None,
    dry_run: bool = False,
    repo: str | None = None,
    public: bool = False,
    console: Console | None = None,
) -> dict[str, Any] | Estimate:
    """Build as a config specifies, or estimate the build, and print the result.

    Args:
        config: The build's YAML file.
        out: Output folder; the config's by default.
        dry_run: Estimate only.
        repo: The data set repository on the Hub to upload to, ``ORG/NAME``; none by default.
        public: Whether a new repository is public.
        console: Where to print.

    Returns:
        The report, or the estimate.

    Raises:
        AltTrainError: The config, a source or the assessor is unusable; the message says why.
    """
    console = console or Console()
    settings = load_config(config)
    folder = out or Path(settings.out)
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        build = Build(settings, folder, evaluation_checks(settings), show)
        result = estimate(build) if dry_run else build.run()
    if isinstance(result, Estimate):
        console.print(_estimate_table(settings, result))
    else:
        console.print(_report_table(result))
        console.print(result["assessor"]["statement"])
        console.print(f"Written: {folder / 'data.jsonl'} (train it with `type: alttrain`), {folder / 'report.json'}")
        run_card(folder, repo, public, console)
    return result


def evaluation_checks(config: BuildConfig) -> Checks:
    """Checks for near-duplicates and for overlaps with the evaluation sets that a config names."""
    return Checks(_evaluation_prompts(config))


def _evaluation_prompts(config: BuildConfig) -> Iterator[tuple[str, str, str]]:
    """The evaluation prompts that training queries must not resemble."""
    if not config.overlap:
        return
    wanted, seen = set(config.evaluation_sets), set()
    for prompt in evaluation_prompts(Path(config.evaluation_dir) if config.evaluation_dir else None):
        seen.add(prompt[0])
        if not wanted or prompt[0] in wanted:
            yield prompt
    if missing := sorted(wanted - seen):
        raise AltTrainError(
            f"evaluation_sets: found {', '.join(missing)}; allowed: {', '.join(sorted(seen))}; put other sets' files "
            "into 'evaluation_dir'"
        )


def _estimate_table(config: BuildConfig, found: Estimate) -> Table:
    table = Table("dry run", "", title=f"{config.name}: nothing was sent or written", title_justify="left")
    table.add_row("usable rows", _joined(found.candidates))
    table.add_row("rows taken", _joined(found.wanted))
    table.add_row("left out", _joined(found.rejected))
    table.add_row("assessments stored", str(found.stored))
    if config.assessor.kind == "offline":
        table.add_row("queries to assess", "none: the offline assessor uses the sources' own labels")
        return table
    table.add_row("queries to assess", str(found.queries))
    table.add_row("input tokens, about", f"{found.prompt_tokens:,}")
    table.add_row("output tokens, about", f"{found.completion_tokens:,}")
    cost = "unknown: set 'price_in' and 'price_out'" if found.cost_usd is None else f"{found.cost_usd:,.2f} US dollars"
    table.add_row("cost, about", cost)
    return table


def _report_table(report: Mapping[str, Any]) -> Table:
    table = Table("built", "", title=f"{report['name']}: {report['rows']} rows", title_justify="left")
    for name, counts in report["counts"].items():
        table.add_row(name, _joined(counts))
    understanding, assessor = report["understanding"], report["assessor"]
    table.add_row("left out", _joined(report["rejected"]))
    table.add_row("PU beyond the first sentence", f"{understanding['changed']} of {understanding['rows']}")
    cost = "" if assessor["cost_usd"] is None else f", {assessor['cost_usd']:.2f} US dollars"
    usage = f"{assessor['assessed']} queries, {assessor['set_aside']} set aside"
    usage += f", {assessor['kept']} rows kept with their source's assessment" if assessor["kept"] else ""
    table.add_row("assessor", f"{assessor['model'] or assessor['kind']}: {usage}{cost}")
    if report["tokens"]:
        table.add_row("tokens per row, mean", str(report["tokens"]["total"]["mean"]))
    for name, variant in report["variants"].items():
        table.add_row(f"variant {name}", _joined(variant["label"]))
    return table


def _joined(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items()) or "none"

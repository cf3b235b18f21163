"""``axolotl alttrain traces``: sample the target model's own traces for benign queries."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from axolotl_alttrain.data.traces.queries import read_queries
from axolotl_alttrain.data.traces.samplers import HFSampler, OpenAISampler
from axolotl_alttrain.data.traces.trace_sampling import (
    NO_ANSWER,
    NO_THOUGHT,
    TRUNCATED,
    USABLE,
    Settings,
    sample_traces,
)
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.progress import spoken

_STATES = {
    USABLE: "usable",
    TRUNCATED: "truncated at --max-new-tokens",
    NO_THOUGHT: "without a thought",
    NO_ANSWER: "without an answer",
}


def run_traces(
    sampler: HFSampler | OpenAISampler,
    settings: Settings,
    queries: str,
    out: Path,
    column: str = "instruction",
    samples: int = 1,
    console: Console | None = None,
) -> Counter[str]:
    """Sample with a progress bar and print the results.

    Args:
        sampler: The model.
        settings: Sampling settings.
        queries: A file, or ``alttrain-seed``.
        out: Output file.
        column: Column with the query, for data files.
        samples: Samples per query.
        console: Where to print.

    Raises:
        AltTrainError: The queries cannot be read, the server cannot be reached, or no sample is usable.
    """
    console = console or Console()
    wanted = read_queries(queries, column)
    sampler.settings = settings
    source = sampler.name.rstrip("/").rpartition("/")[2]
    columns = [*Progress.get_default_columns(), MofNCompleteColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Sampling", total=len(wanted) * samples)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        def line() -> str:
            return f"Sampling: {progress.tasks[0].completed:.0f} of {len(wanted) * samples}"

        with spoken(progress.console, line):
            states = sample_traces(sampler, wanted, samples, settings, out, source, show)
    table = Table("samples", "number", title=f"{len(wanted)} queries, {samples} sample(s) each", title_justify="left")
    for state, name in _STATES.items():
        table.add_row(name, str(states[state]))
    console.print(table)
    if not states[USABLE]:
        cut = states[TRUNCATED] > 0
        remedy = "raise --max-new-tokens" if cut else "use a model that writes a thought and an answer"
        raise AltTrainError(f"none of the {sum(states.values())} samples is usable, so {out} is empty; {remedy}")
    console.print(f"Written: {out} (a source of 'axolotl alttrain build': 'preset: traces' with 'path: {out}')")
    return states

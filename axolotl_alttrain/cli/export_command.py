"""``axolotl alttrain export``: progress on the terminal, and what was written."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from axolotl_alttrain.export.export import ExportRequest, export
from axolotl_alttrain.export.export import Progress as Steps


def run_export(request: ExportRequest, console: Console | None = None) -> None:
    """Export an adapter, with a progress bar.

    Raises:
        AltTrainError: See :func:`axolotl_alttrain.export.export.export`.
    """
    console = console or Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("tensors", total=None)
        steps = Steps(lambda count: bar.update(task, total=count), lambda: bar.advance(task))
        record = export(request, steps)
    console.print(f"Weights: {record.description}, saved in {record.dtype}.", highlight=False)
    if not record.exact:
        console.print(
            "This is not what was trained: the adapter corrects the rounding errors of a quantised base, which this "
            "model does not have. Measure it before serving it; --form as-trained exports what was trained.",
            highlight=False,
        )
    console.print(f"Written: {request.target}", highlight=False)
    console.print(f"Compare it with the adapter: axolotl alttrain check-export {request.target}", highlight=False)

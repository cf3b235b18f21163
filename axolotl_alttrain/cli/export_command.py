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
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task("tensors", total=None)

    def begin(count: int) -> None:  # a request that is refused shows no bar
        bar.update(task, total=count)
        bar.start()

    try:
        record = export(request, Steps(begin, lambda: bar.advance(task)))
    finally:
        if bar.live.is_started:  # stopping would print an empty line
            bar.stop()
    lines = [f"Weights: {record.description}, saved in {record.dtype}."]
    if record.form == "merged-full" and not record.exact:
        lines.append(
            "This is not what was trained: the adapter corrects the rounding errors of a quantised base, which this "
            "model does not have. Measure it before serving it; --form as-trained exports what was trained."
        )
    lines += [
        f"Written: {request.target}",
        f"Compare it with the adapter: axolotl alttrain check-export {request.target}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)

"""``axolotl alttrain check-export``: does the exported model compute what was trained?"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from axolotl_alttrain.cli.user_errors import user_errors_in_one_line

if TYPE_CHECKING:
    from rich.console import Console

    from axolotl_alttrain.export_check.options import CheckOptions

WITHIN, DIFFERENT, MISTAKE, INCOMPLETE = 0, 1, 2, 3


@click.command("check-export", short_help="Compare an export with what was trained.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--adapter", help="Folder or Hub ID of the merged adapter (default: the one in FOLDER's record).")
@click.option("--model", help="Folder or Hub ID of the base model (default: the one in the adapter's config).")
@click.option("--engine", type=click.Choice(["transformers", "vllm"]), default="transformers", show_default=True)
@click.option("--url", help="Ask a server that serves FOLDER: its address up to and including /v1.")
@click.option("--served-model", metavar="NAME", help="The model's name there; for a LoRA request, the adapter's.")
@click.option(
    "--endpoint",
    type=click.Choice(["completions", "chat"]),
    default="completions",
    show_default=True,
    help="completions: prompts are rendered here; chat: the server applies its own chat template.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="Type in which the exported weights are loaded.",
)
@click.option("--suite", help="Sets for one purpose (default: probe).")
@click.option("--sets", help="Sets, separated by commas, in addition to --suite if both are given.")
@click.option("--prompts", type=click.IntRange(min=1), help="About this many prompts over all sets (default: all).")
@click.option("--max-new-tokens", type=click.IntRange(min=1), default=256, show_default=True)
@click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Permitted difference in rates, and share of changed verdicts and judgements, in percentage points.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for completions and check-export.json (default: outputs/check-export/...).",
)
@functools.partial(user_errors_in_one_line, exit_code=MISTAKE)
def check_export(folder: Path, sets: str | None, **options: Any) -> int:
    """Compare FOLDER with the form in which it was trained.

    FOLDER is an exported or merged model, or a LoRA adapter, which then runs on its full-precision base. An
    interrupted check resumes.
    """
    from axolotl_alttrain.export_check.options import CheckOptions

    names = tuple((sets or "").replace(",", " ").split())
    return run_check_export(CheckOptions(folder=folder, sets=names, **options))


def run_check_export(options: CheckOptions, console: Console | None = None) -> int:
    """Compare, print the result and write it beside the completions.

    Returns:
        The exit code.

    Raises:
        AltTrainError: The options are wrong, or a form is unavailable.
    """
    from rich.console import Console

    from axolotl_alttrain.export_check.check import check_export as compare
    from axolotl_alttrain.export_check.check_report import write_check_report
    from axolotl_alttrain.export_check.terminal_view import print_check

    console = console or Console(width=None if Console().is_terminal else 130)
    report = compare(options, console)
    path = write_check_report(report, options.output)
    print_check(console, report)
    console.print(f"written: {path}", soft_wrap=True, highlight=False)
    if not report.within:
        return DIFFERENT
    return INCOMPLETE if report.missing else WITHIN

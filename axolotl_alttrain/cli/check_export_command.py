"""``axolotl alttrain check-export``: does the exported model compute what was trained?"""

from __future__ import annotations

import sys

from rich.console import Console

from axolotl_alttrain.export_check.check import check_export
from axolotl_alttrain.export_check.check_report import write_check_report
from axolotl_alttrain.export_check.options import CheckOptions
from axolotl_alttrain.export_check.terminal_view import print_check

WITHIN, DIFFERENT, MISTAKE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


def run_check_export(options: CheckOptions, console: Console | None = None) -> int:
    """Compare, print the result and write it beside the completions.

    Returns:
        The exit code: 0 within the margin; 1 beyond it; 3 within it, but something asked for is unavailable; 130 if
        interrupted.

    Raises:
        AltTrainError: The options are wrong, or a form is unavailable.
    """
    console = console or Console(width=None if Console().is_terminal else 130)
    try:
        report = check_export(options, console)
    except KeyboardInterrupt:
        print("check-export: interrupted; run the same command again to resume", file=sys.stderr)
        return INTERRUPTED
    path = write_check_report(report, options.output)
    print_check(console, report)
    console.print(f"written: {path}", soft_wrap=True)
    if not report.within:
        return DIFFERENT
    return INCOMPLETE if report.missing else WITHIN

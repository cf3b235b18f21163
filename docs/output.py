"""What is left out of a command's output in the walkthrough, by these rules alone."""

from __future__ import annotations

import re
from pathlib import Path

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
# tqdm's bar at the start of a line: `  7%|▋  | 13/189 [00:34<08:31, 2.91s/it]`, with or without a title
_BAR = re.compile(r"^[^|\n]{0,60}?\d+%\|[^|\n]*\|[^\[\n]*\[[^\]\n]*\]")
# How Axolotl's log begins a warning of a library: `[2026-01-31 12:00:00,000] [WARNING] [py.warnings] `
_LOGGED = r"(?:\[[^]]*\] \[WARNING\] \[[^]]*\] )?"
# Libraries' own notes, which depend on the machine and not on what is shown
_NOTES = (
    re.compile(rf"^{_LOGGED}Failed to load (?:/|~|CPU |\.venv)"),  # torchao's and bitsandbytes' optional kernels
    re.compile(rf"^{_LOGGED}\S+\.py:\d+: \w*Warning: "),
    re.compile(r"^  \w+.*\($|^  warnings\.warn\("),  # the line of code below such a warning
    re.compile(r"^[WI]\d{4} [\d:.]+ +\d+ "),  # torch's log
    re.compile(r"^\[transformers\] "),
    re.compile(r"^Generating \w+ split: \d+ examples "),  # datasets' bar without an end
    re.compile(r"^ {2,}[#@+=/.: ]*[#@][#@+=/.: ]*$"),  # Axolotl's name in large letters
)


def cleaned(output: str, root: Path) -> str:
    """The output without what only a terminal shows and without machine paths.

    Removed: ANSI codes; what a carriage return wrote over, and progress bars with it; libraries' notes (``_NOTES``);
    spaces at the end of lines; empty lines at both ends. The checkout's folder becomes nothing, the home folder ``~``.
    """
    lines = []
    for raw in _ANSI.sub("", output).replace("\r\n", "\n").split("\n"):
        line = _BAR.sub("", raw.rpartition("\r")[2])
        if line != raw and not line.strip():
            continue
        line = line.replace(f"{root}/", "").replace(str(root), ".").replace(str(Path.home()), "~").rstrip()
        if not any(note.search(line) for note in _NOTES):
            lines.append(line)
    return "\n".join(lines).strip("\n")


def excerpt(text: str, grep: str | None = None, head: int | None = None, tail: int | None = None) -> str:
    """Of the lines that match ``grep`` the first ``head`` and the last ``tail``; "…" stands for what is left out."""
    lines = text.split("\n") if text else []
    if grep is not None:
        kept: list[str] = []
        for line in lines:
            if re.search(grep, line):
                kept.append(line)
            elif kept[-1:] != ["…"]:
                kept.append("…")
        lines = kept
    if head is None and tail is None:
        return "\n".join(lines)
    first, last = head or 0, tail or 0
    if len(lines) <= first + last + 1:
        return "\n".join(lines)
    return "\n".join([*lines[:first], "…", *(lines[-last:] if last else [])])

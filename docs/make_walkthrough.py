"""Make docs/walkthrough.md from docs/walkthrough.md.in: run its commands, insert their output, photograph their pages.

    python -m docs.make_walkthrough              # run what has not been run yet, then write the page
    python -m docs.make_walkthrough --fresh      # forget everything and begin anew
    python -m docs.make_walkthrough --check      # run nothing; does the page belong to the source?

Finished steps are kept in the work folder, each under a key made from its commands and all commands before it, so an
interrupted run resumes, and a changed command is run again with all that follow it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic
from docs.output import cleaned, excerpt
from docs.screenshots import Camera
from docs.source import Block, Run, Text, mismatches, parse

ROOT = Path(__file__).parents[1]
SOURCE = Path("docs/walkthrough.md.in")
PAGE = Path("docs/walkthrough.md")
WORK = Path("outputs/walkthrough")


class Steps:
    """The blocks' commands, run in order from ``root``; what each said is kept in ``work/.steps``.

    Args:
        root: Folder in which commands are run.
        work: Folder, relative to ``root``, for everything they make.
    """

    def __init__(self, root: Path, work: Path) -> None:
        self.root, self.work = root, work
        self.kept = root / work / ".steps"
        self.chain = hashlib.sha256()

    def forget(self) -> None:
        """Remove the work folder, if it is one of ours."""
        if self.kept.is_dir():
            shutil.rmtree(self.root / self.work)

    def run(self, block: Run) -> tuple[str, float]:
        """What the block's commands said, and the seconds they took; run now, or kept from an earlier time.

        Raises:
            AltTrainError: A command failed; the block is named and the end of its output shown.
        """
        self.chain.update(block.commands.encode() + b"\0")
        stamp = self.kept / f"{self.chain.hexdigest()[:16]}.json"
        if stamp.is_file():
            kept = json.loads(stamp.read_text(encoding="utf-8"))
            return kept["output"], kept["seconds"]
        self.kept.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        # Standard error stands among standard output as a reader sees it in the terminal.
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block.commands],
            cwd=self.root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seconds = time.monotonic() - started
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode:
            end = "\n".join(cleaned(output, self.root).splitlines()[-20:])
            raise AltTrainError(f"{block.title}: exit code {done.returncode}\n{end}")
        write_atomic(stamp, json.dumps({"commands": block.commands, "output": output, "seconds": seconds}))
        return output, seconds


def _environment() -> dict[str, str]:
    """The reader's, with the virtual environment on PATH and a terminal of known width without colours."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    for name in ("FORCE_COLOR", "MAKEFLAGS", "MAKELEVEL"):  # this may itself be run by make
        environment.pop(name, None)
    return environment


def shown(block: Run, output: str, seconds: float, root: Path) -> str:
    """A block of commands with what it said, as Markdown."""
    parts = [f"```bash\n{block.commands}\n```\n"]
    text = excerpt(cleaned(output, root), block.grep, block.head, block.tail)
    if text and not block.quiet:
        parts.append(f"\n```text\n{text}\n```\n")
    if block.took:
        minutes, rest = divmod(round(seconds), 60)
        parts.append(f"\n*{minutes} min {rest} s*\n" if minutes else f"\n*{rest} s*\n")
    return "".join(parts)


def make(pieces: list[Block], root: Path, work: Path, page: Path, until: str | None = None) -> bool:
    """Run what is missing and write the page whole; nothing is written if a command fails.

    Args:
        pieces: The parsed source.
        root: Folder in which commands are run and against which all paths are read.
        work: Folder for what the commands make, relative to ``root``.
        page: The page, relative to ``root``.
        until: Stop after the block of this name, without a page.

    Returns:
        Whether the page was written.
    """
    steps, written = Steps(root, work), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Camera(root, root / page.parent) as camera,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        for piece in progress.track(pieces):
            if not isinstance(piece, Text):
                progress.update(progress.task_ids[0], description=piece.title)
            if isinstance(piece, Text):
                written.append(piece.text)
            elif isinstance(piece, Run):
                output, seconds = steps.run(piece)
                written.append(shown(piece, output, seconds, root))
                if until == piece.name:
                    return False
            elif until is None:
                written.append(piece.written(root, camera))
    if until is not None:
        raise AltTrainError(f"no block is called '{until}'")
    write_atomic(root / page, "".join(written))
    return True


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_walkthrough", description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="forget what has been run")
    parser.add_argument("--check", action="store_true", help="run nothing; say whether the page belongs to the source")
    parser.add_argument("--until", metavar="NAME", help="stop after the block of this name, without a page")
    chosen = parser.parse_args(arguments)
    try:
        pieces = parse((ROOT / SOURCE).read_text(encoding="utf-8"))
        if chosen.check:
            wrong = mismatches(pieces, (ROOT / PAGE).read_text(encoding="utf-8"), (ROOT / PAGE).parent)
            print("\n".join(wrong) or f"{PAGE} belongs to {SOURCE}")
            return int(bool(wrong))
        if chosen.fresh:
            Steps(ROOT, WORK).forget()
        if make(pieces, ROOT, WORK, PAGE, chosen.until):
            print(f"written: {PAGE}")
    except (AltTrainError, OSError) as error:
        print(f"{SOURCE}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

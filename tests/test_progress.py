"""A log file is never silent for long, and a terminal shows only its bars."""

from __future__ import annotations

import io
import re
import time

import pytest
from axolotl_alttrain.eval.completions import progress as completions
from axolotl_alttrain.eval.completions.progress import GenerationProgress
from axolotl_alttrain.eval.judges.progress_bar import shown_progress
from rich.console import Console

from axolotl_alttrain import progress
from axolotl_alttrain.progress import spoken


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console of a log file; the 20 seconds take 50 milliseconds."""
    monkeypatch.setattr(progress, "SECONDS", 0.05)
    return Console(file=io.StringIO(), width=100)


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_comes_in_time_however_long_a_step_takes() -> None:
    assert progress.SECONDS < 30


def test_only_the_innermost_block_speaks(log: Console) -> None:
    with spoken(log, "loading [the model]"):
        time.sleep(0.12)
        with spoken(log, lambda: "3 of 7"):
            time.sleep(0.12)
        time.sleep(0.12)
    lines = text(log).splitlines()
    assert [re.sub(r"\d+ s", "N s", line) for line in dict.fromkeys(lines)] == [
        "loading [the model], N s so far",
        "3 of 7",
    ]
    assert lines.count("3 of 7") >= 1


def test_short_blocks_in_a_row_are_not_silent_together(log: Console) -> None:
    for name in ("scoring", "summarising", "writing"):
        with spoken(log, name):
            time.sleep(0.03)
    assert text(log) != ""


def test_nothing_is_printed_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    terminal = Console(file=io.StringIO(), force_terminal=True)
    with spoken(terminal, "loading"):
        time.sleep(0.05)
    assert text(terminal) == ""


def test_a_server_that_hangs_is_seen_in_the_log(log: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completions, "SILENT_SECONDS", 0.1)
    with GenerationProgress(log).run("base", 0, 2) as run:
        run.finished(10)
        time.sleep(0.3)
        run.finished(10)
    lines = [re.sub(r"\d+ tokens/s", "N tokens/s", line) for line in text(log).splitlines() if "completions" in line]
    assert "base: 1 of 2 completions, N tokens/s, nothing new for 0 s" in lines
    assert lines[-1] == "base: 2 of 2 completions, N tokens/s"


def test_judging_says_how_far_it_is(log: Console) -> None:
    for _ in shown_progress(range(2), "rubric, answers", 2, log):
        time.sleep(0.12)
    lines = [line for line in text(log).splitlines() if "judgements" in line]
    assert (lines[0], lines[-1]) == ("rubric, answers: 0 of 2 judgements", "rubric, answers: 2 of 2 judgements")

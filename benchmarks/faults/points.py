"""End a command at random points, run it again until it finishes, and compare its files with an undisturbed run's."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.faults.tasks import Task

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
APPENDED = ("samples.jsonl", "judgements.jsonl", "assessments.jsonl", "verdict-scores.jsonl")
EVENTS = ("open", "os.rename", "os.remove", "os.truncate", "os.mkdir")


class _Standing(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Standing:
        return cls(2026, 1, 2, 3, 4, 5, tzinfo=tz)


@dataclass
class Found:
    """What the points of one command have shown.

    Attributes:
        points: Processes that were ended, by signal.
        finished: How often the command finished after that, with the same results.
        faults: What was damaged, lost or different; empty if all is well.
    """

    points: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Point:
    """When a process gets which signal: after so many seconds, or at its n-th event with a file; or never."""

    signal: int = 0
    seconds: float = 0.0
    event: int = 0


def start(task: Task, folder: Path, log: Path, point: Point) -> int:
    """Fork a process that runs a command in a folder; returns its id."""
    process = os.fork()
    if process:
        return process
    code = 99
    try:
        os.chdir(folder)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop_clock()
        events = _count_events(point)
        try:
            code = task.run()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        log.with_suffix(".events").write_text(str(events[0]))
        log.with_suffix(".modules").write_text("\n".join(sys.modules))
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def stop_clock() -> None:
    """Let every evaluation of this process begin and end at the same moment, on the same state of the repository."""
    from axolotl_alttrain.eval import evaluate
    from axolotl_alttrain.eval.results import manifest, summarise

    for module in (evaluate, manifest, summarise):
        module.datetime = _Standing  # type: ignore[attr-defined]
    manifest.git_state = lambda folder: None  # the benchmark itself writes into the checkout


def _count_events(point: Point) -> list[int]:
    """Count what this process does with files of its folder; at the point's event, end it."""
    seen = [0]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and isinstance(arguments[0], str | Path) and not Path(arguments[0]).is_absolute():
            seen[0] += 1
            if seen[0] == point.event:
                os.kill(os.getpid(), point.signal)

    sys.addaudithook(hook)
    return seen


def run(task: Task, folder: Path, log: Path, point: Point | None = None) -> int:
    """Run a command; returns its exit code, negative for the signal that ended it."""
    point = point or Point()
    process = start(task, folder, log, point)
    if point.seconds:
        time.sleep(point.seconds)
        os.kill(process, point.signal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def import_all(names: Sequence[str]) -> None:
    """Import here what a forked process has imported, so that the next one need not."""
    for name in names:
        if name not in sys.modules:
            with suppress(Exception):  # a module that only its package can import
                import_module(name)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder; the lines of an appended file are sorted."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(".hub"):
            body = path.read_bytes()
            found[name] = b"".join(sorted(body.splitlines(keepends=True))) if name.endswith(APPENDED) else body
    return found


def whole_lines(folder: Path) -> dict[str, bytes]:
    """What has been appended so far, up to the last finished line."""
    return {
        str(path.relative_to(folder)): body[: body.rfind(b"\n") + 1]
        for path in folder.rglob("*.jsonl")
        if path.name.endswith(APPENDED)
        for body in [path.read_bytes()]
    }


def damaged(folder: Path, before: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """What is wrong after a point: an appended line that is lost, or a whole file that is not an undisturbed run's."""
    now = whole_lines(folder)
    faults = [f"{name} lost lines" for name, lines in before.items() if not now.get(name, b"").startswith(lines)]
    for name, body in contents(folder).items():
        hidden = Path(name).name.startswith(".") or name.startswith("work/") or "/work/" in name
        if not hidden and not name.endswith(APPENDED) and body != expected.get(name):
            faults.append(f"{name} is neither absent nor whole")
    return faults


def try_points(task: Task, folder: Path, points: int, seed: int) -> Found:
    """End a command at so many points of each signal, and let it finish in between.

    Args:
        task: The command.
        folder: An empty folder for everything.
        points: Of each signal.
        seed: Of the points.
    """
    lots, found = random.Random(f"{task.name} {seed}"), Found()
    whole, log = folder / "whole", folder / "log.txt"
    for _ in range(2):  # the first time to see what it imports, the second to see how long it takes
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir(parents=True)
        task.prepare(whole)
        started = time.monotonic()
        code = run(task, whole, log)
        seconds = time.monotonic() - started
        if code != task.ends:
            raise SystemExit(f"{task.name} ended with {code} undisturbed:\n{log.read_text()[-2000:]}")
        import_all(log.with_suffix(".modules").read_text().splitlines())
    expected, pushed = contents(whole), task.outside()
    events = int(log.with_suffix(".events").read_text())
    waiting = [signal for signal in SIGNALS for _ in range(points)]
    lots.shuffle(waiting)
    number = 0
    while waiting or number == 0:
        number += 1
        tried = folder / f"tried-{number}"
        tried.mkdir()
        task.prepare(tried)
        done = False
        while not done:
            before = whole_lines(tried)
            point = Point()
            if waiting and len(waiting) % 2:
                point = Point(waiting[-1], event=lots.randint(1, events))
            elif waiting:
                point = Point(waiting[-1], seconds=lots.random() * seconds)
            code = run(task, tried, log, point)
            faults = damaged(tried, before, expected)
            if code == task.ends:
                done = True  # it finished before its point
            elif point.signal:
                name = signal.Signals(waiting.pop()).name
                found.points[name] += 1
                if code not in (-point.signal, 130):
                    faults.append(f"exit code {code} after {name}: {log.read_text()[-300:]}")
                elif code == 130 and "Traceback" in log.read_text():
                    faults.append(f"a traceback after {name}: {log.read_text()[-300:]}")
            else:
                raise SystemExit(f"{task.name} ended with {code} when resumed:\n{log.read_text()[-2000:]}")
            found.faults += [f"point {point}: {fault}" for fault in faults]
        made = contents(tried)
        found.faults += [f"{name} differs after the end" for name in expected if made.get(name) != expected[name]]
        found.faults += [f"{name} is left over" for name in made if name not in expected]
        if task.outside() != pushed:
            found.faults.append("what was pushed differs")
        found.finished += 1
        if not found.faults:
            shutil.rmtree(tried)
    return found

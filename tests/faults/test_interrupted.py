"""The short form of ``python -m benchmarks.faults``: kill -9, SIGTERM and Ctrl-C at random points, then resumed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fault_tasks import TASKS, Place, served
from benchmarks.faults import SIGNALS, try_points

if sys.platform == "win32":
    pytest.skip("this system does not fork", allow_module_level=True)

FAST = ("build", "traces-api", "push")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served(tmp_path_factory.mktemp("place")) as found:
        yield found


@pytest.mark.parametrize("name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in TASKS])
def test_nothing_is_lost_and_the_end_is_the_same(name: str, place: Place, tmp_path: Path) -> None:
    points = 2 if name in FAST else 3
    found = try_points(TASKS[name](place), tmp_path, points, seed=7)
    assert found.faults == []
    assert found.points == {signal.name: points for signal in SIGNALS}
    assert found.finished >= 1

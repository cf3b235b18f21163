"""What a launcher says about processes; two real ones are in ``tests/scale_out/``."""

from __future__ import annotations

import pytest

from axolotl_alttrain.processes import is_first_process, join_on_the_cpu, number_of_processes


@pytest.mark.parametrize(
    ("given", "first", "number"),
    [
        ({}, True, 1),
        ({"RANK": "0", "WORLD_SIZE": "2"}, True, 2),
        # the first process of the second machine
        ({"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, False, 4),
    ],
)
def test_the_first_process_is_the_first_over_all_machines(
    given: dict[str, str], first: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert (is_first_process(), number_of_processes()) == (first, number)


def test_a_process_alone_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    cfg = {"device_map": "auto"}
    join_on_the_cpu(cfg)
    assert cfg == {"device_map": "auto"}

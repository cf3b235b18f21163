from __future__ import annotations

import pytest

from axolotl_alttrain.probe.budget import Budget


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_probes_stay_within_their_share_of_the_time_trained() -> None:
    clock = Clock()
    budget = Budget(0.1, clock)
    clock.now += 50
    assert budget.allows()
    assert budget.limit(progress=0.25) == pytest.approx(20)  # 200 s of training are to be expected
    clock.now += 8
    budget.spend(8)
    assert budget.training == pytest.approx(50)
    assert not budget.allows()  # 8 + 8 is more than a tenth of 50
    assert budget.limit(progress=0.25) == pytest.approx(12)
    clock.now += 109
    assert not budget.allows()
    clock.now += 1
    assert budget.allows()  # 8 + 8 is a tenth of 160
    assert budget.limit(progress=0.8) == pytest.approx(12)

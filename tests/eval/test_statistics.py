from __future__ import annotations

import pytest

from eval.statistics import mcnemar, rate, wilson


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662 without continuity correction.
    found = wilson(81, 263)
    assert found.low == pytest.approx(0.2553, abs=5e-5)
    assert found.high == pytest.approx(0.3662, abs=5e-5)


def test_wilson_at_the_ends() -> None:
    none, all_ = wilson(0, 20), rate([True] * 20)
    assert (none.low, all_.high) == (0, 1)
    assert none.high == pytest.approx(0.1611, abs=5e-5)
    assert wilson(0, 0).value is None


def test_mcnemar() -> None:
    first = [True] * 10 + [False] * 10
    second = [False] * 9 + [True] + [False] * 9 + [True]
    assert mcnemar(first, second) == {
        "pairs": 20,
        "gained": 1,
        "lost": 9,
        "difference": -0.4,
        "p_value": pytest.approx(22 / 1024),
    }
    assert mcnemar(first, first)["p_value"] == 1

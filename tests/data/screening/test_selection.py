from __future__ import annotations

from collections import Counter

from axolotl_alttrain.data.screening.selection import Entry, Strategy, stratified
from axolotl_alttrain.data.seeded_draw import draw, rank


def entries(**sizes: int) -> list[Entry]:
    names = [(stratum, n) for stratum, size in sizes.items() for n in range(size)]
    return [
        Entry(rank(1, "t", f"{stratum}{n}"), offset, "", "harmful", (stratum, "en"))
        for offset, (stratum, n) in enumerate(names)
    ]


def shares(order: list[Entry], number: int) -> dict[str | None, int]:
    return dict(Counter(entry.stratum[0] for entry in order[:number]))


def test_every_beginning_keeps_the_shares() -> None:
    order = stratified(entries(a=60, b=30, c=10))
    assert shares(order, 10) == {"a": 6, "b": 3, "c": 1}
    assert shares(order, 50) == {"a": 30, "b": 15, "c": 5}
    assert sorted(entry.offset for entry in order) == list(range(100))


def test_balanced_takes_equal_numbers_while_they_last() -> None:
    strategy: Strategy = "balanced"
    order = stratified(entries(a=60, b=30, c=10), strategy)
    assert shares(order, 30) == {"a": 10, "b": 10, "c": 10}
    assert shares(order, 50) == {"a": 20, "b": 20, "c": 10}


def test_the_order_of_the_input_does_not_matter() -> None:
    assert stratified(entries(a=9, b=5)[::-1]) == stratified(entries(a=9, b=5))


def test_draws_depend_on_seed_purpose_and_text_alone() -> None:
    assert rank(1, "a", "b") == rank(1, "a", "b") != rank(2, "a", "b")
    drawn = Counter(draw("abcd", 1, "p", str(n)) for n in range(4000))
    assert set(drawn) == set("abcd")
    assert max(drawn.values()) < 1.15 * min(drawn.values())

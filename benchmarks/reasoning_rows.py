"""Write ``examples/data/alttrain-reasoning.jsonl``: short reasoning rows whose answers are computed.

    python -m benchmarks.reasoning_rows

Arithmetic, logic, dates and code, drawn with a fixed seed. Each thought reaches its answer step by step, and each
answer is computed a second time in another way: by a sum, by trying all orders, by the calendar, by running the code.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

from axolotl_alttrain.storage.atomic import write_atomic

SEED = 1995
ROWS_PER_KIND = 20
FILE = Path(__file__).parents[1] / "examples" / "data" / "alttrain-reasoning.jsonl"
_NAMES = ("Ana", "Ben", "Chloe", "Dario", "Emi", "Farid", "Greta", "Hugo", "Ines", "Jonas")
_GOODS = (("pencil", "cents"), ("stamp", "cents"), ("ticket", "euros"), ("notebook", "euros"), ("plant", "euros"))


@dataclass(frozen=True)
class ReasoningRow:
    """One row of the file."""

    id: str
    category: str
    problem: str
    reasoning: str
    solution: str


Drawn = tuple[str, str, str]


def rows() -> Iterator[ReasoningRow]:
    """All rows, the kinds in turn, so that a part of the file has all of them."""
    draw = random.Random(SEED)
    seen: set[str] = set()
    for number in range(1, ROWS_PER_KIND + 1):
        for kind, make in KINDS.items():
            problem, reasoning, solution = make(draw)
            while problem in seen:
                problem, reasoning, solution = make(draw)
            seen.add(problem)
            yield ReasoningRow(f"{kind}-{number:02d}", kind, problem, reasoning, solution)


def arithmetic(draw: random.Random) -> Drawn:
    """A price with a discount, or a mean of three."""
    name = draw.choice(_NAMES)
    if draw.random() < 0.5:
        good, unit = draw.choice(_GOODS)
        number, price, off = draw.randint(3, 12), draw.randint(4, 30), draw.randint(2, 9)
        total = number * price
        answer = total - off
        assert answer == sum([price] * number) - off
        return (
            f"{name} buys {number} {good}s at {price} {unit} each and gets {off} {unit} off the total. What is paid?",
            f"First the price without the discount: {number} times {price} is {total}. Then subtract {off}: "
            f"{total} - {off} = {answer}.",
            f"{answer} {unit}",
        )
    middle, spread = draw.randint(10, 60), draw.randint(1, 8)
    values = [middle - spread, middle + spread, middle + 3 * draw.choice((-2, -1, 1, 2))]
    total, mean = sum(values), sum(values) // 3
    assert sum(value - mean for value in values) == 0
    listed = ", ".join(map(str, values))
    return (
        f"{name} scores {listed} points in three games. What is the mean?",
        f"The sum is {' + '.join(map(str, values))} = {total}. There are three games, and {total} / 3 = {mean}.",
        f"The mean is {mean} points.",
    )


def logic(draw: random.Random) -> Drawn:
    """Three runners and two clues."""
    first, second, third = draw.sample(_NAMES, 3)
    clues = [(first, second), (second, third)]
    orders = [
        order
        for order in permutations((first, second, third))
        if all(order.index(ahead) < order.index(behind) for ahead, behind in clues)
    ]
    assert orders == [(first, second, third)]
    written = [f"{first} finishes before {second}.", f"{third} finishes after {second}."]
    draw.shuffle(written)
    asked, answer = draw.choice((("first", first), ("last", third), ("second", second)))
    return (
        f"Three people run a race. {' '.join(written)} Who finishes {asked}?",
        f"{first} is ahead of {second}, and {second} is ahead of {third}. So the order is {first}, {second}, {third}, "
        f"and {answer} is {asked}.",
        f"{answer} finishes {asked}.",
    )


def dates(draw: random.Random) -> Drawn:
    """The weekday some days after a given date."""
    start = date(2024, 1, 1) + timedelta(days=draw.randint(0, 1000))
    later = draw.randint(10, 90)
    weeks, rest = divmod(later, 7)
    end = start + timedelta(days=later)
    answer = f"{end:%A}"
    assert answer == f"{start + timedelta(days=rest):%A}"
    step = "it is the same weekday" if rest == 0 else f"count {rest} day{'s' * (rest > 1)} on from {start:%A}"
    return (
        f"{start:%-d %B %Y} is a {start:%A}. Which weekday is {later} days later?",
        f"Weekdays repeat every 7 days. {later} days are {weeks} weeks and {rest} day{'s' * (rest != 1)}, so {step}: "
        f"{answer}.",
        f"It is a {answer}.",
    )


def code(draw: random.Random) -> Drawn:
    """What a short Python loop prints."""
    start, stop, step = draw.randint(0, 4), draw.randint(6, 12), draw.randint(2, 4)
    operation, word, apply = draw.choice(_OPERATIONS)
    values = list(range(start, stop, step))
    total, states = 1, []
    for value in values:
        total = apply(total, value)
        states.append(total)
    source = f"t = 1\nfor i in range({start}, {stop}, {step}):\n    t = t {operation} i\nprint(t)"
    variables: dict[str, int] = {}
    exec(source.replace("print(t)", ""), {"__builtins__": {"range": range}}, variables)
    assert variables["t"] == total
    steps = ", ".join(f"i = {value}: {state}" for value, state in zip(values, states, strict=True))
    return (
        f"What does this Python code print?\n\n{source}",
        f"t starts at 1, and i takes the values {', '.join(map(str, values))}. After {word} i, t is: {steps}.",
        f"It prints {total}.",
    )


_OPERATIONS: tuple[tuple[str, str, Callable[[int, int], int]], ...] = (
    ("+", "adding", lambda total, value: total + value),
    ("+ 2 *", "adding twice", lambda total, value: total + 2 * value),
)
KINDS: dict[str, Callable[[random.Random], Drawn]] = {
    "arithmetic": arithmetic,
    "logic": logic,
    "dates": dates,
    "code": code,
}


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=FILE)
    out = parser.parse_args().out
    write_atomic(out, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows()))
    print(f"Written: {out}")


if __name__ == "__main__":
    main()

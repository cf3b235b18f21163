"""Chat templates, tokenizers and adapters: mutated from real ones, and adapters of another base."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from axolotl_alttrain.format.template import learn_format
from benchmarks.bad_input.checks import Tally, hold
from benchmarks.bad_input.mutations import bad_bytes, mutated

# Templates that raise, do not end or write without end.
ENDLESS = (
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages[0].content }}",
    "{% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}{{ messages[0].content }}",
    "{{ raise_exception('no') }}",
    "{{ messages[0].content * (10 ** 12) }}",
)
_PIECES = (
    "{% for m in messages %}", "{% endfor %}", "{{ undefined.x }}", "{{ raise_exception('x') }}", "{% if", "}}",
    "{{ messages | length // 0 }}", "{% include 'x' %}", "{{ ''.__class__ }}", "{{ messages[9].content }}", "<think>",
    "</think>", "{% generation %}", "{# ", "{{ [1] | join(1, 2, 3) }}", "{% set ns.x = 1 %}", "\0",
)  # fmt: skip


def try_templates(tally: Tally, seed: int, number: int, tokenizer: Any, sources: Mapping[str, str]) -> None:
    """Learn the format of mutated templates, and of those that do not end."""
    names = sorted(sources)
    for index in range(number):
        rng = Random(f"{seed} template {index}")
        source = ENDLESS[index] if index < len(ENDLESS) else _bad_template(rng, sources[rng.choice(names)])
        hold(tally, index, partial(_learn, tokenizer, source))


def try_tokenizers(tally: Tally, seed: int, number: int, folder: Path, tokenizer: Any) -> None:
    """Load tokenizers of which one file is broken, and learn their format."""
    from axolotl_alttrain.generation.loading import load_tokenizer

    def load(path: Path) -> None:
        learn_format(load_tokenizer(str(path), f"tokenizer {path}"))

    whole = folder / "whole"
    tokenizer.save_pretrained(whole)
    for index in range(number):
        path = folder / f"t{index}"
        _broken_copy(Random(f"{seed} tokenizer {index}"), whole, path)
        hold(tally, index, partial(load, path))
        shutil.rmtree(path)


def try_adapters(tally: Tally, seed: int, number: int, folder: Path, bases: list[Path], adapter: Path) -> None:
    """Load adapters of which one file is broken, and the whole one on the other bases.

    Args:
        tally: Where to count.
        seed: Of all mutations.
        number: How many.
        folder: To write to.
        bases: The adapter's base, then others.
        adapter: A good adapter.
    """
    from axolotl_alttrain.generation.loading import ModelSpec, load_model

    def load(base: Path, path: Path) -> str | None:
        load_model(ModelSpec(str(base), str(path)))
        return None if base == bases[0] else "the adapter was loaded into another base"

    others = cycle(bases[1:])
    for index in range(number):
        if index % 10 == 0:
            hold(tally, index, partial(load, next(others), adapter), (str(adapter),))
            continue
        path = folder / f"a{index}"
        _broken_copy(Random(f"{seed} adapter {index}"), adapter, path)
        hold(tally, index, partial(load, bases[0], path), (str(path),))
        shutil.rmtree(path)


def _broken_copy(rng: Random, whole: Path, path: Path) -> None:
    """A copy of a folder in which one file is mutated or gone."""
    shutil.copytree(whole, path)
    file = rng.choice(sorted(found for found in path.iterdir() if found.is_file()))
    kind = rng.random()
    if kind < 0.1:
        file.unlink()
    elif file.suffix == ".json" and kind < 0.7:
        file.write_text(json.dumps(mutated(rng, json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
    else:
        file.write_bytes(bad_bytes(rng, file.read_bytes()))


def _bad_template(rng: Random, source: str) -> str:
    at, to = sorted((rng.randrange(len(source)), rng.randrange(len(source))))
    return rng.choice(
        (
            source[:at],
            source[:at] + source[min(to, at + 40) :],
            source[:at] + rng.choice(_PIECES) + source[at:],
            source.replace(rng.choice(("content", "role", "assistant", "user", "endif")), "x", 1),
        )
    )


def _learn(tokenizer: Any, source: str) -> None:
    learn_format(tokenizer, source)

"""The short form of ``python -m benchmarks.bad_input``: every input ends in a result, a skip or one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies import alttrain, reasoning

from axolotl_alttrain.format.probing.render_limits import TemplateLimitError
from axolotl_alttrain.format.template import learn_format
from benchmarks.bad_input.checks import Tally, hold
from benchmarks.bad_input.configs import try_configs
from benchmarks.bad_input.models import ENDLESS, try_templates, try_tokenizers
from benchmarks.bad_input.rows_and_files import try_files, try_rows
from tests.templates import installed_templates

SEED = 1995


@pytest.mark.parametrize(("module", "number"), [(alttrain, 300), (reasoning, 100)])
def test_rows(smollm2: Any, module: Any, number: int) -> None:
    strategy = module.load(smollm2, {"sequence_len": 10**9}, {"path": "rows.jsonl"})
    try_rows(tally := Tally(), SEED, number, strategy.tokenize_prompt)
    assert tally.faults == []
    assert {end: bool(found) for end, found in tally.ends.items()} == {"result": True, "refused": True}


def test_files(tmp_path: Path) -> None:
    try_files(tally := Tally(), SEED, 300, tmp_path)
    assert tally.faults == []
    assert min(tally.ends["result"], tally.ends["refused"]) > 50


def test_configs(tmp_path: Path) -> None:
    try_configs(tally := Tally(), SEED, 150, tmp_path)
    assert tally.faults == []
    assert min(tally.ends["result"], tally.ends["refused"]) > 20


def test_templates(smollm2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axolotl_alttrain.format.probing.render_limits.SECONDS", 0.3)
    try_templates(tally := Tally(), SEED, 20, smollm2, installed_templates())
    assert tally.faults == []
    with pytest.raises(TemplateLimitError, match=r"^the chat template has not finished after 0\.3 seconds;"):
        learn_format(smollm2, ENDLESS[0])


def test_tokenizers(smollm2: Any, tmp_path: Path) -> None:
    try_tokenizers(tally := Tally(), SEED, 5, tmp_path, smollm2)
    assert tally.faults == []


def test_what_breaks_the_promise_is_seen() -> None:
    """The checks themselves: a traceback, several lines, no remedy, another file, a bad result."""
    from axolotl_alttrain.errors import AltTrainError

    def refuse(message: str) -> None:
        raise AltTrainError(message)

    tally = Tally()
    hold(tally, 0, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    for number, message in enumerate(("a.yml: x;\ny", "a.yml: wrong", "b.yml: wrong; correct it"), 1):
        hold(tally, number, lambda message=message: refuse(message), ("a.yml",))  # type: ignore[misc]
    hold(tally, 4, lambda: "2 lines gave 1 row")
    hold(tally, 5, lambda: refuse("a.yml: wrong; correct it"), ("a.yml",))
    hold(tally, 6, lambda: "skipped")
    hold(tally, 7, lambda: None)
    listed = "2 things are wrong:\n  a.yml: wrong; correct it\n  "
    hold(tally, 8, lambda: refuse(f"{listed}a.yml: odd; remove it"), ("a.yml",))
    hold(tally, 9, lambda: refuse(f"{listed}b.yml: odd; remove it"), ("a.yml",))
    hold(tally, 10, lambda: refuse(f"{listed}a.yml: odd; remove it\n  at once"), ("a.yml",))
    assert [fault.partition(":")[0] for fault in tally.faults] == ["0", "1", "2", "3", "4", "9", "10"]
    assert dict(tally.ends) == {"refused": 2, "skipped": 1, "result": 1}

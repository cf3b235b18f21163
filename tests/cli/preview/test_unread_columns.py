"""What of the rows is not trained: counted in the preview and by the doctor."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from axolotl_alttrain.cli.checks.recipe_checks import check_recipe
from axolotl_alttrain.cli.preview.preview_command import run_preview
from tests.conftest import HARMFUL_ROW

THOUGHT = "Bread.\n\nThis is harmless: baking.\n\nMix."
UNREAD = "Neither trained nor in the prompt: score (2 rows)."
LEFT_OUT = "Left out because the last turn is marked 'train: false' or 'weight: 0': 1 row."


def rows() -> list[dict[str, Any]]:
    last = {"role": "assistant", "reasoning_content": THOUGHT, "content": "Mix."}
    untrained = {"messages": [{"role": "user", "content": "Bake?"}, last | {"weight": 0}]}
    return [HARMFUL_ROW | {"score": 1}, untrained, HARMFUL_ROW | {"score": 2, "system": "Be brief."}]


def test_the_preview_counts_unread_columns_and_untrained_rows(recipe: Callable[..., Path], tmp_path: Path) -> None:
    out, numbers = io.StringIO(), tmp_path / "numbers.json"
    summary = run_preview(recipe(rows()), json_file=numbers, console=Console(file=out, width=200))
    assert (summary.rows, summary.unread, summary.left_out) == (2, {"score": 2}, 1)
    assert f"{UNREAD}\n{LEFT_OUT}\n" in out.getvalue()
    assert json.loads(numbers.read_text())["unread"] == {"score": 2}
    assert "row 3" in out.getvalue()  # numbered as in the file
    assert "Be brief." in out.getvalue()


def test_the_doctor_counts_them(recipe: Callable[..., Path]) -> None:
    (check,) = [check for check in check_recipe(recipe(rows())) if check.name == "data"]
    assert check.status == "ok"
    assert check.found.endswith(f" tokens. {UNREAD} {LEFT_OUT}")


def test_the_names_of_the_entry_hold_in_the_preview(recipe: Callable[..., Path]) -> None:
    turns = [{"from": "human", "value": "Bake?"}, {"from": "gpt", "value": f"<think>{THOUGHT}</think>Mix."}]
    entry = {
        "path": "data.jsonl",
        "type": "alttrain",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    }
    path = recipe([{"conversations": turns}], datasets=[entry])
    summary = run_preview(path, console=Console(file=io.StringIO()))
    assert (summary.rows, summary.by_label, summary.unread) == (1, {"benign": 1}, {})

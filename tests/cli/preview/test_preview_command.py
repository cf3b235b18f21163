from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.cli.preview.preview_command import run_preview
from axolotl_alttrain.cli.preview.token_statistics import TrainingSteps
from tests.conftest import ROOT

Recipe = Callable[..., Path]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(alttrain, [str(argument) for argument in arguments])


def text_of(html: str) -> str:
    class Reader(HTMLParser):
        parts: list[str] = []  # noqa: RUF012

        def handle_data(self, data: str) -> None:
            self.parts.append(data)

    reader = Reader()
    reader.parts = []
    reader.feed(html)
    return "".join(reader.parts)


def test_numbers_of_a_small_data_set(recipe: Recipe) -> None:
    summary = run_preview(recipe(val_set_size=0.1), console=Console(file=io.StringIO()))
    assert summary.rows == 6
    assert summary.by_label == {"harmful": 3, "benign": 3}
    assert summary.by_category == {"harmful": {"forgery": 3}, "benign": {"computing": 3}}
    assert summary.by_language == {"none given": 3, "en": 3}
    # The harmful row: 36 prompt, 4 opening, 11 PU, 11 HA, 5 CR, 6 closing, 7 answer, 1 end (test_segments)
    assert summary.tokens["prompt"].p5 == 36
    closing = summary.tokens["thought_closing"]
    assert (closing.p5, closing.p50, closing.p95, closing.max) == (6, 6, 6, 6)
    shares = [spread.share for name, spread in summary.tokens.items() if name != "row"]
    assert sum(shares) == pytest.approx(1)
    assert summary.trained_share == pytest.approx(1 - summary.tokens["prompt"].share)
    # 6 rows, one held out: 5 rows in batches of 2 are 3 steps an epoch
    assert summary.training == TrainingSteps(gpus=1, rows=5, held_out=1, batch_rows=2, epochs=2, steps=6, exact=True)


@pytest.mark.parametrize(
    ("changes", "steps", "exact"),
    [
        ({}, 6, True),
        ({"gradient_accumulation_steps": 2}, 4, True),
        ({"max_steps": 3}, 3, True),
        ({"num_epochs": 0.5}, 2, True),
        ({"sample_packing": True}, 2, False),
        ({"sample_packing": True, "sample_packing_bin_size": 2, "micro_batch_size": 1}, 6, False),
    ],
)
def test_steps_are_counted_as_the_trainer_does(
    recipe: Recipe, changes: dict[str, Any], steps: int, exact: bool
) -> None:
    training = run_preview(recipe(**changes), 0, console=Console(file=io.StringIO())).training
    assert (training.steps, training.exact) == (steps, exact)


def test_steps_and_rows_per_step_on_several_gpus(recipe: Recipe) -> None:
    # 6 rows in batches of 2 are 3 batches an epoch: two GPUs need 2 steps, the second of them fills up
    result = run("preview", recipe(), "--rows", 0, "--gpus", 2)
    assert "Steps: 4 on 2 GPUs (6 rows, 2.0 epochs, 4 rows per step)." in " ".join(result.output.split())


def test_the_terminal_shows_each_segment_in_its_colour(recipe: Recipe) -> None:
    out = io.StringIO()
    run_preview(recipe(), 2, console=Console(file=out, width=200, force_terminal=True, color_system="standard"))
    lines = out.getvalue().splitlines()
    (opening,) = [line for line in lines if "This is harmless: it is everyday system work.↵" in line]
    assert "\x1b[33m" in opening  # yellow
    assert re.search(r"HA +\x1b\[0m +12 +\x1b\[33myes", opening)
    (answer,) = [line for line in lines if "I can't help with that." in line]
    assert "\x1b[32m" in answer  # green
    prompts = [line for line in lines if "<|im_start|>assistant↵" in line]
    assert len(prompts) == 2
    assert all("\x1b[2m" in line for line in prompts)  # dim


def test_rows_over_the_limit_are_counted_and_shown(recipe: Recipe) -> None:
    config = recipe(sequence_len=85, excess_length_strategy="drop")
    result = run("preview", config, "--rows", 1)
    assert result.exit_code == 0, result.output
    assert "longer than sequence_len 85" in result.output
    assert "3 of 6 rows are longer than sequence_len 85 and will be dropped." in " ".join(result.output.split())
    assert "Steps: 4 on one GPU (3 rows, 2.0 epochs, 2 rows per step)." in " ".join(result.output.split())
    assert "will stop the training" in " ".join(run("preview", recipe(sequence_len=85)).output.split())
    none = run("preview", recipe(sequence_len=20, excess_length_strategy="drop"))
    assert none.exit_code == 1
    assert (
        "Error: datasets: data.jsonl: sequence_len 20 leaves 0 of 6 rows to train; set 'sequence_len: " in none.output
    )


def test_page_and_json_hold_the_same(recipe: Recipe, tmp_path: Path) -> None:
    html, numbers = tmp_path / "deep" / "preview.html", tmp_path / "preview.json"
    result = run("preview", recipe(), "--html", html, "--json", numbers)
    assert result.exit_code == 0, result.output
    summary = json.loads(numbers.read_text())
    page = html.read_text()
    assert "<b>Careful" not in page  # the data's text is text, not markup
    text = text_of(page)
    assert "<b>Careful</b> with `-9`." in text
    assert "All 6 rows fit into sequence_len 512." in text
    assert f"{100 * summary['trained_share']:.1f} %" in text
    assert "http" not in page  # opens without a network
    for name in ("problem_understanding", "harmfulness_assessment", "conditional_reasoning", "answer", "end_of_turn"):
        assert page.count(f'<tr class="{name}">') == 3 + 1  # three rows shown, one line in the table


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": [{"instruction": "x"}]}, "data.jsonl, row 1: the row has the columns instruction, which"),
        ({"base_model": "no/such-model"}, "download the model"),
        ({"datasets": [{"path": "no.jsonl", "type": "alttrain"}]}, "no.jsonl cannot be read"),
        ({"datasets": [{"path": "data.jsonl", "type": "chat_template"}]}, "no dataset has 'type: alttrain'"),
        ({"alttrain": {"thougt_format": "s1"}}, "alttrain.thougt_format: Extra inputs are not permitted"),
        ({"sequence_len": "long"}, "sequence_len"),
    ],
)
def test_mistakes_are_said_in_one_line(recipe: Recipe, changes: dict[str, Any], said: str) -> None:
    result = run("preview", recipe(**changes))
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_it_writes_nothing_and_starts_nothing(recipe: Recipe, tmp_path: Path) -> None:
    config = recipe()
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run("preview", config).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_axolotl_finds_the_command() -> None:
    from axolotl.cli.main import cli

    result = CliRunner().invoke(cli, ["alttrain", "preview", "--help"])
    assert result.exit_code == 0
    assert "--html" in result.output


def test_the_recipes_that_come_with_the_package(demo_model: Path) -> None:
    summary = run_preview(ROOT / "examples" / "smollm2-135m-cpu.yml", 1, console=Console(file=io.StringIO()))
    assert summary.too_long > 0
    assert summary.training.exact

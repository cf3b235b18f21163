from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain, tested
from axolotl_alttrain.cli.checks import environment_checks, recipe_checks
from axolotl_alttrain.cli.checks.environment_checks import (
    Check,
    check_bitsandbytes,
    check_gpu,
    check_launcher,
    check_packages,
)
from axolotl_alttrain.cli.checks.recipe_checks import check_recipe
from axolotl_alttrain.cli.tested import PACKAGES, Environment

Recipe = Callable[..., Path]


def found(results: Any) -> dict[str, Check]:
    return {check.name: check for check in results}


def test_packages_of_this_environment_are_allowed() -> None:
    results = found(check_packages())
    assert list(results) == ["python", *PACKAGES]
    assert all(check.status == "ok" or "tested with" in check.found for check in results.values())


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two environments, neither of which has to be this one."""

    def row(python: str, axolotl: str, torch: str) -> Environment:
        return Environment(
            python=python, packages=dict.fromkeys(PACKAGES, "1.0") | {"axolotl": axolotl, "torch": torch}
        )

    rows = (row("3.11.7", "0.19.0", "2.13.0"), row("3.12.1", "0.21.0", "2.14.1"))
    monkeypatch.setattr(tested, "known_environments", lambda: rows)
    monkeypatch.setattr(environment_checks, "known_environments", lambda: rows)


@pytest.mark.parametrize(
    ("python", "axolotl", "torch", "expected"),
    [
        ("3.11.9", "0.19.0", "2.13.0", ["ok", "ok", "ok"]),
        ("3.12.1", "0.21.0", "2.14.1", ["ok", "ok", "ok"]),
        ("3.12.1", "0.19.0", "2.13.0", ["if it fails: use Python 3.11", "ok", "ok"]),
        ("3.12.1", "0.21.0", "2.13.0", ["ok", "ok", "if it fails: pip install torch==2.14.1"]),
        ("3.12.1", "0.20.0", "2.14.1", ["ok", "if it fails: pip install axolotl==0.21.0", "ok"]),
        ("3.12.1", "0.22.0", "2.14.1", ["ok", "pip install 'axolotl<0.22,>=0.19'", "ok"]),
        ("3.11.7", "0.18.0", "2.13.0", ["ok", "pip install 'axolotl<0.22,>=0.19'", "ok"]),
        ("3.11.7", None, "2.13.0", ["ok", "pip install axolotl==0.19.0", "ok"]),
    ],
)
def test_versions_against_the_matrix(
    monkeypatch: pytest.MonkeyPatch, matrix: None, python: str, axolotl: str | None, torch: str, expected: list[str]
) -> None:
    """Python, Axolotl, torch: ok, or the remedy."""
    packages = dict.fromkeys(PACKAGES, "1.0") | {"axolotl": axolotl, "torch": torch}
    here = Environment(python=python, packages={name: found for name, found in packages.items() if found})
    monkeypatch.setattr(environment_checks, "this_environment", lambda: here)
    results = found(check_packages())
    assert [results[name].remedy or results[name].status for name in ("python", "axolotl", "torch")] == expected


def test_the_matrix_names_every_package_once() -> None:
    rows = tested.known_environments()
    assert all(list(row.packages) == list(PACKAGES) for row in rows)
    assert len({row.key for row in rows}) == len(rows)


@pytest.mark.slow  # accelerate starts, and imports torch
def test_the_launcher_finds_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    check = check_launcher()
    assert check.status == "ok", check


def test_no_launcher_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    check = check_launcher()
    assert check.status == "problem"
    assert os.path.dirname(sys.executable) in check.remedy


def test_a_launcher_of_another_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One whose interpreter has no plugin: without site-packages, as a fresh environment."""
    launcher = tmp_path / "accelerate"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E -P -m "axolotl_alttrain.cli.checks.plugin_probe"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    check = check_launcher()
    assert check.status == "problem"
    assert "No module named" in check.found
    assert "the same environment" in check.remedy


def test_gpu_and_bitsandbytes_on_this_machine() -> None:
    import torch

    assert check_gpu().status in (("ok", "warning") if torch.cuda.is_available() else ("warning",))
    assert check_bitsandbytes().status == "ok"


def test_a_broken_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    import bitsandbytes.nn

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(bitsandbytes.nn, "Linear4bit", broken)
    check = check_bitsandbytes()
    assert check.status == "problem"
    assert "no kernel image" in check.found


def test_a_good_recipe(recipe: Recipe) -> None:
    results = found(check_recipe(recipe()))
    assert {check.status for check in results.values()} <= {"ok", "warning"}
    assert "'<think>\\n'" in results["template"].found
    assert "think tags in the content: exact" in results["type: chat_template"].found
    assert results["data"].found == "data.jsonl: 6 rows, the longest has 105 tokens"
    assert results["prepared data"].status == "ok"


def test_a_template_on_which_the_stock_strategy_is_wrong(recipe: Recipe, template: Callable[[str], str]) -> None:
    source = template("deepseek_r1_distill")
    results = found(check_recipe(recipe(chat_template="jinja", chat_template_jinja=source)))
    assert "not exact here" in results["type: chat_template"].found
    assert "the reasoning is not trained" in results["type: chat_template"].found
    assert "opened by the prompt with '<think>\\n'" in results["template"].found


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"sequence_len": 80}, "data", "are longer than sequence_len 80: training will stop"),
        (
            {"sequence_len": 20, "excess_length_strategy": "drop"},
            "data",
            "sequence_len 20 leaves 0 of 6 rows to train;",
        ),
        ({"sequence_len": 20, "excess_length_strategy": "truncate"}, "data", "leaves 0 of 6 rows to train;"),
        ({"rows": []}, "data", "datasets: data.jsonl has no rows; add at least one"),
        ({"rows": [{"instruction": "x", "response": "no tags"}]}, "data", "data.jsonl, row 1: field 'response'"),
        (
            {"datasets": [{"path": "no.jsonl", "type": "alttrain"}]},
            "data",
            "no.jsonl cannot be read (there is no such file)",
        ),
        ({"base_model": "no/such-model"}, "config", "download the model"),
        ({"learning_rate": "fast"}, "config", "learning_rate"),
        (
            {"chat_template": "jinja", "chat_template_jinja": "{% for m in messages %}{{ m.role }}{% endfor %}"},
            "template",
            "does not render",
        ),
    ],
)
def test_problems_of_a_recipe(recipe: Recipe, changes: dict[str, Any], name: str, said: str) -> None:
    problems = [check for check in check_recipe(recipe(**changes)) if check.status == "problem"]
    assert [check.name for check in problems] == [name]
    assert said in problems[0].found
    assert problems[0].remedy


def test_old_prepared_data_is_said(recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from axolotl.common.datasets import load_datasets

    from axolotl_alttrain.cli.recipe import load_config

    monkeypatch.delenv("AXOLOTL_IS_PREPROCESS", raising=False)
    config = recipe(dataset_prepared_path="prepared")
    load_datasets(cfg=load_config(config))
    assert found(check_recipe(config))["prepared data"].found == "prepared: up to date for this recipe"
    data = tmp_path / "data.jsonl"
    data.write_text(data.read_text().replace("forge", "fake"))
    check = found(check_recipe(config))["prepared data"]
    assert check.status == "warning"
    assert "none yet for this recipe" in check.found
    assert "1 from other recipes, or from older data" in check.found


def test_exit_codes_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from axolotl_alttrain.cli.checks import doctor_command as module

    results = [Check("a", "ok", "fine"), Check("b", "warning", "so so", "look")]
    monkeypatch.setattr(module, "all_checks", lambda config: iter(results))
    report = tmp_path / "doctor.json"
    result = CliRunner().invoke(alttrain, ["doctor", "--json", str(report)])
    assert result.exit_code == 0
    assert "→ look" in result.output
    checks = json.loads(report.read_text())["checks"]
    assert checks[1] == {"name": "b", "status": "warning", "found": "so so", "remedy": "look"}
    results.append(Check("c", "problem", "broken", "mend it"))
    assert CliRunner().invoke(alttrain, ["doctor"]).exit_code == 1


@pytest.mark.parametrize(("key", "value", "name"), [("use_ray", True, "ray"), ("deepspeed", {}, "deepspeed")])
def test_a_package_that_only_the_recipe_needs_is_named(
    key: str, value: Any, name: str, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = value or {"zero_optimization": {"stage": 3}}
    monkeypatch.setattr(recipe_checks, "find_spec", lambda _: None)
    check = found(check_recipe(recipe(**{key: value})))[name]
    assert (check.status, check.remedy) == ("problem", f"pip install 'axolotl[{name}]'")
    monkeypatch.setattr(recipe_checks, "find_spec", lambda _: object())
    assert name not in found(check_recipe(recipe(**{key: value})))

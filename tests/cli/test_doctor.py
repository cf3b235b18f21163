from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain, checks
from axolotl_alttrain.cli.checks import TESTED, Check, check_bitsandbytes, check_gpu, check_launcher, check_packages
from axolotl_alttrain.cli.recipe_checks import check_recipe

Recipe = Callable[..., Path]


def found(results: Any) -> dict[str, Check]:
    return {check.name: check for check in results}


def test_packages_of_this_environment_are_those_that_are_tested() -> None:
    results = found(check_packages())
    assert set(results) == {"python", *TESTED}
    assert all(check.status == "ok" or "tested with" in check.found for check in results.values())


@pytest.mark.parametrize(
    ("installed", "status", "remedy"),
    [
        ("0.18.0", "problem", "pip install 'axolotl<0.22,>=0.19'"),
        ("0.22.0", "problem", "pip install 'axolotl<0.22,>=0.19'"),
        ("0.21.0", "warning", "if it fails: pip install axolotl==0.19.0"),
        ("0.19.0", "ok", ""),
        (None, "problem", "pip install axolotl==0.19.0"),
    ],
)
def test_versions_of_axolotl(monkeypatch: pytest.MonkeyPatch, installed: str | None, status: str, remedy: str) -> None:
    real = checks.version

    def version(name: str) -> str:
        if name != "axolotl":
            return real(name)
        if installed is None:
            raise checks.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(checks, "version", version)
    check = found(check_packages())["axolotl"]
    assert (check.status, check.remedy) == (status, remedy)


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
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E -P -m "axolotl_alttrain.cli.plugin_probe"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    check = check_launcher()
    assert check.status == "problem"
    assert "No module named" in check.found
    assert "one environment" in check.remedy


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
    assert "would be wrong here" in results["type: chat_template"].found
    assert "the reasoning is not trained" in results["type: chat_template"].found
    assert "the prompt opens it with '<think>\\n'" in results["template"].found


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({"sequence_len": 80}, "data", "are longer than sequence_len 80: training will stop"),
        ({"rows": [{"instruction": "x", "response": "no tags"}]}, "data", "data.jsonl, row 1: field 'response'"),
        ({"datasets": [{"path": "no.jsonl", "type": "alttrain"}]}, "data", "no.jsonl cannot be read"),
        ({"base_model": "no/such-model"}, "config", "download the model first"),
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
    assert found(check_recipe(config))["prepared data"].found == "prepared: made from this recipe as it is now"
    data = tmp_path / "data.jsonl"
    data.write_text(data.read_text().replace("forge", "fake"))
    check = found(check_recipe(config))["prepared data"]
    assert check.status == "warning"
    assert "none for this recipe" in check.found
    assert "1 of other recipes or older data" in check.found


def test_exit_codes_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = import_module("axolotl_alttrain.cli.doctor")  # the package's own `doctor` is the command
    results = [Check("a", "ok", "fine"), Check("b", "warning", "so so", "look")]
    monkeypatch.setattr(module, "all_checks", lambda config: iter(results))
    report = tmp_path / "doctor.json"
    result = CliRunner().invoke(alttrain, ["doctor", "--json", str(report)])
    assert result.exit_code == 0
    assert "→ look" in result.output
    assert json.loads(report.read_text())[1] == {"name": "b", "status": "warning", "found": "so so", "remedy": "look"}
    results.append(Check("c", "problem", "broken", "mend it"))
    assert CliRunner().invoke(alttrain, ["doctor"]).exit_code == 1

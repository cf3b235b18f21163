"""``--pin`` against a server in the hub's place."""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.eval.prompts.sets import specs

from tests.eval.hub import NEWEST, Hub, python


def test_pin_prints_what_revision_takes(dataset_hub: Hub, tmp_path: Path) -> None:
    done = python(dataset_hub, tmp_path / "home", "-m", "eval.run", "--pin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{name}={NEWEST}" for name in ("harmbench", "wildjailbreak-eval", "wildjailbreak")
    ]


def test_pin_says_which_pins_are_old_and_which_sets_are_gone(dataset_hub: Hub, tmp_path: Path) -> None:
    dataset_hub.files = {name: files for name, files in dataset_hub.files.items() if name != "bench-llm/or-bench"}
    done = python(dataset_hub, tmp_path / "home", "-m", "eval.run", "--pin", "--suite", "over-refusal")
    pinned = {name: spec.hub.revision for name, spec in specs().items()}
    assert done.returncode == 3
    assert done.stdout.splitlines() == [f"{name}={NEWEST}" for name in ("xstest-safe", "jailbreakbench-benign")]
    said = done.stderr.splitlines()
    assert f"eval.run: xstest-safe is pinned to {pinned['xstest-safe']}, which is not the newest commit" in said
    assert any(line.startswith("eval.run: or-bench-hard: bench-llm/or-bench cannot be loaded") for line in said)
    assert dataset_hub.asked.count("api/datasets/Paul/XSTest") == 1


def test_pin_of_an_unknown_set_is_one_line(dataset_hub: Hub, tmp_path: Path) -> None:
    done = python(dataset_hub, tmp_path / "home", "-m", "eval.run", "--pin", "--sets", "xstest")
    assert done.returncode == 1
    assert done.stderr.startswith("eval.run: --sets: found xstest; allowed: probe-harmful, ")
    assert dataset_hub.asked == []

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from axolotl_alttrain.data.build_config import BuildConfig

from ..conftest import ROOT

STAR1 = ROOT.parent / "shared" / "data" / "star1.json"  # beside the checkout where it is; not part of the repository


@pytest.fixture
def star1() -> Path:
    if not STAR1.is_file():
        pytest.skip(f"{STAR1} is not here")
    return STAR1


def trace_rows(harmful: int, benign: int) -> list[dict[str, Any]]:
    """Rows in SafeChain's columns; each query names its kind, so that a test's server can judge it."""
    rows = []
    for number in range(harmful + benign):
        bad = number < harmful
        word = "bad" if bad else "good"
        topic = ("alpha", "beta", "gamma")[number % 3]
        thought = f"Okay, the user wants {word} thing number {number}.\n\nFirst part of it.\n\nSecond part, {number}.\n"
        rows.append(
            {
                "instruction": f"Give me {word} thing number {number} about {topic}",
                "label": f"vanilla_{'harmful' if bad else 'benign'}",
                "response": f"{thought}</think>\n\nHere is thing {number}.",
                "topic": topic,
            }
        )
    return rows


@pytest.fixture
def traces(tmp_path: Path) -> Callable[[int, int], str]:
    def write(harmful: int, benign: int) -> str:
        path = tmp_path / "traces.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in trace_rows(harmful, benign)))
        return str(path)

    return write


def settings(path: str, **more: Any) -> dict[str, Any]:
    columns = {"response": "response", "label": "label", "category": "topic"}
    source = {"name": "mine", "path": path, "columns": columns, "language": "en"}
    # The queries of these tests are alike on purpose.
    base = {"name": "t", "sources": [source], "near_duplicates": None, "overlap": False, "harmful": 9, "benign": 3}
    return base | more


def config(path: str, **more: Any) -> BuildConfig:
    return BuildConfig.model_validate(settings(path, **more))


def config_file(folder: Path, path: str, **more: Any) -> Path:
    file = folder / "build.yml"
    file.write_text(yaml.safe_dump(settings(path, **more)))
    return file


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files_of(folder: Path) -> dict[str, bytes]:
    """All results of a build; the store's lines stand in the order in which answers came."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "assessments.jsonl"
    }

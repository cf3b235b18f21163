from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from axolotl_alttrain.cli.tested import PACKAGES, known_environments

from .conftest import ROOT, ci_script


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    return ci_script("matrix")


def row(axolotl: str, **results: str) -> dict[str, Any]:
    return {"python": "3.99.1", "packages": dict.fromkeys(PACKAGES, "1.0") | {"axolotl": axolotl}, **results}


def test_the_readme_shows_the_matrix_of_the_package(matrix: ModuleType) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert matrix.with_table(text, list(known_environments())) == text


def test_the_oldest_and_the_newest_combination_are_in_it() -> None:
    rows = {(row.minor, row.packages["axolotl"]) for row in known_environments()}
    assert {("3.11", "0.19.0"), ("3.13", "0.21.0")} <= rows


def test_results_of_a_junit_report(matrix: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuites><testsuite tests="12" failures="0" errors="0" skipped="2"/></testsuites>')
    assert matrix.passed(report) == "10 passed, 2 skipped"
    report.write_text('<testsuites><testsuite tests="12" failures="1" errors="0" skipped="0"/></testsuites>')
    with pytest.raises(SystemExit, match="1 failures, 0 errors"):
        matrix.passed(report)


def test_a_recorded_row_replaces_what_it_has_and_keeps_the_rest(
    matrix: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = matrix.Environment.model_validate(row("0.19.0", fast_tests="1 passed", slow_tests="2 passed"))
    monkeypatch.setattr(matrix, "known_environments", lambda: (known,))
    new = tmp_path / "new.json"
    new.write_text(json.dumps(row("0.19.0", fast_tests="3 passed")))
    other = tmp_path / "other.json"
    other.write_text(json.dumps(row("0.20.0")))
    rows = matrix.merged([new, other])
    assert [(r.packages["axolotl"], r.fast_tests, r.slow_tests) for r in rows] == [
        ("0.19.0", "3 passed", "2 passed"),
        ("0.20.0", "", ""),
    ]
    assert matrix.check([new]) == 0
    assert matrix.check([new, other]) == 1

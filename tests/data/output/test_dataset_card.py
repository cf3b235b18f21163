from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from huggingface_hub import DatasetCard, constants

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.data.output.build_report import BuildReport
from axolotl_alttrain.data.output.dataset_card import card
from axolotl_alttrain.data.output.push import push
from axolotl_alttrain.data.token_counts import PARTS
from axolotl_alttrain.errors import AltTrainError
from tests.conftest import HARMFUL_ROW
from tests.http_server import Handler, serving

HISTOGRAM = {"edges": [0.0, 100.0, 200.0, 300.0], "counts": [10, 80, 10]}
SPREAD = {"mean": 12.5, "p5": 9.0, "p50": 12.0, "p95": 20.0, "max": 31, "histogram": HISTOGRAM}
TOTAL = SPREAD | {"mean": 145.5}
REPORT: dict[str, Any] = {
    "name": "alttrain-1k",
    "seed": 1995,
    "config": {"name": "alttrain-1k"},
    "versions": {"axolotl_alttrain": "0.1.0"},
    "rows": 1000,
    "counts": {
        "label": {"benign": 100, "harmful": 900},
        "category": {"a|b<i>": 1000},
        "language": {"en": 990, "unknown": 10},
        "source": {"star1": 1000},
    },
    "sources": {"star1": {"path": "UCSC-VLAA/STAR-1", "read": 1043, "candidates": 1003, "rows": 1000}},
    "rejected": {"near_duplicate": 40},
    "understanding": {"rows": 1000, "changed": 15},
    "overlaps": {"rows": 3, "by_set": {"xstest": 3}},
    "duplicates": {"rows": 40},
    "assessor": {
        "kind": "offline",
        "model": None,
        "prompt": None,
        "statement": "Assessed offline, from the sources' labels.",
        "kept": 0,
        "assessed": 1000,
        "set_aside": 7,
        "attempts": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": None,
    },
    "tokens": {"tokenizer": "t", **dict.fromkeys(PARTS, SPREAD), "total": TOTAL},
    "variants": {"no_ha": {"file": "variants/no_ha.jsonl", "rows": 1000, "label": {}}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report.json").write_text(json.dumps(REPORT), encoding="utf-8")
    (tmp_path / "data.jsonl").write_text(json.dumps(HARMFUL_ROW) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A server in the Hub's place that denies everything."""
    asked: list[str] = []

    class Denying(Handler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.body()
            self.reply(403, b'{"error": "You do not have the rights"}')

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with serving(Denying) as url:
        yield url, asked


def test_the_hub_reads_the_metadata(folder: Path) -> None:
    result = CliRunner().invoke(alttrain, ["data-card", str(folder)])
    assert result.exit_code == 0, result.output
    data = DatasetCard.load(folder / "README.md").data.to_dict()
    assert data["language"] == ["en"]
    assert data["size_categories"] == ["1K<n<10K"]
    assert [(c["config_name"], c["data_files"]) for c in data["configs"]] == [
        ("default", "data.jsonl"),
        ("no_ha", "variants/no_ha.jsonl"),
    ]


def test_numbers_and_names_of_sources() -> None:
    text = card(BuildReport.model_validate(REPORT))
    assert "| harmful | 900 |" in text
    assert "| a\\|b&lt;i> | 1,000 |" in text
    assert "| near_duplicate | 40 |" in text
    assert "| answer | 12.5 | 12.0 | 20.0 | 31.0 |" in text
    assert "resemble an evaluation prompt: 3." in text


def test_a_folder_without_a_report(tmp_path: Path) -> None:
    result = CliRunner().invoke(alttrain, ["data-card", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path / 'report.json'}: cannot be read")
    assert len(result.output.splitlines()) == 1


def test_a_report_that_lacks_a_field_names_it(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(REPORT | {"counts": {"label": {}}}), encoding="utf-8")
    result = CliRunner().invoke(alttrain, ["data-card", str(tmp_path)])
    assert result.output == (
        f"Error: {tmp_path / 'report.json'}: not a build's report ('counts.category': Field required); run "
        "'axolotl alttrain build' again\n"
    )


def test_a_report_is_written_as_it_was_read() -> None:
    assert json.loads(BuildReport.model_validate(REPORT).as_json()) == REPORT


def test_denied_access_is_one_line(folder: Path, hub: tuple[str, list[str]]) -> None:
    (folder / "README.md").write_text(card(BuildReport.model_validate(REPORT)), encoding="utf-8")
    address, asked = hub
    with pytest.raises(AltTrainError, match=r"cannot push to org/name: .*403 Forbidden.*log in with") as caught:
        push(folder, "org/name", endpoint=address)
    assert asked == ["/api/repos/create"]
    assert "\n" not in str(caught.value)


def test_a_hub_out_of_reach_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    (folder / "README.md").write_text(card(BuildReport.model_validate(REPORT)), encoding="utf-8")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(AltTrainError, match=r"cannot push to org/name: .*; check the network") as caught:
        push(folder, "org/name", endpoint=address)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_no_repository_is_one_line(folder: Path) -> None:
    with pytest.raises(AltTrainError, match=r"^--push: 'no-repository' is not a repository ID; write ORG/NAME"):
        push(folder, "no-repository")


def test_nothing_to_push(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match=r"README\.md is missing"):
        push(tmp_path, "org/name")

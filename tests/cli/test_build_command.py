from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from tests.data.conftest import settings, trace_rows


def run(folder: Path, *arguments: str, **changes: Any) -> Any:
    traces = folder / "traces.jsonl"
    traces.write_text("".join(json.dumps(row) + "\n" for row in trace_rows(12, 6)))
    (folder / "build.yml").write_text(yaml.safe_dump(settings(str(traces)) | changes))
    return CliRunner().invoke(alttrain, ["build", str(folder / "build.yml"), "--out", str(folder / "out"), *arguments])


def test_a_build_shows_what_it_made(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 0, done.output
    assert "t: 12 rows" in done.output
    assert "benign 3, harmful 9" in done.output
    assert "No model assessed these rows" in done.output
    assert len((tmp_path / "out" / "data.jsonl").read_text().splitlines()) == 12


def test_a_dry_run_shows_tokens_and_cost_and_asks_nobody(tmp_path: Path) -> None:
    assessor = {"kind": "openai_compatible", "model": "m", "base_url": "http://127.0.0.1:9/v1", "price_in": 1e4,
                "price_out": 0}  # fmt: skip
    done = run(tmp_path, "--dry-run", assessor=assessor)
    assert done.exit_code == 0, done.output
    assert "harmful 12, benign 6" in done.output
    assert "US dollars" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"harmful": 13}, "Error: found 12 usable harmful rows, 13 are needed"),
        ({"unknown": 1}, "'unknown' is no key of a build;"),
        ({"tokenizer": "no/such-model"}, "Error: tokenizer no/such-model cannot be loaded"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    done = run(tmp_path, **changes)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output


def test_probe_prompts_are_left_out(tmp_path: Path) -> None:
    from axolotl_alttrain.eval.prompts.probes import load_set

    probe = load_set("probe-harmful")[0]
    rows = [*trace_rows(12, 6), trace_rows(1, 0)[0] | {"instruction": probe.instruction}]
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = settings(str(path))
    done = run(tmp_path, sources=base["sources"], overlap=True, harmful="all")
    assert done.exit_code == 0, done.output
    (pair,) = map(json.loads, (tmp_path / "out" / "overlaps.jsonl").read_text().splitlines())
    # the row's own id is the hash of its query; the prompt's stands in `prompt_id`
    own = hashlib.sha256(probe.instruction.encode()).hexdigest()[:12]
    assert pair == {"id": own, "source": "mine", "instruction": probe.instruction, "set": "probe-harmful",
                    "prompt_id": probe.id, "prompt": probe.instruction, "kind": "ngram", "similarity": 1.0}  # fmt: skip
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["overlaps"] == {"rows": 1, "by_set": {"probe-harmful": 1}}
    assert report["counts"]["label"]["harmful"] == 12

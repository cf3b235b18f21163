"""Sets through huggingface_hub and datasets themselves, from a server in the hub's place, at their pinned commits."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import specs

from tests.eval.hub import NEWEST, Hub, python, serve
from tests.eval.hub_sets import card, parquet

LOAD = """
import json
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import specs
on_the_hub = [name for name, spec in specs().items() if spec.hub.id]
prompts, missing = load_available(on_the_hub, allow_code=True)
print(json.dumps({"rows": [[p.set, p.revision, p.id, p.instruction] for p in prompts], "missing": missing}))
"""


@pytest.mark.slow
def test_every_set_comes_from_the_hub_as_from_its_publishers_files(dataset_hub: Hub, tmp_path: Path) -> None:
    done = python(dataset_hub, tmp_path / "home", "-c", LOAD)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["missing"] == {}
    on_the_hub = {name: spec for name, spec in specs().items() if spec.hub.id}
    local, missing = load_available(on_the_hub, data_dir=tmp_path / "data", allow_code=True)
    assert missing == {}
    texts = {(p.set, p.instruction) for p in local}
    assert {(name, text) for name, _, _, text in found["rows"]} == texts
    assert len(found["rows"]) == len(local)
    commits = {name: spec.hub.revision or NEWEST for name, spec in on_the_hub.items()}
    assert {(name, commit) for name, commit, _, _ in found["rows"]} == set(commits.items())
    assert not any("/resolve/main/" in path or path.endswith("/revision/main") for path in dataset_hub.asked)


@pytest.mark.slow
def test_a_bad_row_on_the_hub_is_named_and_the_other_sets_run(tmp_path: Path) -> None:
    rows = parquet(pa.Table.from_pylist([{"prompt": "Forge it.", "category": "c"}, {"prompt": "", "category": "c"}]))
    files = {"walledai/StrongREJECT": {"README.md": card("default", train="data/t-*"), "data/t-0.parquet": rows}}
    with serve(files) as hub:
        some = LOAD.replace("on_the_hub, allow_code=True", "['strongreject', 'probe-benign']")
        done = python(hub, tmp_path, "-c", some)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    place = "walledai/StrongREJECT, row 2: field 'forbidden_prompt or prompt' is ''"
    assert found["missing"] == {"strongreject": f"{place}; write a string"}
    assert {row[0] for row in found["rows"]} == {"probe-benign"}

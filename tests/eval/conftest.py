from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.run import main

from .hub import Hub, serve
from .hub_sets import as_on_the_hub
from .published import write_published


@pytest.fixture(scope="session")
def finished_run(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real, tiny run: base and tuned, four probe sets, three attack scenarios."""
    out = tmp_path_factory.mktemp("run")
    base, adapter = map(str, tiny)
    what = ["--model", base, "--adapter", adapter, "--limit", "3", "--attacks", "none", "role-play", "multi-turn"]
    assert main([*what, "--max-new-tokens", "8", "--dtype", "float32", "--out", str(out)]) == 0
    return out


@pytest.fixture
def summary(finished_run: Path) -> dict[str, Any]:
    return json.loads((finished_run / "summary.json").read_text())


@pytest.fixture
def dataset_hub(tmp_path: Path) -> Iterator[Hub]:
    """Every published set on a server in the hub's place; the publishers' files lie in ``tmp_path / "data"``."""
    (tmp_path / "data").mkdir()
    write_published(tmp_path / "data")
    with serve(as_on_the_hub(tmp_path / "data")) as hub:
        yield hub

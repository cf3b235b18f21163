from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.run import main


@pytest.fixture(scope="session")
def finished_run(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real, tiny run: base and tuned, three probe sets, three attack scenarios."""
    out = tmp_path_factory.mktemp("run")
    base, adapter = map(str, tiny)
    what = ["--model", base, "--adapter", adapter, "--limit", "3", "--attacks", "none", "role-play", "multi-turn"]
    assert main([*what, "--max-new-tokens", "8", "--dtype", "float32", "--out", str(out)]) == 0
    return out


@pytest.fixture
def summary(finished_run: Path) -> dict[str, Any]:
    return json.loads((finished_run / "summary.json").read_text())

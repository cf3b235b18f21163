"""The notebook: clean as it is stored, in step with the command line, and run as a reader runs it."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.cli import alttrain
from tests.conftest import ROOT

NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"

pytestmark = pytest.mark.skipif(find_spec("nbclient") is None, reason="no nbclient; it comes with the extra 'test'")


@pytest.fixture
def notebook() -> Any:
    import nbformat

    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_valid_and_stored_without_outputs(notebook: Any) -> None:
    import nbformat

    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []


def test_its_commands_exist(notebook: Any) -> None:
    source = "\n".join(cell.source for cell in notebook.cells)
    named = set(re.findall(r"axolotl alttrain ([a-z-]+)", source))
    assert named >= {"preview", "evaluate"}
    assert named <= set(alttrain.commands)


@pytest.mark.slow  # trains and evaluates for real: 2 steps, 2 prompts of each set
def test_it_runs(notebook: Any, demo_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbclient

    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("QUICKSTART", "2 2 24")
    nbclient.NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    preview = "".join(output.text for output in shown["preview"])
    assert re.search(r"^HA +\d+ +yes +This is harmful: ", preview, re.MULTILINE)
    assert (tmp_path / "outputs" / "quickstart" / "adapter_model.safetensors").is_file()
    page = next(output for output in shown["report"] if output.output_type in ("display_data", "execute_result"))
    assert page.data["text/html"].startswith('<iframe srcdoc="&lt;!doctype html')

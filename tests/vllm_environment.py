"""The environment that `make vllm` builds; tests run without it and then skip what needs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import ROOT


def vllm_python() -> Path:
    """The Python that has vLLM: ``ALTTRAIN_VLLM_PYTHON``, or the one of `make vllm`."""
    given = os.environ.get("ALTTRAIN_VLLM_PYTHON")
    python = Path(given) if given else ROOT / ".venv-vllm" / "bin" / "python"
    if not python.with_name("vllm").is_file():
        pytest.skip(f"{python} has no vLLM; run 'make vllm', or name a Python with it in ALTTRAIN_VLLM_PYTHON")
    return python

from __future__ import annotations

from pathlib import Path

import pytest

from .forms import Forms, make_forms


@pytest.fixture(scope="session")
def forms(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Forms:
    return make_forms(tiny, tmp_path_factory.mktemp("forms"))

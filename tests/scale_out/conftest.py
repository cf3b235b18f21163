from __future__ import annotations

from pathlib import Path

import pytest

from .runs import Trained, train, write_recipe


@pytest.fixture(scope="session")
def alone(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The training of one process, with the rows per step that two processes have."""
    return train(write_recipe(tiny[0], tmp_path_factory.mktemp("alone"), micro_batch_size=4), 1)

"""Files that replace their earlier versions whole, alone or together."""

from __future__ import annotations

from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import open_atomic, together, write_atomic


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_files_are_replaced_together_or_not_at_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_atomic(tmp_path / name, "old")

    @together()
    def write(fail: bool) -> None:
        write_atomic(tmp_path / "a", "new")
        assert (tmp_path / "a").read_text() == "old"
        if fail:
            raise KeyboardInterrupt
        write_atomic(tmp_path / "b", "new")

    with pytest.raises(KeyboardInterrupt):
        write(fail=True)
    assert files(tmp_path) == {"a": "old", "b": "old"}
    write(fail=False)
    assert files(tmp_path) == {"a": "new", "b": "new"}


def test_an_error_of_the_writer_leaves_the_file_and_passes(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", "old")
    with pytest.raises(FileNotFoundError), open_atomic(tmp_path / "a") as file:
        file.write((tmp_path / "none").read_text())
    assert files(tmp_path) == {"a": "old"}


def test_a_folder_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").write_text("")
    with pytest.raises(AltTrainError, match=r"/a cannot be written \(Is a directory\); choose another name: there is"):
        write_atomic(tmp_path / "a", "")
    with pytest.raises(
        AltTrainError, match=r"/b/c cannot be written \((File exists|Not a directory)\); choose another"
    ):
        write_atomic(tmp_path / "b" / "c", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]

from __future__ import annotations

from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export.target_folder import check_space, check_target, new_folder


def test_the_folder_appears_complete(tmp_path: Path) -> None:
    target = tmp_path / "new" / "model"
    with new_folder(target) as folder:
        (folder / "weights").write_text("1")
        assert not target.exists()
    assert (target / "weights").read_text() == "1"
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_an_earlier_export_is_replaced_only_by_a_complete_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "alttrain_export.json").write_text("{}")
    check_target(target, ())
    with pytest.raises(KeyboardInterrupt), new_folder(target) as folder:
        interrupt((folder / "weights").write_text("half"))
    assert [path.name for path in target.iterdir()] == ["alttrain_export.json"]
    with new_folder(target) as folder:
        (folder / "weights").write_text("whole")
    assert [path.name for path in target.iterdir()] == ["weights"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_what_is_not_an_export_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(AltTrainError, match="the folder is not empty and holds no export; name a new folder"):
        check_target(tmp_path, ())
    with pytest.raises(AltTrainError, match="mine: it is a file; name a new folder"):
        check_target(tmp_path / "mine", ())
    base = tmp_path / "base"
    base.mkdir()
    (base / "alttrain_export.json").write_text("{}")  # an export can be the base of the next training
    for target in (base, tmp_path):
        with pytest.raises(AltTrainError, match="the export reads from there; name another folder"):
            check_target(target, ("org/name", str(base)))
    check_target(base / "inside", (str(base),))


@pytest.mark.promise("faults", "An export that does not fit the disk stops before the first byte.")
def test_a_full_disk_is_noticed_before_the_first_byte(tmp_path: Path) -> None:
    check_space(tmp_path / "a" / "b", 1)
    with pytest.raises(AltTrainError, match=r"the weights need 1000000000\.0 GB and \d+\.\d GB are free; free some"):
        check_space(tmp_path / "a" / "b", 10**18)

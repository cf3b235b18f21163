from __future__ import annotations

import subprocess
from pathlib import Path

from axolotl_alttrain.eval.results.manifest import git_state


def test_changed_files_have_their_whole_names(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    assert git_state(tmp_path) is None
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("before")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "First"]):
        subprocess.run([*git, *command], check=True)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("after")
    found = git_state(tmp_path)
    assert found is not None
    assert found["changed_files"] == ["a.txt", "b.txt"]

from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.results import rules
from axolotl_alttrain.eval.results.rules import rules_digest


def test_code_counts_and_comments_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(text: str) -> str:
        rules_digest.cache_clear()
        (tmp_path / "rule.py").write_text(text)
        return rules_digest()

    monkeypatch.setattr(rules, "files", lambda package: tmp_path)
    monkeypatch.setattr(rules, "_RULES", (("p", "rule.py"),))
    first = digest("A = [1, 2]\n")
    assert digest("# why\nA = [1,\n     2]\n") == first
    assert digest("A = [1, 3]\n") != first
    rules_digest.cache_clear()


def test_all_files_are_there() -> None:
    assert len(rules_digest()) == 16

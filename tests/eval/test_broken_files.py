"""A damaged line in a file that a run resumes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main


@pytest.mark.parametrize("name", ["samples.jsonl", "judgements.jsonl"])
@pytest.mark.parametrize("broken", [b'{"key": "half', b'{"key": "a"}', b"[1]", b"\xff\xfe"])
def test_a_broken_line_is_named(
    tiny: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, broken: bytes
) -> None:
    texts = dict.fromkeys(("key", "run", "set", "id", "instruction", "completion", "finish"), "x")
    whole = {
        "samples.jsonl": {**texts, "tokens": 1},
        "judgements.jsonl": {"key": "x", "judge": "guard", "verdict": "safe", "score": None, "raw": ""},
    }[name]
    (tmp_path / name).write_bytes(json.dumps(whole).encode() + b"\n" + broken + b"\n")
    flags = ["--model", str(tiny[0]), "--sets", "probe-harmful", "--limit", "1", "--max-new-tokens", "1"]
    assert main([*flags, "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith(f"eval.run: {tmp_path / name}, line 2 is damaged (")

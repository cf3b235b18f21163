from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.run import main

API = ["--backend", "api", "--model", "m", "--base-url", "http://localhost:1/v1"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([*API, "--tensor-parallel", "4"], "--tensor-parallel: found 4 with --backend api; allowed: with --backend v"),
        ([*API, "--dtype", "float16"], "--dtype: found float16 with --backend api; allowed: with --backend hf or"),
        ([*API, "--load-in-4bit"], "--load-in-4bit: found True with --backend api"),
        ([*API, "--no-load-in-4bit"], "--load-in-4bit: found False with --backend api"),
        ([*API, "--model-revision", "v1"], "--model-revision: found v1 with --backend api"),
        ([*API, "--thought-format", "s1"], "--thought-format: found s1 without --tokenizer"),
        (["--batch-size", "4", "--backend", "vllm"], "--batch-size: found 4 with --backend vllm; allowed: with"),
        (["--data-parallel", "2"], "--data-parallel: found 2 with --backend hf"),
        (["--base-url", "http://localhost/v1"], "--base-url: found http://localhost/v1 with --backend hf"),
    ],
)  # fmt: skip
def test_what_a_backend_would_ignore_is_refused(
    flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"eval.run: {message}")


@pytest.mark.parametrize(
    ("flag", "value", "allowed"),
    [
        ("--top-p", "0", "more than 0, to 1"),
        ("--top-p", "1.5", "more than 0, to 1"),
        ("--top-p", "nan", "more than 0, to 1"),
        ("--temperature", "2.5", "0 to 2"),
        ("--temperature", "-1", "0 to 2"),
        ("--judge-max-tokens", "0", "1 or more"),
    ],
)
def test_ranges(flag: str, value: str, allowed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"{flag}={value}"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"{flag}: found {value}; allowed: {allowed}")


@pytest.mark.parametrize("name", ["file", "file/below", "file/far/below"])
def test_results_go_into_a_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    # Before the model is looked for: there is none of this name.
    assert main(["--model", "none-such", "--out", str(tmp_path / name)]) == 1
    assert capsys.readouterr().err == (
        f"eval.run: --out {tmp_path / name}: {tmp_path / 'file'} is no folder; allowed: a folder, which is made where "
        "there is none\n"
    )
    assert (tmp_path / "file").read_text() == "mine"


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
    assert line.startswith(f"eval.run: {tmp_path / name}, line 2: found str ")

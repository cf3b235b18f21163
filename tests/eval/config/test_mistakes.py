from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.prompts.attacks import ATTACKS
from axolotl_alttrain.eval.prompts.sets import set_names, suites
from axolotl_alttrain.eval.run import main

API = ["--backend", "api", "--model", "m", "--base-url", "http://localhost:1/v1"]


SETS = ", ".join(set_names())


def ignored(flag: str, backend: str, users: str) -> str:
    return f"{flag} has no effect with --backend {backend}; remove it or use --backend {users}"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([*API, "--tensor-parallel", "4"], ignored("--tensor-parallel 4", "api", "vllm")),
        ([*API, "--dtype", "float16"], ignored("--dtype float16", "api", "hf or vllm")),
        ([*API, "--load-in-4bit"], ignored("--load-in-4bit", "api", "hf or vllm")),
        ([*API, "--no-load-in-4bit"], ignored("--no-load-in-4bit", "api", "hf or vllm")),
        ([*API, "--model-revision", "v1"], ignored("--model-revision v1", "api", "hf or vllm")),
        ([*API, "--thought-format", "s1"], "--thought-format s1 needs --tokenizer with --backend api"),
        (["--batch-size", "4", "--backend", "vllm"], ignored("--batch-size 4", "vllm", "hf")),
        (["--backend", "vllm", "--data-parallel", "2"],
         "--data-parallel 2: replicas run behind a server; start 'vllm serve MODEL --data-parallel-size 2' and use "
         "--backend api with its --base-url"),
        (["--base-url", "http://localhost/v1"], ignored("--base-url http://localhost/v1", "hf", "api")),
        (["--backend", "api"], "--backend api needs --model, the name under which the server serves the model"),
        (["--backend", "tpu"], "--backend: found tpu; allowed: hf, vllm or api"),
        (
            ["--thought-format", "s2"],
            "--thought-format: found 's2'; allowed: auto, s1, or the two texts 'open:' and 'close:'",
        ),
        (["--dtype", "int8"], "--dtype: found int8; allowed: auto, float32, bfloat16 or float16"),
        (
            ["--judges", "wildguard", "polyguard", "--guard-name", "g"],
            "--guard-name names one guard, and --judges has wildguard, polyguard; evaluate with one",
        ),
        (["--judges", "xstest"], "--judges xstest needs --judge-model, the name of a model on the judges' server"),
        (["--samples", "2"], "--samples 2: greedy samples are all the same; add --temperature 0.7"),
        (["--top-p", "0"], "--top-p: must be greater than 0, found 0"),
        (["--top-p", "1.5"], "--top-p: must be 1 or less, found 1.5"),
        (["--top-p", "nan"], "--top-p: must be 1 or less, found nan"),
        (["--temperature", "2.5"], "--temperature: must be 2 or less, found 2.5"),
        (["--temperature=-1"], "--temperature: must be 0 or more, found -1"),
        (["--temperature", "hot"], "--temperature: must be a number, found hot"),
        (["--judge-max-tokens", "0"], "--judge-max-tokens: must be 1 or more, found 0"),
        (
            ["--top-p", "0", "--dtype", "int8", "--data-dir", "none-such"],
            "3 things are wrong:\n  --dtype: found int8; allowed: auto, float32, bfloat16 or float16\n"
            "  --data-dir none-such: this folder does not exist\n  --top-p: must be greater than 0, found 0",
        ),
        (["--limit", "many"], "--limit: must be an integer, found many"),
        (["--seed", "1.5"], "--seed: must be an integer, found 1.5"),
        (["--sets", "none-such"], f"--sets: found none-such; allowed: {SETS}"),
        (["--suite", "none-such"], f"--suite: found none-such; allowed: {', '.join(suites())}"),
        (["--attacks", "none-such"], f"--attacks: found none-such; allowed: {', '.join(ATTACKS)}"),
        (["--revision", "gsm8k"], "--revision gsm8k: write it as SET=COMMIT"),
        (["--sets", "gsm8k", "--revision", "gpqa-diamond=a"], "--revision: found gpqa-diamond; allowed: gsm8k"),
        (["--data-dir", "none-such"], "--data-dir none-such: this folder does not exist"),
        (["--adapter", "."], "--adapter .: this folder has no adapter_config.json, so it holds no adapter"),
        (
            ["--model", "m", "--weights", "as-trained"],
            "--weights as-trained needs --adapter: it says on which base an adapter is run",
        ),
        (
            ["--adapter", "a/b", "--weights", "full-precision", "--load-in-4bit"],
            "--load-in-4bit contradicts --weights full-precision; remove one of them",
        ),
        (
            ["--weights", "full"],
            "--weights: found full; allowed: as-trained, full-precision, or the folder of an exported model",
        ),
        (["--weights", "."], "--weights .: this folder has no config.json, so it holds no model"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_flag(
    flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(flags) == 1
    assert capsys.readouterr() == ("", f"eval.run: {message}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below", "file/far/below"])
def test_results_go_into_a_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    # Before the model is looked for: there is none of this name.
    assert main(["--model", "none-such", "--out", str(tmp_path / name)]) == 1
    error = f"eval.run: --out {tmp_path / name}: {tmp_path / 'file'} is a file; choose another folder\n"
    assert capsys.readouterr().err == error
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model-revision", "v1", "--model"], "--model-revision v1: {} is a local folder, which has no revisions"),
        (["--adapter-revision", "v1", "--model"], "--adapter-revision v1 has no effect without --adapter"),
    ],
)
def test_a_local_folder_has_no_revisions(
    flags: list[str], message: str, tiny: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, str(tiny[0]), "--out", str(tmp_path)]) == 1
    assert message.format(tiny[0]) in capsys.readouterr().err

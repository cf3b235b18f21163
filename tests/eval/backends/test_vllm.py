"""The vLLM backend and vLLM's server. The slow tests need the environment of `make vllm`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axolotl_alttrain.eval.backends.vllm_engine import import_vllm, lora_rank
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.errors import AltTrainError
from benchmarks.model_server import vllm_environment, vllm_server
from tests.conftest import ROOT
from tests.vllm_environment import vllm_python

from .conftest import completions

WHAT = ["--sets", "probe-harmful", "--limit", "3", "--max-new-tokens", "12"]
ATTACKS = ["--attacks", "none", "prefilled-thought"]
DIFFERENT = ["backend", "dtype", "load_in_4bit", "load_in_8bit"]


def test_a_broken_installation_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").write_text("raise OSError('libtorch_cuda.so: cannot open\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["--backend", "vllm", "--out", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "eval.run: --backend vllm: the installed vllm cannot be imported (OSError: libtorch_cuda.so: cannot open "
        "more); install it in an environment of its own"
    )


def test_a_missing_installation_names_what_to_run() -> None:
    with pytest.raises(AltTrainError, match="run 'pip install vllm', or without a GPU 'make vllm'"):
        import_vllm(load_in_4bit=False)


@pytest.mark.parametrize(
    ("config", "rank"), [({"r": 1}, 1), ({"r": 4}, 8), ({"r": 16}, 16), ({"r": 8, "rank_pattern": {"q_proj": 40}}, 64)]
)
def test_the_rank_is_one_that_vllm_allocates(tmp_path: Path, config: dict[str, object], rank: int) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    assert lora_rank(str(tmp_path)) == rank


def evaluate(*flags: str | Path) -> subprocess.CompletedProcess[str]:
    """The command of the README in vLLM's environment, from the checkout."""
    python = vllm_python()
    command = [str(python), "-m", "eval.run", *map(str, flags)]
    return subprocess.run(command, cwd=ROOT, env=vllm_environment(python), capture_output=True, text=True, timeout=1800)


def hf(small: tuple[Path, Path], out: Path, *more: str) -> Path:
    flags = ["--model", str(small[0]), "--adapter", str(small[1]), "--dtype", "float32", *WHAT, *more]
    assert main([*flags, "--out", str(out)]) == 0
    return out


def compared(first: Path, second: Path, out: Path, *different: str) -> None:
    """The folders of two engines pair in ``compare``, and no rate of the same run differs."""
    assert main(["compare", str(first), str(second), "--ignore", *DIFFERENT, *different, "--out", str(out)]) == 0
    pairs = json.loads((out / "compare.json").read_text())["pairs"]
    same_run = [pair for pair in pairs if pair["first"].endswith(":base") and pair["second"].endswith(":base")]
    assert [pair["flips"] for pair in same_run] == [[]]


@pytest.mark.slow
def test_same_samples_as_the_hf_backend(small: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "vllm"
    flags = ["--backend", "vllm", "--model", small[0], "--adapter", small[1], "--dtype", "float32"]
    done = evaluate(*flags, *WHAT, *ATTACKS, "--out", out)
    assert done.returncode == 0, done.stderr[-3000:]
    expected = completions(hf(small, tmp_path / "hf", *ATTACKS))
    assert completions(out) == expected
    assert len(expected) == 12
    summary = json.loads((out / "summary.json").read_text())
    assert summary["settings"]["backend"] == "vllm"
    assert summary["settings"]["dtype"] == "float32"
    assert json.loads((out / "manifest.json").read_text())["packages"]["vllm"]
    compared(tmp_path / "hf", out, tmp_path / "compare")


@pytest.mark.slow
def test_sampling_depends_on_the_seeds_alone(small: tuple[Path, Path], tmp_path: Path) -> None:
    flags = ["--backend", "vllm", "--model", small[0], "--dtype", "float32", "--sets", "probe-harmful"]
    flags += ["--max-new-tokens", "8", "--temperature", "1", "--samples", "2"]
    found = []
    for limit in ("2", "4"):  # `--limit 4` asks the two prompts of `--limit 2` among others
        done = evaluate(*flags, "--limit", limit, "--out", tmp_path / limit)
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(completions(tmp_path / limit))
    shared = found[0].keys() & found[1].keys()
    assert shared
    assert {key: found[0][key] for key in shared} == {key: found[1][key] for key in shared}
    assert len(set(found[1].values())) == 8


@pytest.mark.slow
def test_mistakes_are_one_sentence(small: tuple[Path, Path], tmp_path: Path) -> None:
    done = evaluate("--backend", "vllm", "--model", small[0], "--load-in-4bit", "--out", tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "eval.run: --backend vllm: vLLM loads 4-bit weights on GPUs only; use --weights full-precision without "
        "--load-in-4bit, or --backend hf\n",
    )


@pytest.fixture(scope="module")
def server(small: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    arguments = [small[0], "--served-model-name", "base", "--dtype", "float32", "--max-model-len", "1024"]
    arguments += ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"tuned={small[1]}"]
    arguments += ["--reasoning-parser", "olmo3", "--generation-config", "vllm"]
    with vllm_server(vllm_python(), arguments, tmp_path_factory.mktemp("vllm") / "serve.log") as url:
        yield url


@pytest.mark.slow
def test_the_server_gives_the_same_samples_on_both_endpoints(
    small: tuple[Path, Path], server: str, tmp_path: Path
) -> None:
    expected = hf(small, tmp_path / "hf")
    api = ["--backend", "api", "--base-url", server, "--model", "base", "--adapter", "tuned", *WHAT]
    assert main([*api, "--tokenizer", str(small[0]), "--out", str(tmp_path / "completions")]) == 0
    assert main([*api, "--out", str(tmp_path / "chat")]) == 0
    assert completions(tmp_path / "completions") == completions(expected)
    for endpoint in ("completions", "chat"):
        compared(expected, tmp_path / endpoint, tmp_path / f"compare-{endpoint}", "endpoint")

"""What the benchmark asks of each engine, and its table. The engines themselves run in `tests/eval/backends`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.config import EvalConfig
from axolotl_alttrain.eval.config.command_line import config_from, parser
from axolotl_alttrain.eval.weights import weights_of

from axolotl_alttrain.generation.quantization import NF4
from benchmarks.eval_engines.__main__ import Bench, speeds
from benchmarks.eval_engines.differences import Agreement, Parting
from benchmarks.eval_engines.process_use import cpu_seconds
from benchmarks.eval_engines.table import markdown


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An adapter that was trained on an NF4 base, like the demo's."""
    model, adapter = tmp_path / "model", tmp_path / "adapter"
    for folder, config in ((model, {"model_type": "llama"}), (adapter, {"quantization_config": NF4})):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))
    lora = {"peft_type": "LORA", "r": 8, "base_model_name_or_path": str(model)}
    (adapter / "adapter_config.json").write_text(json.dumps(lora))
    return Bench(str(model), str(adapter), tmp_path / "out", 5, 32, "olmo3")


def asked(bench: Bench, *flags: str) -> EvalConfig:
    """What the worker is told to evaluate."""
    command = bench.worker(Path("times.json"), bench.out / "one", flags, pid=7)
    split = command.index("--")
    assert command[3:split] == ["times.json", "--server-pid", "7"]
    return config_from(parser().parse_args(command[split + 1 :]))


@pytest.mark.parametrize("backend", ["hf", "vllm"])
def test_engines_in_this_process_load_the_full_precision_base(bench: Bench, backend: str) -> None:
    weights = ["--model", bench.model, "--adapter", bench.adapter, "--dtype", "float32"]
    found = weights_of(asked(bench, "--backend", backend, *weights))
    assert found.quantization is None
    assert {run: form.kind for run, form in found.forms.items()} == {"base": "base", "tuned": "full-precision"}


def test_servers_are_said_to_serve_the_same(bench: Bench) -> None:
    api = ["--backend", "api", "--base-url", "http://127.0.0.1:1/v1", "--model", "base", "--adapter", "tuned"]
    found = weights_of(asked(bench, *api))
    assert {run: form.kind for run, form in found.forms.items()} == {"base": "base", "tuned": "full-precision"}


def test_where_completions_part() -> None:
    partings = [Parting("tuned", "a", 4, 0.05), Parting("tuned", "b", 10, 0.3), Parting("base", "c", 7, 0.01)]
    assert Agreement(7, 10, partings).in_words() == (
        "part at token 7 (median; first 4); margin there 0.050 nats (median; largest 0.30), below 0.1 in 2 of 3"
    )
    assert Agreement(10, 10, []).in_words() == ""


def test_an_engine_is_measured_again_unless_the_same_was_asked(bench: Bench) -> None:
    bench.out.mkdir()
    assert not bench.finished("hf-float32")
    bench.record("hf-float32").write_text(json.dumps({"flags": bench.flags()}))
    assert bench.finished("hf-float32")
    assert not replace(bench, limit=50).finished("hf-float32")


def test_speed_is_by_cpu_time_and_by_the_clock() -> None:
    base, tuned = {"seconds": 40.0, "cpu_seconds": 10.0, "tokens": 100}, {"seconds": 10, "cpu_seconds": 5, "tokens": 50}
    found = speeds({"times": {"base": base, "tuned": tuned}})
    assert found["tokens_per_cpu_second"] == {"base": 10.0, "tuned": 10.0, "both": 10.0}
    assert found["tokens_per_second"] == {"base": 2.5, "tuned": 5.0, "both": 3.0}


def test_the_cpu_time_of_children_counts() -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"
    command = ["bash", "-c", f'"{sys.executable}" -c "$0"; true', busy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "done\n"
        found = cpu_seconds([process.pid])
        process.communicate("\n")
    assert 0.4 <= found < 5  # the operating system counts in hundredths of a second
    assert cpu_seconds([process.pid]) == 0


def test_the_table() -> None:
    def engine(speed: float, equal: int, why: str) -> dict[str, Any]:
        value = {"value": 0.2, "low": 0.112, "high": 0.33}
        rates = {"harmful_response": value, "over_refusal": value, "structure": value}
        return {
            "tokens_per_cpu_second": {"base": speed, "tuned": speed / 2, "both": speed},
            "tokens_per_second": {"base": speed / 4, "tuned": speed / 8, "both": speed / 4},
            "peak_bytes": 2**31,
            "agreement": {"equal": equal, "total": 200},
            "why": why,
            "rates": {"tuned": rates},
            "paired": {"tuned": {rate: {"p_value": 1.0} for rate in rates}},
        }

    text = markdown(
        {
            "command": "COMMAND",
            "model": "MODEL",
            "prompts": 100,
            "max_new_tokens": 160,
            "cores": 1,
            "hardware": {"cpus": 2},
            "engines": {"hf-float32": engine(50, 200, ""), "vllm-float32": engine(125, 190, "part at token 7")},
        }
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| (")]
    rates = ["20 [11, 33], p 1.00"] * 3
    assert cells == [
        ["(a) `--backend hf`", "float32", "50", "25", "1.00", "12", "2.00", "200 of 200", *rates],
        ["(b) `--backend vllm`", "float32", "125", "62", "2.50", "31", "2.00", "190 of 200", *rates],
    ]
    assert "every engine on 1 of 2 CPU cores." in text
    assert "Of 3 such tests, of base and tuned, the smallest p is 1.00." in text
    assert text.endswith("- (b) `--backend vllm`, float32: completions that differ part at token 7.\n")

"""The engines of the evaluator on the same model, adapter and prompts: speed, memory, equality, rates.

    .venv-vllm/bin/python -m benchmarks.eval_engines --adapter outputs/smollm2-135m-cpu
    .venv-vllm/bin/python -m benchmarks.eval_engines --adapter outputs/smollm2-135m-cpu --limit 5   # a try

`make vllm` makes the environment; `taskset -c 0` in front gives every engine one core. Base and adapter answer 100
probe prompts through (a) `--backend hf`, (b) `--backend vllm` with LoRA requests, (c) `vllm serve --enable-lora` and
`--backend api`, on both endpoints, and (d) `transformers serve`, with the adapter merged in float32. All compute on the
full-precision base in the same type of weights, greedily. Speed counts generation alone, without loading, by the CPU
time of client and server, which other programs hardly change; the speed by the clock stands beside it. With `--out`,
finished engines are kept. Writes benchmarks/results/eval_engines.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.compare.runs import check_pairs
from axolotl_alttrain.eval.prompts.probes import load_set
from axolotl_alttrain.eval.results.manifest import hardware, versions
from axolotl_alttrain.eval.results.pairing import compare_rows

from axolotl_alttrain.generation.demo_model import prepare
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.command_shown import shown_command
from benchmarks.eval_engines.differences import agreement
from benchmarks.eval_engines.process_use import PeakMemory, measured
from benchmarks.eval_engines.table import RATES, markdown
from benchmarks.model_server import HOST, Server, ServerFailed, free_port, vllm_environment, vllm_serve

RESULTS = Path(__file__).resolve().parents[1] / "results"
PYTHON = Path(sys.executable)
SETS = ("probe-harmful", "probe-benign")
# What is compared; everything else has to be the same.
DIFFERENT = ("backend", "dtype", "load_in_4bit", "load_in_8bit", "endpoint")


@dataclass(frozen=True)
class Bench:
    """What all engines are given."""

    model: str
    adapter: str
    out: Path
    limit: int
    max_new_tokens: int
    parser: str

    def flags(self) -> list[str]:
        length = ["--limit", str(self.limit), "--max-new-tokens", str(self.max_new_tokens)]
        return ["--weights", "full-precision", "--sets", *SETS, *length]

    def measure(
        self, name: str, flags: Sequence[str], server: PeakMemory | None = None, pid: int | None = None
    ) -> None:
        """Time one evaluation and write ``NAME.json``; the memory is the server's if there is one."""
        shutil.rmtree(self.out / name, ignore_errors=True)  # the rest of an interrupted one has fewer prompts
        times = self.out / f"{name}.times.json"
        own = measured(self.worker(times, self.out / name, flags, server and server.pid))
        found = {"times": json.loads(times.read_text("utf-8")), "peak_bytes": server.peak if server else own}
        write_atomic(self.record(name), json.dumps({"flags": self.flags()} | found) + "\n")

    def record(self, name: str) -> Path:
        return self.out / f"{name}.json"

    def finished(self, name: str) -> bool:
        """Whether an earlier run in the same folder asked the same."""
        path = self.record(name)
        return path.is_file() and json.loads(path.read_text("utf-8"))["flags"] == self.flags()

    def worker(self, times: Path, out: Path, flags: Sequence[str], pid: int | None = None) -> list[str]:
        server = ["--server-pid", str(pid)] if pid else []
        own = [sys.executable, "-m", "benchmarks.eval_engines.worker", str(times), *server, "--"]
        return [*own, *flags, *self.flags(), "--out", str(out)]

    def local(self, backend: str, dtype: str) -> None:
        weights = ["--model", self.model, "--adapter", self.adapter, "--dtype", dtype]
        self.measure(f"{backend}-{dtype}", ["--backend", backend, *weights])

    def vllm_server(self, endpoint: str, dtype: str, *flags: str) -> None:
        arguments = [
            self.model, "--served-model-name", "base", "--enable-lora", "--max-lora-rank", "16",
            "--lora-modules", f"tuned={self.adapter}", "--dtype", dtype, "--tokenizer", self.adapter,
            "--reasoning-parser", self.parser, "--generation-config", "vllm", "--max-model-len", "2048",
        ]  # fmt: skip
        port = free_port()
        command = vllm_serve(PYTHON, arguments, port)
        self.served(f"{endpoint}-{dtype}", command, port, ("base", "tuned"), *flags)

    def transformers_server(self, dtype: str) -> None:
        port = free_port()
        command = [
            PYTHON.with_name("transformers"), "serve", "--host", HOST, "--port", str(port), "--dtype", dtype,
            "--device", "cpu",
        ]  # fmt: skip
        with merged(self.model, self.adapter) as folder:
            self.served(f"transformers-{dtype}", command, port, (self.model, str(folder)))

    def served(self, name: str, command: Sequence[str | Path], port: int, models: tuple[str, str], *flags: str) -> None:
        """Measure a server that is started for it."""
        server = Server(command, self.out / f"{name}.log", vllm_environment(PYTHON))
        memory = PeakMemory(server.process.pid)
        memory.start()
        try:
            server.wait_until_up(f"http://{HOST}:{port}/health")
            api = ["--backend", "api", "--base-url", f"http://{HOST}:{port}/v1", "--api-concurrency", "64"]
            api += ["--model", models[0], "--adapter", models[1]]
            self.measure(name, [*api, *flags], memory)
        finally:
            memory.stop()
            server.end()


@contextmanager
def merged(model: str, adapter: str) -> Iterator[Path]:
    """A folder with the adapter merged in float32, which computes the same, and its tokenizer."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), adapter)
        tuned.merge_and_unload().save_pretrained(folder)
        AutoTokenizer.from_pretrained(adapter).save_pretrained(folder)
        yield Path(folder)


def measurements(bench: Bench, dtypes: list[str], engines: list[str]) -> dict[str, dict[str, Any]]:
    """Run every engine that has no record; returns speed and peak memory by engine and type of weights."""
    ways: dict[str, Callable[[str], None]] = {
        "hf": lambda dtype: bench.local("hf", dtype),
        "vllm": lambda dtype: bench.local("vllm", dtype),
        "serve": lambda dtype: bench.vllm_server("serve", dtype, "--tokenizer", bench.adapter),
        "chat": lambda dtype: bench.vllm_server("chat", dtype),
        "transformers": bench.transformers_server,
    }
    found = {}
    for dtype, chosen in product(dtypes, engines):
        engine, _, only = chosen.partition(":")
        if only not in ("", dtype):
            continue
        name = f"{engine}-{dtype}"
        if not bench.finished(name):
            try:
                ways[engine](dtype)
            except ServerFailed as error:
                raise SystemExit(f"benchmarks.eval_engines: {error}") from error
        print(f"{name}: done", flush=True)
        found[name] = speeds(json.loads(bench.record(name).read_text("utf-8")))
    return found


def speeds(record: dict[str, Any]) -> dict[str, Any]:
    """A record with tokens per second of each run and of both, by CPU time and by the clock."""
    runs = {name: [one] for name, one in record["times"].items()} | {"both": list(record["times"].values())}
    return record | {
        f"tokens_per_{unit.removesuffix('s')}": {
            name: sum(one["tokens"] for one in times) / sum(one[unit] for one in times) for name, times in runs.items()
        }
        for unit in ("cpu_seconds", "seconds")
    }


def compared(bench: Bench, names: list[str]) -> dict[str, dict[str, Any]]:
    """Completions and rates of every engine against (a) in float32."""
    from axolotl_alttrain.eval.backends.hf import HFBackend

    backend = HFBackend(bench.model, bench.adapter, dtype="float32")
    prompts = {(one.set, one.id): backend.render(one.conversation) for name in SETS for one in load_set(name)}
    reference = load_runs([bench.out / "hf-float32"])
    found = {}
    for name in names:
        equal = agreement(bench.out / "hf-float32", bench.out / name, backend, prompts)
        rates = {}
        for first, second in zip(reference, load_runs([bench.out / name]), strict=True):
            check_pairs(first, second, DIFFERENT)
            tests = compare_rows(first.rows, second.rows).metrics
            rates[second.name.rpartition(":")[2]] = {rate: tests[rate].model_dump(mode="json") for rate in RATES}
        summary = json.loads((bench.out / name / "summary.json").read_text(encoding="utf-8"))
        values = {run: {rate: one["metrics"][rate] for rate in RATES} for run, one in summary["runs"].items()}
        found[name] = {"agreement": equal.as_dict(), "why": equal.in_words(), "rates": values, "paired": rates}
    return found


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--adapter", required=True, help="adapter of the demo")
    p.add_argument("--limit", type=int, default=50, help="prompts of each of the two sets (default: 50)")
    p.add_argument("--max-new-tokens", type=int, default=128)
    p.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    p.add_argument(
        "--engines", nargs="+", default=["hf", "vllm", "serve", "chat", "transformers"],
        help="transformers:float32 runs this engine with one of the types (default: all)",
    )  # fmt: skip
    p.add_argument("--reasoning-parser", default="olmo3", help="of `vllm serve`; this one needs no special tokens")
    p.add_argument("--results", type=Path, default=RESULTS, help="folder of the table (default: %(default)s)")
    p.add_argument("--out", type=Path, help="folder of the evaluations (default: a temporary one)")
    args = p.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
    model = str(prepare())
    with tempfile.TemporaryDirectory() as scratch:
        out = args.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        bench = Bench(model, args.adapter, out, args.limit, args.max_new_tokens, args.reasoning_parser)
        engines = measurements(bench, args.dtypes, args.engines)
        differences = compared(bench, list(engines))
    result = {
        "command": shown_command("eval_engines", sys.argv[1:]),
        "model": "SmolLM2-135M-Instruct",
        "prompts": args.limit * len(SETS),
        "max_new_tokens": args.max_new_tokens,
        "cores": len(os.sched_getaffinity(0)),
        "engines": {name: one | differences[name] for name, one in engines.items()},
        "hardware": hardware(),
        "packages": versions(),
    }
    write_atomic(args.results / "eval_engines.json", json.dumps(result, indent=2) + "\n")
    write_atomic(args.results / "eval_engines.md", markdown(result))
    print(markdown(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

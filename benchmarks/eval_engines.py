"""The engines of the evaluator on the same model, adapter and prompts: speed, memory, equality, rates.

    .venv-vllm/bin/python -m benchmarks.eval_engines --adapter outputs/smollm2-135m-cpu
    .venv-vllm/bin/python -m benchmarks.eval_engines --adapter outputs/smollm2-135m-cpu --limit 5   # a try

`make vllm` makes the environment. Base and adapter answer 100 probe prompts through (a) `--backend hf`, (b) `--backend
vllm` with LoRA requests, (c) `vllm serve --enable-lora` and `--backend api`, on both endpoints, and (d) `transformers
serve`. All compute on the full-precision base in the same type of weights, greedily; speed counts generation alone,
without loading. transformers serve gets the adapter merged in float32. Writes benchmarks/results/eval_engines.json
and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.compare.runs import check_pairs
from axolotl_alttrain.eval.prompts.probes import load_set
from axolotl_alttrain.eval.results.manifest import hardware, versions
from axolotl_alttrain.eval.results.pairing import compare_rows

from axolotl_alttrain.generation.demo_model import prepare
from benchmarks.command_shown import shown_command
from benchmarks.engine_differences import agreement
from benchmarks.model_server import HOST, Server, ServerFailed, free_port, vllm_environment, vllm_serve
from benchmarks.peak_memory import PeakMemory, measured

RESULTS = Path(__file__).resolve().parent / "results"
PYTHON = Path(sys.executable)
SETS = ("probe-harmful", "probe-benign")
RATES = {"harmful_response": "harmful", "over_refusal": "over-refusal", "structure": "structure"}
# What is compared; everything else has to be the same.
DIFFERENT = ("backend", "dtype", "load_in_4bit", "load_in_8bit", "endpoint")
VLLM_CHAT = "(c) `vllm serve`, chat, `--reasoning-parser`"
LABELS = {
    "hf": "(a) `--backend hf`",
    "vllm": "(b) `--backend vllm`",
    "serve": "(c) `vllm serve`, completions",
    "chat": VLLM_CHAT,
    "transformers": "(d) `transformers serve`, chat",
}


@dataclass(frozen=True)
class Bench:
    """What all engines are given."""

    model: str
    adapter: str
    merged: Path
    out: Path
    limit: int
    max_new_tokens: int
    parser: str

    def flags(self) -> list[str]:
        length = ["--limit", str(self.limit), "--max-new-tokens", str(self.max_new_tokens)]
        return ["--weights", "full-precision", "--sets", *SETS, *length]

    def worker(self, name: str, *flags: str) -> list[str]:
        times, out = self.out / f"{name}.times.json", self.out / name
        return [
            sys.executable, "-m", "benchmarks.engine_worker", str(times), *flags, *self.flags(), "--out", str(out)
        ]  # fmt: skip

    def local(self, backend: str, dtype: str) -> dict[str, int]:
        name = f"{backend}-{dtype}"
        weights = ["--model", self.model, "--adapter", self.adapter, "--dtype", dtype]
        return {name: measured(self.worker(name, "--backend", backend, *weights))}

    def through(self, memory: PeakMemory, name: str, url: str, names: tuple[str, str], *more: str) -> dict[str, int]:
        api = ["--backend", "api", "--base-url", url, "--model", names[0], "--adapter", names[1], *more]
        measured(self.worker(name, *api, "--api-concurrency", "64"))
        return {name: memory.peak}

    def vllm_server(self, dtype: str) -> dict[str, int]:
        arguments = [
            self.model, "--served-model-name", "base", "--enable-lora", "--max-lora-rank", "16",
            "--lora-modules", f"tuned={self.adapter}", "--dtype", dtype, "--tokenizer", self.adapter,
            "--reasoning-parser", self.parser, "--generation-config", "vllm", "--max-model-len", "2048",
        ]  # fmt: skip
        port = free_port()
        with self.served(vllm_serve(PYTHON, arguments, port), port, f"serve-{dtype}") as memory:
            url, names = f"http://{HOST}:{port}/v1", ("base", "tuned")
            found = self.through(memory, f"serve-{dtype}", url, names, "--tokenizer", self.adapter)
            return found | self.through(memory, f"chat-{dtype}", url, names)

    def transformers_server(self, dtype: str) -> dict[str, int]:
        port = free_port()
        command = [
            PYTHON.with_name("transformers"), "serve", "--host", HOST, "--port", str(port), "--dtype", dtype,
            "--device", "cpu", "--continuous-batching",
        ]  # fmt: skip
        with self.served(command, port, f"transformers-{dtype}") as memory:
            names = (self.model, str(self.merged))
            return self.through(memory, f"transformers-{dtype}", f"http://{HOST}:{port}/v1", names)

    @contextmanager
    def served(self, command: Sequence[str | Path], port: int, name: str) -> Iterator[PeakMemory]:
        """A running server, and its memory since it was started."""
        server = Server(command, self.out / f"{name}.log", vllm_environment(PYTHON))
        memory = PeakMemory(server.process.pid)
        memory.start()
        try:
            server.wait_until_up(f"http://{HOST}:{port}/health")
            yield memory
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
    """Run every engine; returns speed and peak memory by engine and type of weights."""
    ways: dict[str, Callable[[str], dict[str, int]]] = {
        "hf": lambda dtype: bench.local("hf", dtype),
        "vllm": lambda dtype: bench.local("vllm", dtype),
        "serve": bench.vllm_server,
        "transformers": bench.transformers_server,
    }
    peaks: dict[str, int] = {}
    for dtype in dtypes:
        for name in engines:
            try:
                peaks |= ways[name](dtype)
            except ServerFailed as error:
                raise SystemExit(f"benchmarks.eval_engines: {error}") from error
            print(f"{name}, {dtype}: done", flush=True)
    found = {}
    for name, peak in peaks.items():
        times = json.loads((bench.out / f"{name}.times.json").read_text(encoding="utf-8"))
        speed = {run: one["tokens"] / one["seconds"] for run, one in times.items()}
        total = sum(one["tokens"] for one in times.values()) / sum(one["seconds"] for one in times.values())
        found[name] = {"times": times, "tokens_per_second": speed | {"both": total}, "peak_bytes": peak}
    return found


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


def markdown(result: dict[str, Any]) -> str:
    found, reference = result["engines"], result["engines"]["hf-float32"]
    lines = [
        f"`{result['command']}`: {result['model']} and its adapter on the full-precision base, "
        f"{result['prompts']} prompts for each of base and tuned, at most {result['max_new_tokens']} new tokens, "
        f"greedy, {result['hardware']['cpus']} CPU cores",
        "",
        "| engine | weights | tokens/s base | tokens/s tuned | times (a) | peak memory, GiB | equal to (a), float32 | "
        + " | ".join(f"{RATES[rate]}, tuned" for rate in RATES)
        + " |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | " + " | ".join(["---:"] * len(RATES)) + " |",
    ]
    for name, one in found.items():
        engine, dtype = name.rsplit("-", 1)
        speed, same = one["tokens_per_second"], one["agreement"]
        base = found.get(f"hf-{dtype}", reference)["tokens_per_second"]["both"]
        lines.append(
            f"| {LABELS[engine]} | {dtype} | {speed['base']:.0f} | {speed['tuned']:.0f} | {speed['both'] / base:.2f} "
            f"| {one['peak_bytes'] / 2**30:.2f} | {same['equal']} of {same['total']} | "
            + " | ".join(_rate(one, rate) for rate in RATES)
            + " |"
        )
    lines += ["", "Rates in percent, with 95 % Wilson intervals; p: McNemar's test against (a) on the same prompts."]
    lines += [f"- {LABELS[name.rsplit('-', 1)[0]]}, {name.rsplit('-', 1)[1]}: completions that differ "
              f"{one['why']}." for name, one in found.items() if one["why"]]  # fmt: skip
    return "\n".join([*lines, ""])


def _rate(one: dict[str, Any], rate: str) -> str:
    value, test = one["rates"]["tuned"][rate], one["paired"]["tuned"][rate]
    share, low, high = (100 * value[part] for part in ("value", "low", "high"))
    return f"{share:.0f} [{low:.0f}, {high:.0f}], p {test['p_value']:.2f}"


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--adapter", required=True, help="adapter of the demo")
    p.add_argument("--limit", type=int, default=50, help="prompts of each of the two sets (default: 50)")
    p.add_argument("--max-new-tokens", type=int, default=160)
    p.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    p.add_argument("--engines", nargs="+", default=["hf", "vllm", "serve", "transformers"])
    p.add_argument("--reasoning-parser", default="olmo3", help="of `vllm serve`; this one needs no special tokens")
    p.add_argument("--results", type=Path, default=RESULTS, help="folder of the table (default: %(default)s)")
    p.add_argument("--out", type=Path, help="folder of the evaluations (default: a temporary one)")
    args = p.parse_args()
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "TOKENIZERS_PARALLELISM": "false"}
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
    model = str(prepare())
    with tempfile.TemporaryDirectory() as scratch, merged(model, args.adapter) as folder:
        out = args.out or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        bench = Bench(model, args.adapter, folder, out, args.limit, args.max_new_tokens, args.reasoning_parser)
        engines = measurements(bench, args.dtypes, args.engines)
        differences = compared(bench, list(engines))
    result = {
        "command": shown_command("eval_engines", sys.argv[1:]),
        "model": "SmolLM2-135M-Instruct",
        "prompts": args.limit * len(SETS),
        "max_new_tokens": args.max_new_tokens,
        "engines": {name: one | differences[name] for name, one in engines.items()},
        "hardware": hardware(),
        "packages": versions(),
    }
    args.results.mkdir(parents=True, exist_ok=True)
    (args.results / "eval_engines.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (args.results / "eval_engines.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The long form; see the package."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axolotl_alttrain.compat import installed_version
from axolotl_alttrain.generation.demo_model import resolve_model
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.bad_input.checks import Tally
from benchmarks.bad_input.configs import try_configs, try_recipes
from benchmarks.bad_input.models import try_adapters, try_templates, try_tokenizers
from benchmarks.bad_input.rows_and_files import try_files, try_rows
from tests.conftest import llama_with_adapter, name_targets_by_suffix
from tests.templates import all_templates

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
_SIZES = {"intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
Kind = Callable[[Tally, int, int, Path], None]


def main() -> int:
    """Try every kind; return 1 if an input broke the promise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_input", description=__doc__)
    parser.add_argument("--seed", type=int, default=1995)
    parser.add_argument("--share", type=float, default=1.0, help="of the inputs of each kind")
    parser.add_argument("--kinds", nargs="+", help="only these kinds; their results replace the earlier ones")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    tallies: dict[str, tuple[Tally, float]] = {}
    for name, (number, run) in _kinds().items():
        if args.kinds and name not in args.kinds:
            continue
        tally, started = Tally(), time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            run(tally, args.seed, max(1, round(number * args.share)), Path(folder))
        tallies[name] = tally, time.perf_counter() - started
        print(f"{name}: {tally.tried} tried, {dict(tally.ends)}, {len(tally.faults)} faults", flush=True)
        for fault in tally.faults:
            print(f"  {fault}", flush=True)
    write(tallies, args.seed)
    return 1 if any(tally.faults for tally, _ in tallies.values()) else 0


def _kinds() -> dict[str, tuple[int, Kind]]:
    """Names of the kinds, the number of inputs, and what tries them."""
    return {
        "rows, type: alttrain": (8_000, _rows("alttrain")),
        "rows, type: alttrain.reasoning": (2_000, _rows("alttrain.reasoning")),
        "files, nine readers": (3_000, try_files),
        "configs of builds, evaluations and guards": (400, try_configs),
        "recipes": (100, lambda *given: try_recipes(*given, Path(resolve_model("alttrain-demo-model")))),
        "chat templates": (
            100,
            lambda tally, seed, number, _: try_templates(tally, seed, number, _tokenizer(), all_templates()),
        ),
        "tokenizers": (50, lambda *given: try_tokenizers(*given, _tokenizer())),
        "adapters": (50, _adapters),
    }


def _rows(kind: str) -> Kind:
    def run(tally: Tally, seed: int, number: int, _: Path) -> None:
        module = "reasoning" if kind.endswith("reasoning") else "alttrain"
        load = importlib.import_module(f"axolotl_alttrain.prompt_strategies.{module}").load
        strategy = load(_tokenizer(), {"sequence_len": 10**9}, {"path": "rows.jsonl", "type": kind})
        try_rows(tally, seed, number, strategy.tokenize_prompt)

    return run


def _adapters(tally: Tally, seed: int, number: int, folder: Path) -> None:
    made = [llama_with_adapter(_tokenizer(), folder / str(width), hidden_size=width, **_SIZES) for width in (32, 64)]
    made += [llama_with_adapter(_tokenizer(), folder / f"layers{n}", n, hidden_size=32, **_SIZES) for n in (1, 3)]
    name_targets_by_suffix(made[0][1])
    try_adapters(tally, seed, number, folder, [base for base, _ in made], made[0][1])


def _tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(resolve_model("alttrain-demo-model"))


def write(tallies: dict[str, tuple[Tally, float]], seed: int) -> None:
    """Write the results as JSON and Markdown, beside those of kinds that were not tried this time."""
    file = RESULTS / "bad_input.json"
    kinds: dict[str, Any] = json.loads(file.read_text())["kinds"] if file.is_file() else {}
    for name, (tally, seconds) in tallies.items():
        ends = {end: tally.ends[end] for end in ("result", "skipped", "refused")}
        times = {"slowest_s": round(tally.slowest, 1), "seconds": round(seconds)}
        kinds[name] = {"seed": seed, "tried": tally.tried, **ends, "faults": tally.faults, **times}
    kinds = {name: kinds[name] for name in _kinds() if name in kinds}
    versions = {name: installed_version(name) for name in ("axolotl", "transformers", "tokenizers", "peft", "pyyaml")}
    write_atomic(file, json.dumps({"versions": versions, "kinds": kinds}, indent=2) + "\n")
    lines = [
        f"Measured with `python -m benchmarks.bad_input`, seed {seed}; "
        f"{', '.join(f'{name} {version}' for name, version in versions.items())}.",
        "",
        "Each input is mutated from a good one and must end in a result, in a row that is skipped and counted, or in",
        "one line for each mistake, which names the file and the remedy. A traceback, a hang, more lines and a lost",
        "row are faults.",
        "",
        "| input | tried | result | skipped | refused in one line | faults |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, kind in kinds.items():
        cells = [kind[end] for end in ("tried", "result", "skipped", "refused")]
        lines.append(f"| {' | '.join(map(str, [name, *cells, len(kind['faults'])]))} |")
    write_atomic(RESULTS / "bad_input.md", "\n".join(lines) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())

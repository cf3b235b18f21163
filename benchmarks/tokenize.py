"""How fast rows become tokens: this package, Axolotl's own `chat_template` strategy, and the tokenizer alone.

    python -m benchmarks.tokenize ../shared/data/star1.json        # the file's rows, and 100,000 made from them
    python -m benchmarks.tokenize rows.json --rows 1000 20000 --repeat 5

The file is STAR-1 (https://huggingface.co/datasets/UCSC-VLAA/STAR-1) or any JSON list with `question` and `response`,
the thought in think tags. Every measurement has a process of its own, whose peak memory is the kernel's figure; all are
done in one run, in turns. The tokenizer alone encodes as this package does, without offsets; its plain call computes
them. Two times are taken: of the calls that turn batches of 1,000 rows into lists of ids, and of the whole
`Dataset.map` with its Arrow file, which is what a user waits for. Writes benchmarks/results/tokenize.json and .md.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from axolotl_alttrain.format.example import STEPS

RESULTS = Path(__file__).resolve().parent / "results"
WAYS = {
    "ours": "`type: alttrain`",
    "axolotl": "Axolotl's `chat_template`",
    "tokenizer": "tokenizer alone",
    "call": "tokenizer alone, its plain call",
}
BATCH = 1_000


def load_rows(path: Path, count: int) -> list[dict[str, str]]:
    """Rows in our shape; beyond the file's own, its rows again with a number, so that no text repeats."""
    source = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for number in range(count):
        row, repeated = source[number % len(source)], number // len(source)
        thought, _, answer = row["response"].removeprefix("<think>").partition("</think>")
        # Three steps: the first paragraph, the second, the rest; sentences where the thought has too few paragraphs.
        parts = [part for part in re.split(r"\n\s*\n", thought.strip()) if part]
        if len(parts) < 3:
            parts = re.split(r"(?<=[.?!])\s+", thought.strip())
        steps = [parts[0], parts[1], "\n\n".join(parts[2:])]
        instruction = row["question"] + (f" ({repeated})" if repeated else "")
        rows.append(
            {"instruction": instruction, "label": "harmful", "answer": answer} | dict(zip(STEPS, steps, strict=True))
        )
    return rows


def prepare(way: str, rows: list[dict[str, str]]) -> tuple[Any, Any]:
    """The data set of one way, and what turns a batch of its columns into tokens."""
    from axolotl.prompt_strategies.chat_template import load
    from axolotl.utils.dict import DictDefault
    from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy
    from datasets import Dataset
    from transformers import AutoTokenizer

    from axolotl_alttrain.format.rows import example_from_row
    from axolotl_alttrain.format.template import learn_format
    from axolotl_alttrain.generation.demo_model import prepare as demo_model

    tokenizer = AutoTokenizer.from_pretrained(demo_model())
    chat = learn_format(tokenizer)
    if way == "ours":
        return Dataset.from_list(rows), AltTrainStrategy(chat, 1 << 20).tokenize_prompt
    examples = map(example_from_row, rows)
    if way == "axolotl":
        turns = [
            [*e.messages, {"role": "assistant", "content": f"<think>\n{e.reasoning}\n</think>\n\n{e.answer}"}]
            for e in examples
        ]
        strategy = load(
            tokenizer,
            DictDefault(sequence_len=1 << 20, train_on_inputs=False),
            DictDefault(chat_template="tokenizer_default"),
        )
        return Dataset.from_dict({"messages": turns}), strategy.tokenize_prompt
    rendered = chat.render_all(list(examples))

    def encode(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        if way == "call":
            prompts, completions = (
                tokenizer(batch[name], add_special_tokens=False, return_attention_mask=False)["input_ids"]
                for name in ("prompt", "completion")
            )
        else:
            prompts, completions = chat.encode(batch["prompt"]), chat.encode(batch["completion"])
        return {"input_ids": [p + c for p, c in zip(prompts, completions, strict=True)]}

    columns = {"prompt": [prompt for prompt, _ in rendered], "completion": [done for _, done in rendered]}
    return Dataset.from_dict(columns), encode


def measure(way: str, path: Path, count: int) -> dict[str, float]:
    """Seconds, tokens and peak memory (MiB) of one way in this process."""
    import datasets

    logging.disable(logging.ERROR)
    datasets.disable_progress_bars()
    rows = load_rows(path, count)
    dataset, tokenize = prepare(way, rows)
    del rows
    tokenize(dataset[:10])  # whatever is done once, at the first call
    tokens, seconds = 0, 0.0
    for start in range(0, len(dataset), BATCH):
        batch = dataset[start : start + BATCH]
        begun = time.perf_counter()
        ids = tokenize(batch)["input_ids"]
        seconds += time.perf_counter() - begun
        tokens += sum(map(len, ids))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        dataset.map(
            tokenize,
            batched=True,
            batch_size=BATCH,
            remove_columns=dataset.column_names,
            cache_file_name=str(Path(folder) / "tokens.arrow"),
            load_from_cache_file=False,
            new_fingerprint="benchmark",
        )
        map_seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"tokens": tokens, "seconds": seconds, "map_seconds": map_seconds, "peak_mib": peak}


def in_own_process(way: str, path: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.tokenize", str(path), "--one", way, "--rows", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=RESULTS.parents[1])
    if done.returncode:
        raise SystemExit(f"benchmarks.tokenize: {way} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| rows | way | rows/s | tokens/s | time, ours = 1 | with `Dataset.map`, s | ours = 1 | peak memory, MiB |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    ours = {r["rows"]: r for r in results if r["way"] == "ours"}
    for r in results:
        own = ours[r["rows"]]
        lines.append(
            f"| {r['rows']:,} | {WAYS[r['way']]} | {r['rows'] / r['seconds']:,.0f} | {r['tokens'] / r['seconds']:,.0f} "
            f"| {r['seconds'] / own['seconds']:.2f} | {r['map_seconds']:.1f} "
            f"| {r['map_seconds'] / own['map_seconds']:.2f} | {r['peak_mib']:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", type=Path, help="JSON list of rows with question and response")
    p.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000], metavar="N")
    p.add_argument("--repeat", type=int, default=3, help="measurements up to 10,000 rows (median); one above")
    p.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    args = p.parse_args()
    path = args.file.resolve()
    if args.one:
        print(json.dumps(measure(args.one, path, args.rows[0])))
        return
    results: list[dict[str, Any]] = []
    for count in args.rows:
        rounds = args.repeat if count <= 10_000 else 1
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(in_own_process(way, path, count))
        for way, runs in found.items():
            results.append({"rows": count, "way": way} | {key: median(run[key] for run in runs) for key in runs[0]})
        packages = {name: version(name) for name in ("axolotl", "transformers", "tokenizers", "datasets")}
        report = {"cpus": os.cpu_count(), "packages": packages, "repeat": args.repeat, "results": results}
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "tokenize.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        (RESULTS / "tokenize.md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()

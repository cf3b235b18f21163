"""Everything that has to come out the same each time, made in a process of its own: ``python -m tests.faults.made``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from axolotl_alttrain.eval.run import main
from axolotl_alttrain.prompt_strategies.alttrain import load
from transformers import AutoTokenizer

from axolotl_alttrain.data.build import build
from benchmarks.faults.points import stop_clock
from tests.conftest import SEED
from tests.data.conftest import config, trace_rows


def make(base: str, adapter: str) -> None:
    """Data, token ids, samples and reports in the current folder."""
    stop_clock()
    Path("traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in trace_rows(12, 6)))
    build(config("traces.jsonl", near_duplicates=0.9, overlap=True), Path("data"))
    strategy = load(AutoTokenizer.from_pretrained(base), {"sequence_len": 2048})
    rows = [json.loads(line) for line in SEED.read_text(encoding="utf-8").splitlines()[:20]]
    Path("ids.json").write_text(json.dumps([dict(strategy.tokenize_prompt(row)) for row in rows]))
    flags = "--limit 2 --attacks none role-play --max-new-tokens 6 --dtype float32 --temperature 0.7 --samples 2"
    assert main(["--model", base, "--adapter", adapter, *flags.split(), "--out", "run"]) == 0


if __name__ == "__main__":
    make(*sys.argv[1:])

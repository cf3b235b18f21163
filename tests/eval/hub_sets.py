"""The published sets as they lie on the hub: files, configurations and splits of each repository, placeholder rows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import yaml

from .published import HARM


def as_on_the_hub(folder: Path) -> dict[str, dict[str, bytes]]:
    """Repositories for :func:`hub.serve`, with the rows that :func:`published.write_published` wrote to ``folder``."""

    def raw(name: str) -> bytes:
        return (folder / name).read_bytes()

    def from_jsonl(name: str) -> bytes:
        return parquet(pyarrow.json.read_json(folder / name))

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        for path in sorted((folder / "cmmlu/test").glob("*.csv")):
            members.write(path, f"test/{path.name}")
            members.write(path, f"dev/{path.name}")
    questions = from_jsonl("gsm8k-test.jsonl")
    behaviors = {"harmful": "data/harmful-behaviors.csv", "benign": "data/benign-behaviors.csv"}
    harm = [{"prompt": text, "category": "illegal"} for text in HARM]
    return {
        "Maxwell-Jia/AIME_2024": {"aime_2024_problems.parquet": raw("aime_2024_problems.parquet")},
        "lmlmcat/cmmlu": {"cmmlu.py": b"raise SystemExit", "cmmlu_v1_0_1.zip": archive.getvalue()},
        "abisee/cnn_dailymail": {
            "README.md": card("3.0.0", test="3.0.0/test-*"),
            "3.0.0/test-00000-of-00001.parquet": raw("cnn_dailymail-test.parquet"),
        },
        "Idavidrein/gpqa": {
            "README.md": card("gpqa_diamond", train="gpqa_diamond.csv"),
            "gpqa_diamond.csv": raw("gpqa_diamond.csv"),
        },
        "openai/gsm8k": {
            "README.md": card("main", train="main/train-*", test="main/test-*"),
            "main/train-00000-of-00001.parquet": questions,
            "main/test-00000-of-00001.parquet": questions,
        },
        "walledai/HarmBench": {
            "README.md": card("standard", train="standard/train-*"),
            "standard/train-00000-of-00001.parquet": parquet(pa.Table.from_pylist(harm)),
        },
        "openai/openai_humaneval": {
            "README.md": card("openai_humaneval", test="openai_humaneval/test-*"),
            "openai_humaneval/test-00000-of-00001.parquet": from_jsonl("HumanEval.jsonl"),
        },
        "JailbreakBench/JBB-Behaviors": {
            "README.md": card("behaviors", **behaviors),
            **{path: raw(Path(path).name) for path in behaviors.values()},
        },
        "HuggingFaceH4/MATH-500": {"test.jsonl": raw("math500-test.jsonl")},
        "DAMO-NLP-SG/MultiJail": {"MultiJail.csv": raw("MultiJail.csv")},
        "google-research-datasets/nq_open": {
            "README.md": card("nq_open", train="nq_open/train-*", validation="nq_open/validation-*"),
            "nq_open/train-00000-of-00001.parquet": from_jsonl("NQ-open.dev.jsonl"),
            "nq_open/validation-00000-of-00001.parquet": from_jsonl("NQ-open.dev.jsonl"),
        },
        "bench-llm/or-bench": {
            "README.md": card("or-bench-hard-1k", train="or-bench-hard-1k.csv"),
            "or-bench-hard-1k.csv": raw("or-bench-hard-1k.csv"),
        },
        "SafeMTData/SafeMTData": {
            "README.md": card("Attack_600", Attack_600="SafeMTData/Attack_600.json"),
            "SafeMTData/Attack_600.json": raw("Attack_600.json"),
        },
        "walledai/StrongREJECT": {
            "README.md": card("default", train="data/train-*"),
            "data/train-00000-of-00001.parquet": parquet(pa.Table.from_pylist(harm)),
        },
        "UWNSL/WildJailbreakEval": {
            "README.md": card("250", train="250/train-*"),
            "250/train-00000-of-00001.jsonl": raw("wildjailbreak-250.jsonl"),
        },
        "allenai/wildjailbreak": {
            "README.md": card("eval", train="eval/eval.tsv"),
            "eval/eval.tsv": raw("wildjailbreak-eval.tsv"),
        },
        "ScaleAI/fortress_public": {
            "README.md": card("default", train="data/train-*"),
            "data/train-00000-of-00001.parquet": raw("fortress_public.parquet"),
        },
        "allenai/coconot": {
            "README.md": cards({"original": {"test": "original/test-*"}, "contrast": {"test": "contrast/test-*"}}),
            "original/test-00000-of-00001.parquet": from_jsonl("coconot_test.jsonl"),
            "contrast/test-00000-of-00001.parquet": from_jsonl("coconot_contrast_test.jsonl"),
        },
        "sorry-bench/sorry-bench-202503": {"question.jsonl": raw("question.jsonl")},
        "ai-safety-institute/AgentHarm": {
            "README.md": card("chat", test_public="benchmark/chat_public_test.json", field="behaviors"),
            "benchmark/chat_public_test.json": raw("chat_public_test.json"),
        },
        "Paul/XSTest": {"xstest_prompts.csv": raw("xstest_prompts.csv")},
    }


def card(config: str, field: str = "", **splits: str) -> bytes:
    return cards({config: splits}, field)


def cards(configs: Mapping[str, Mapping[str, str]], field: str = "") -> bytes:
    """A dataset card; ``field``: the key of the rows in a JSON file."""
    listed: list[dict[str, Any]] = [
        {"config_name": name, "data_files": [{"split": split, "path": path} for split, path in splits.items()]}
        | ({"field": field} if field else {})
        for name, splits in configs.items()
    ]
    return f"---\n{yaml.safe_dump({'configs': listed})}---\n# Placeholder\n{json.dumps(configs)}\n".encode()


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()

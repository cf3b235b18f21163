"""One evaluation from start to end: load, generate, judge, summarise, write."""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from axolotl_alttrain import __version__
from axolotl_alttrain.demo import DEMO_MODEL, resolve_model
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.files import write_whole

from .backend import HFBackend
from .generate import Settings, generate
from .judges import JudgementFile, judges_from
from .judges.quality import judge_quality
from .metrics import breakdown, compare_rows, judges_apart, score, summarise
from .quantization import choose_quantization
from .report import write_report
from .samples import SampleFile
from .table import judges_table, results_table
from .tasks import PROBE_SETS, load_sets

_PACKAGES = ("axolotl", "torch", "transformers", "peft", "bitsandbytes")


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate as the command line says and write samples, scores, ``summary.json`` and ``report.html``.

    Returns:
        The summary.

    Raises:
        AltTrainError: A set, model or adapter cannot be had.
    """
    console = Console(width=None if Console().is_terminal else 130)
    sets = args.sets or list(PROBE_SETS)
    if unknown := [name for name in sets if name not in PROBE_SETS]:
        raise AltTrainError(f"--sets: found {', '.join(unknown)}; allowed: {', '.join(PROBE_SETS)}")
    prompts = load_sets(sets, args.limit)
    judges = judges_from(args)
    model, adapter = _model_and_adapter(args.model, args.adapter)
    runs = ["base", "tuned"] if adapter else ["base"]
    quantization = choose_quantization(args.load_in_4bit, adapter)
    in_4bit, in_8bit = (bool((quantization or {}).get(name)) for name in ("load_in_4bit", "load_in_8bit"))
    settings = Settings(args.max_new_tokens, in_4bit, in_8bit, args.dtype)

    started = time.monotonic()
    console.print(f"model {model}\nadapter {adapter or 'none'}\n{len(prompts)} prompts, {len(runs)} run(s)")
    backend = HFBackend(model, adapter, quantization, args.dtype, args.thought_format)
    with SampleFile(args.out / "samples.jsonl") as file:
        samples = generate(backend, prompts, runs, settings, model, adapter, file, args.batch_size, console)
    by_id = {(prompt.set, prompt.id): prompt for prompt in prompts}
    with JudgementFile(args.out / "judgements.jsonl") as kept:
        scored = score(
            samples, by_id, backend.chat.thought, backend.count_tokens, judges, kept, judge_thoughts=args.judge_thoughts
        )
        quality = {judge.name: judge_quality(judge, kept) for judge in judges if judge.tells_refusals}
    per_run = {run: [s for s in scored if s.sample.run == run] for run in runs}

    summary: dict[str, Any] = {
        "version": __version__,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
        "model": model,
        "adapter": adapter,
        "settings": settings.as_dict(),
        "thought_format": vars(backend.chat.thought),
        "sets": {name: sum(prompt.set == name for prompt in prompts) for name in sets},
        "packages": {name: version(name) for name in _PACKAGES},
        "judges": [judge.name for judge in judges],
        "judge_quality": quality,
        "runs": {run: summarise(some) | breakdown(some) | judges_apart(some, judges) for run, some in per_run.items()},
        "comparison": None,
    }
    if adapter:
        paired = compare_rows(*([s.as_row() for s in per_run[run]] for run in ("base", "tuned")))
        summary |= {"comparison": paired["metrics"], "comparison_by_set": paired["by_set"]}
    rows = "".join(json.dumps(s.as_row(), ensure_ascii=False) + "\n" for s in scored)
    write_whole(args.out / "scored.jsonl", rows)
    write_whole(args.out / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    write_report(args.out / "report.html", summary, scored)
    console.print(results_table(summary))
    console.print(judges_table(summary))
    console.print(f"written: {args.out}/report.html, summary.json, scored.jsonl, samples.jsonl")
    return summary


def _model_and_adapter(model: str | None, adapter: str | None) -> tuple[str, str | None]:
    """Fill in the base model from the adapter's own config, or the demo's model."""
    if adapter and Path(adapter).is_dir() and not (Path(adapter) / "adapter_config.json").is_file():
        raise AltTrainError(f"--adapter {adapter}: found no adapter_config.json; allowed: a folder that training wrote")
    if model is None and adapter:
        from peft import PeftConfig

        try:
            model = PeftConfig.from_pretrained(adapter).base_model_name_or_path
        except (OSError, ValueError) as error:
            raise AltTrainError(f"--adapter {adapter}: its config cannot be read ({error})") from None
        if not model:
            raise AltTrainError(f"--adapter {adapter}: its config names no base model; give --model")
    return resolve_model(model or DEMO_MODEL), adapter

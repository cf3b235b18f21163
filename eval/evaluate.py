"""One evaluation from start to end: load, generate, judge, summarise, write."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.eval.backends import Backend, Sampling, make_backend
from axolotl_alttrain.eval.completions.generate import generate
from axolotl_alttrain.eval.completions.samples import SampleFile
from axolotl_alttrain.eval.judges import JudgementFile, judges_from, refusal_judge
from axolotl_alttrain.eval.judges.judge_quality import judge_quality
from axolotl_alttrain.eval.prompts.attacks import apply_attacks
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import chosen, specs
from axolotl_alttrain.eval.report import write_report
from axolotl_alttrain.eval.report.model_card_command import write_cards
from axolotl_alttrain.eval.report.paper import hub_id, paper_results
from axolotl_alttrain.eval.report.terminal import print_summary
from axolotl_alttrain.eval.results.breakdown import over_repeats
from axolotl_alttrain.eval.results.build_summary import run_results
from axolotl_alttrain.eval.results.manifest import versions, write_manifest
from axolotl_alttrain.eval.results.pairing import compare_rows
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.score_samples import score
from rich.console import Console

from axolotl_alttrain import __version__
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.demo_model import DEMO_MODEL, resolve_model
from axolotl_alttrain.storage.atomic import write_atomic


def evaluate(args: argparse.Namespace) -> Summary:
    """Evaluate as the command line says and write samples, scores, summary, manifest and report.

    Returns:
        The summary; its ``missing`` names what could not be had, ``switched_off`` what of that was not to be had.

    Raises:
        AltTrainError: No set, or not the model or adapter, can be had.
    """
    console = Console(width=None if Console().is_terminal else 130)
    judges = judges_from(args)
    begun, started = datetime.now(UTC), time.monotonic()
    prompts, missing = _prompts(args)
    sampling = Sampling(args.max_new_tokens, args.temperature, args.top_p, args.seed)
    if args.samples > 1 and args.temperature == 0:
        raise AltTrainError(f"--samples: found {args.samples} with greedy decoding; allowed: 1, or with --temperature")
    model, adapter = _model_and_adapter(args)

    console.print(f"model {model}\nadapter {adapter or 'none'}")
    backend = make_backend(args, model, adapter)
    prompts, cannot = _renderable(backend, prompts)
    missing |= cannot
    _some_left(prompts, missing)
    console.print(f"{len(prompts)} prompts, {len(backend.runs)} run(s)")
    with SampleFile(args.out / "samples.jsonl") as file:
        refused: dict[str, str] = {}
        samples = generate(backend, prompts, sampling, args.samples, file, console, refused)
    missing |= refused
    answered = {(sample.set, sample.id) for sample in samples}
    prompts = [prompt for prompt in prompts if (prompt.set, prompt.id) in answered]
    by_id = {(prompt.set, prompt.id): prompt for prompt in prompts}
    with JudgementFile(args.out / "judgements.jsonl") as kept:
        scored = score(
            samples, by_id, backend.thought, backend.count_tokens, judges, kept, args.judge_thoughts, console
        )
        quality = {judge.name: judge_quality(judge, kept) for judge in judges if judge.detects_refusal}
    per_run = {run: [s for s in scored if s.sample.run == run] for run in backend.runs}
    rows = [s.as_row() for s in scored]
    settings = {**backend.settings(), **sampling.as_dict()}

    summary = Summary(
        version=__version__,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - started, 1),
        model=model,
        base_model=hub_id(model),
        adapter=adapter,
        paper=paper_results(model),
        settings=settings,
        samples=args.samples,
        lengths_in=backend.token_unit,
        thought_format=vars(backend.thought),
        sets={name: sum(prompt.set == name for prompt in prompts) for name in {p.set: 0 for p in prompts}},
        missing=missing,
        switched_off=_switched_off(missing, args),
        packages=versions(),
        judges=[judge.name for judge in judges],
        refusal_judge=refusal_judge(judges).name,
        judge_quality=quality,
        runs={run: run_results(some, judges) for run, some in per_run.items()},
        comparison=None,
    )
    if args.samples > 1:
        repeats = {run: over_repeats(some, args.samples) for run, some in per_run.items()}
        summary = summary.model_copy(update={"repeats": repeats})
    if "tuned" in per_run:
        paired = compare_rows(*([row for row in rows if row.run == run] for run in ("base", "tuned")))
        tests = {
            "comparison": paired.metrics,
            "comparison_by_set": paired.by_set,
            "comparison_lengths": paired.lengths,
        }
        summary = summary.model_copy(update=tests)
    lines = "".join(row.as_json() + "\n" for row in rows)
    write_atomic(args.out / "scored.jsonl", lines)
    write_atomic(args.out / "summary.json", summary.as_json())
    revisions = {prompt.set: prompt.revision or "embedded" for prompt in prompts}
    write_manifest(
        args.out / "manifest.json",
        vars(args),
        {run: backend.identity(run) for run in backend.runs},
        revisions,
        missing,
        settings | {"seed": args.seed},
        begun,
    )
    write_report(args.out / "report.html", summary, scored)
    write_cards(args.out, summary, revisions)
    print_summary(console, summary)
    names = "report.html, results.md, model-card.md, summary.json, manifest.json, scored.jsonl, samples.jsonl"
    console.print(f"written: {args.out}/{names}")
    return summary


def _prompts(args: argparse.Namespace) -> tuple[list[Prompt], dict[str, str]]:
    """The prompts of all sets under all attacks, and what is missing."""
    names = chosen(args.sets, args.suite)
    if args.data_dir is not None and not args.data_dir.is_dir():
        raise AltTrainError(f"--data-dir {args.data_dir}: found no such folder; allowed: one with publishers' files")
    revisions = {}
    for given in args.revision or ():
        name, equals, commit = given.partition("=")
        if not equals or name not in names:
            raise AltTrainError(f"--revision: found {given}; allowed: SET=COMMIT for one of {', '.join(names)}")
        revisions[name] = commit
    prompts, missing = load_available(names, args.limit, args.data_dir, revisions, args.allow_code_execution)
    if not prompts:
        raise AltTrainError("no set can be had:\n" + "\n".join(f"  {reason}" for reason in missing.values()))
    attacked, failed = apply_attacks(prompts, args.attacks or ())
    _some_left(attacked, missing | failed)
    return attacked, missing | failed


def _some_left(prompts: Sequence[Prompt], missing: Mapping[str, str]) -> None:
    if not prompts:
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in missing.items())
        raise AltTrainError(f"--attacks: no prompt is left to ask:\n{reasons}")


def _switched_off(missing: Mapping[str, str], args: argparse.Namespace) -> list[str]:
    """What is missing on purpose: a suite's sets whose scoring would execute code, where that is not allowed."""
    if args.allow_code_execution:
        return []
    return [name for name in missing if name in specs() and specs()[name].runs_code and name not in (args.sets or ())]


def _renderable(backend: Backend, prompts: list[Prompt]) -> tuple[list[Prompt], dict[str, str]]:
    """Leave out what needs the template's own thought opening where only the server knows the template."""
    steered = {prompt.id for prompt in prompts if prompt.thought != "free"}
    if not steered or backend.render(prompts[0].conversation) is not None:
        return prompts, {}
    reason = "the server renders the prompts itself; give --tokenizer, so that a thought can be begun for the model"
    dropped = {f"{prompt.set}+{prompt.scenario}": reason for prompt in prompts if prompt.thought != "free"}
    return [prompt for prompt in prompts if prompt.thought == "free"], dropped


def _model_and_adapter(args: argparse.Namespace) -> tuple[str, str | None]:
    """Fill in the base model from the adapter's own config, or the demo's model."""
    model, adapter = args.model, args.adapter
    if args.backend == "api":
        if model is None:
            raise AltTrainError("--model: found nothing; allowed: the name under which the server serves the model")
        return model, adapter
    if adapter and Path(adapter).is_dir() and not (Path(adapter) / "adapter_config.json").is_file():
        raise AltTrainError(f"--adapter {adapter}: found no adapter_config.json; allowed: a folder that training wrote")
    if model is None and adapter:
        from peft import PeftConfig

        try:
            model = PeftConfig.from_pretrained(adapter, revision=args.adapter_revision).base_model_name_or_path
        except (OSError, ValueError) as error:
            raise AltTrainError(f"--adapter {adapter}: its config cannot be read ({error})") from None
        if not model:
            raise AltTrainError(f"--adapter {adapter}: its config names no base model; give --model")
    model = resolve_model(model or DEMO_MODEL)
    for flag, revision, name in (
        ("--model-revision", args.model_revision, model),
        ("--adapter-revision", args.adapter_revision, adapter),
    ):
        if revision and (not name or Path(name).is_dir()):
            raise AltTrainError(f"{flag}: found {revision} for {name or 'nothing'}; allowed: with a hub id")
    return model, adapter

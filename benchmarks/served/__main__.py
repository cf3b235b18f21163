"""What is served against what was trained: every form of one or more adapters, asked all probes.

    python -m benchmarks.served outputs/seed-1 outputs/seed-2 outputs/seed-3 --python-vllm .venv-vllm/bin/python
    python -m benchmarks.served outputs/seed-1 outputs/seed-2 --first-only exported-fp16   # the slow ones once
    python -m benchmarks.served outputs/smollm2-135m-cpu --forms as-trained exported-bf16 --limit 4

Each form answers the probes greedily; verdicts are compared with those of the form as trained. `axolotl alttrain
export` makes the exports; vLLM runs as a server in an environment of its own. Finished forms are kept, and an
interrupted one resumes. Writes benchmarks/results/served.json and .md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from axolotl_alttrain.eval.config import PromptsConfig
from axolotl_alttrain.eval.look_up import load_prompts
from axolotl_alttrain.eval.results.manifest import hardware, versions
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.export_check.agreement import rate_of, same_verdicts
from axolotl_alttrain.export_check.measure import measure, opened
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.command_shown import shown_command
from benchmarks.model_server import ServerFailed
from benchmarks.served.forms import FORMS, NotMeasured, Plan, ready

RESULTS = Path(__file__).resolve().parents[1] / "results"
COLUMNS = {
    "harmful_response": "harmful",
    "over_refusal": "over-refusal",
    "structure": "structure",
    "capability": "capability",
}
REFERENCE = "as-trained"
FOLDERS = re.compile(r"(?<![\w:/.])/(?:[\w.+-]+/)+")  # before the last name of an absolute path


@dataclass(frozen=True)
class Form:
    """One form of one adapter.

    Attributes:
        words: The form, and how it was computed.
        rates: By metric, in percent.
        same_verdicts: Share of verdicts that the form as trained gives as well, in percent; None without that form.
        prompts: Number of prompts.
        seconds: To load the model and answer, without the time of interrupted runs.
    """

    words: str
    rates: dict[str, float]
    same_verdicts: float | None
    prompts: int
    seconds: float


@dataclass(frozen=True)
class Finished:
    """The rows of a form that is finished, with what they depend on."""

    words: str
    seconds: float
    depends_on: dict[str, Any]
    rows: list[ScoredRow]


def rows_of(form: str, plan: Plan, console: Console) -> Finished:
    """The scored rows of a form, from its folder or newly asked.

    Raises:
        NotMeasured, ServerFailed, AltTrainError: The form cannot run.
    """
    path = plan.out / form / "finished.json"
    depends_on = {
        "adapter": identity(str(plan.adapter)), "limit": plan.limit, "max_new_tokens": plan.max_new_tokens
    }  # fmt: skip
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["depends_on"] == depends_on:
            return Finished(**kept | {"rows": [ScoredRow.model_validate(row) for row in kept["rows"]]})
    start = time.perf_counter()
    with ready(form, plan) as side, opened(side) as backend:
        limited = PromptsConfig(limit=plan.limit)
        measured = measure(side, backend, load_prompts(limited), console)
    found = Finished(
        side.words, time.perf_counter() - start, depends_on, [one.row for one in measured.completed.values()]
    )
    content = asdict(found) | {"rows": [json.loads(row.as_json()) for row in found.rows]}
    write_atomic(path, json.dumps(content, ensure_ascii=False) + "\n")
    return found


def summary(found: Finished, reference: Finished | None) -> Form:
    """Rates of a form, and how many of its verdicts are those of the form as trained."""
    same = None
    if reference:
        theirs = {row.pair_key: row for row in reference.rows}
        shared = [row for row in found.rows if row.pair_key in theirs]
        same = percent(same_verdicts([theirs[row.pair_key] for row in shared], shared).value)
    rates = {name: percent(rate_of(found.rows, name).value) for name in COLUMNS}
    return Form(
        words=found.words,
        rates={name: value for name, value in rates.items() if value is not None},
        same_verdicts=same,
        prompts=len(found.rows),
        seconds=round(found.seconds, 1),
    )


def percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def of_adapter(plan: Plan, forms: Sequence[str], console: Console) -> tuple[dict[str, Form], dict[str, str]]:
    """The forms of one adapter, and the reasons of those that were not measured."""
    found: dict[str, Finished] = {}
    missing: dict[str, str] = {}
    for form in forms:
        console.print(f"[bold]{plan.adapter.name}: {form}")
        try:
            found[form] = rows_of(form, plan, console)
        except (NotMeasured, ServerFailed, AltTrainError) as error:
            missing[form] = FOLDERS.sub("", str(error))
            console.print(f"not measured: {error}", markup=False)
    return {form: summary(one, found.get(REFERENCE)) for form, one in found.items()}, missing


def markdown(result: Mapping[str, Any]) -> str:
    seeds: dict[str, dict[str, Any]] = result["adapters"]
    lines = [
        f"`{result['command']}`: {len(seeds)} adapter(s), {result['prompts']} prompts each, greedy, at most "
        f"{result['max_new_tokens']} new tokens, {result['machine']}. In percent: the mean over the adapters and, in "
        "brackets, each adapter.",
        "",
        f"| form | {' | '.join(COLUMNS.values())} | verdicts as trained |",
        f"| --- | {' | '.join('---:' for _ in COLUMNS)} | ---: |",
    ]
    notes = {}
    for form, title in FORMS.items():
        some = [one["forms"][form] for one in seeds.values() if form in one["forms"]]
        if not some:
            reasons = dict.fromkeys(one["missing"].get(form, "not in --forms") for one in seeds.values())
            lines.append(f"| {title} | {' | '.join('–' for _ in COLUMNS)} | – |")
            notes[title] = "not measured: " + "; ".join(reasons)
            continue
        cells = [cell([one["rates"].get(name) for one in some]) for name in COLUMNS]
        lines.append(f"| {title} | {' | '.join([*cells, cell([one['same_verdicts'] for one in some])])} |")
        extra = [one["words"].partition("; ")[2] for one in some if "; " in one["words"]][:1]
        if len(some) < len(seeds):
            extra.append(f"measured on {len(some)} of {len(seeds)} adapters")
        if extra:
            notes[title] = "; ".join(extra)
    return "\n".join([*lines, "", *(f"- {title}: {note}" for title, note in notes.items()), ""])


def cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    mean = f"{fmean(known):.1f}"
    return mean if len(known) == 1 else f"{mean} ({', '.join(f'{value:.1f}' for value in known)})"


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("adapters", nargs="+", type=Path, help="folders of adapters, one for each training seed")
    p.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS), help="default: all")
    p.add_argument("--first-only", nargs="+", choices=FORMS, default=[], help="forms of the first adapter alone")
    p.add_argument("--python-vllm", type=Path, help="Python of an environment with vLLM, such as .venv-vllm/bin/python")
    p.add_argument("--limit", type=int, help="prompts per set (default: all)")
    p.add_argument("--max-new-tokens", type=int, default=256)
    p.add_argument("--out", type=Path, default=Path("outputs/served"), help="folder for exports and completions")
    p.add_argument("--results", type=Path, default=RESULTS, help="folder for served.json and served.md")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    args = parser().parse_args(argv)
    console, machine, seeds = Console(), hardware(), {}
    for number, adapter in enumerate(args.adapters, 1):
        out = args.out / f"{number}-{adapter.resolve().name}"
        plan = Plan(adapter.resolve(), out.resolve(), args.limit, args.max_new_tokens, args.python_vllm)
        chosen = [form for form in args.forms if number == 1 or form not in args.first_only]
        forms, missing = of_adapter(plan, chosen, console)
        seeds[out.name] = {"forms": {name: asdict(one) for name, one in forms.items()}, "missing": missing}
        result = {
            "command": shown_command("served", argv),
            "prompts": max((one.prompts for one in forms.values()), default=0),
            "max_new_tokens": args.max_new_tokens,
            "machine": machine.get("gpus") or f"{machine['cpus']} CPU cores",
            "adapters": seeds,
            "hardware": machine,
            "packages": versions(),
        }
        write_atomic(args.results / "served.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
        write_atomic(args.results / "served.md", markdown(result))
    print(markdown(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Arms of the demo recipe, each trained and evaluated; all are shown, losers included.

    python -m benchmarks.arms                                        # all arms, seed 1995; hours on two CPU cores
    python -m benchmarks.arms --only recipe qlora --seeds 1995 1996   # some arms, two seeds each
    python -m benchmarks.arms --forms as-trained full-precision      # and on the unquantised base
    python -m benchmarks.arms --steps 120                            # short trainings: all arms see as many rows
    python -m benchmarks.arms --trained mine=outputs/a,outputs/b     # adapters that are trained already
    python -m benchmarks.arms --only recipe --sealed                 # the halves that are reported

Arms are chosen on the open halves of the probe sets; ``--sealed`` is for what was chosen. Finished trainings and
evaluations are kept, and an interrupted run resumes. Writes benchmarks/results/arms.json, .md and .png (or
arms-sealed.*), named after the file of the arms.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.eval.config.groups import ADAPTER_FORMS
from axolotl_alttrain.eval.report.tables import as_markdown
from axolotl_alttrain.eval.results.manifest import hardware, versions

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.command_shown import shown_command, without_machine

from .arm import ROOT, Arm, read_arms
from .evaluation import Asked, EvaluationFailed, Measured, evaluate, loaded_as, measured
from .results import ArmResult, Results, Run, draw, markdown_head, table
from .training import TrainingFailed, is_trained, measured_training, train

ARMS = Path(__file__).with_name("arms.yml")
RESULTS = ROOT / "benchmarks" / "results"
TRAINED = "trained beforehand"


@dataclass(frozen=True)
class Plan:
    """What to do with every arm."""

    seeds: list[int]
    forms: list[str]
    asked: Asked
    out: Path
    steps: int | None  # of each training; None for the arm's epochs
    deadline: float | None  # on the monotonic clock: no training starts after it

    def evaluation(self, arm: str, seed: str, form: str) -> Path:
        """The folder of an evaluation."""
        limited = f"-{self.asked.limit}" if self.asked.limit else ""
        return self.out / "eval" / f"{self.asked.suite}{limited}" / f"{arm}-{seed}-{form}"


def trainings(arm: Arm, beforehand: Sequence[Path], plan: Plan, failed: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """Seed and adapter of each training of an arm; those of adapters given beforehand are not trained."""
    if beforehand:
        names = [folder.absolute().name for folder in beforehand]
        for name, folder in zip(names, beforehand, strict=True):
            yield (name if names.count(name) == 1 else "-".join(folder.absolute().parts[-2:])), folder
        return
    for seed in plan.seeds:
        folder = plan.out / arm.name / f"seed-{seed}"
        if plan.deadline and time.monotonic() > plan.deadline and not is_trained(folder):
            failed[f"seed {seed}"] = "not trained within --minutes"
            continue
        try:
            train(arm.config(seed, folder, plan.steps), folder)
        except TrainingFailed as error:
            failed[f"seed {seed}"] = str(error)
            continue
        yield str(seed), folder


def of_arm(arm: Arm, beforehand: Sequence[Path], plan: Plan) -> ArmResult:
    """Train and evaluate an arm with every seed and in every form."""
    runs, failed = [], {}
    for seed, adapter in trainings(arm, beforehand, plan, failed):
        forms: dict[str, Measured] = {}
        for form in plan.forms:
            folder = plan.evaluation(arm.name, seed, form)
            try:
                evaluate(adapter, form, plan.asked, folder, sorted(folder.parent.glob("*")))
                forms[form] = measured(folder)
            except EvaluationFailed as error:
                failed[f"{seed}, {form}"] = str(error)
        runs.append(Run(seed=seed, training=measured_training(adapter), forms=forms))
    return ArmResult(name=arm.name, why=arm.why, recipe=arm.recipe, runs=runs, failed=failed)


def bases_of(found: Sequence[ArmResult], plan: Plan) -> dict[str, Measured]:
    """The model before training, by how the evaluations loaded it."""
    folders = [plan.evaluation(arm.name, run.seed, form) for arm in found for run in arm.runs for form in run.forms]
    return {loaded_as(folder, "base"): measured(folder, "base") for folder in reversed(folders)}


def given(trained: Sequence[str]) -> dict[str, list[Path]]:
    """``NAME=FOLDER,FOLDER`` as folders by name.

    Raises:
        AltTrainError: A folder holds no adapter.
    """
    found: dict[str, list[Path]] = {}
    for one in trained:
        name, _, folders = one.partition("=")
        found.setdefault(name, []).extend(Path(folder) for folder in folders.split(",") if folder)
        for folder in found[name] or [Path("nothing")]:
            if not is_trained(folder):
                raise AltTrainError(
                    f"--trained {one}: {folder} holds no adapter; write NAME=FOLDER, or NAME=FOLDER,FOLDER"
                )
    return found


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.arms", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--arms", type=Path, default=ARMS, metavar="FILE", help="the arms (default: arms.yml beside this)")
    p.add_argument("--only", nargs="+", metavar="NAME", help="arms of the file (default: all)")
    p.add_argument(
        "--trained",
        nargs="+",
        default=[],
        metavar="NAME=FOLDER[,FOLDER]",
        help="adapters that are trained already, one for each seed; without --only, no other arm is run",
    )
    p.add_argument("--seeds", nargs="+", type=int, default=[1995], metavar="N", help="default: 1995")
    p.add_argument("--forms", nargs="+", choices=ADAPTER_FORMS, default=["as-trained"], help="default: as-trained")
    p.add_argument("--sealed", action="store_true", help="ask the halves that are reported, not the open ones")
    p.add_argument("--limit", type=int, metavar="N", help="prompts of each set (default: all)")
    p.add_argument("--max-new-tokens", type=int, default=256, metavar="N")
    p.add_argument("--steps", type=int, metavar="N", help="end trainings after N steps (default: the arm's epochs)")
    p.add_argument("--minutes", type=float, metavar="N", help="start no training after N minutes")
    p.add_argument("--out", type=Path, default=Path("outputs/arms"), help="folder for adapters and evaluations")
    p.add_argument("--results", type=Path, default=RESULTS, help="folder for the three files")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    args = parser().parse_args(argv)
    try:
        run(args, argv)
    except AltTrainError as error:
        print(f"benchmarks.arms: {error}", file=sys.stderr)
        return 1
    return 0


def run(args: argparse.Namespace, argv: Sequence[str]) -> None:
    """Run all arms; the three files are written anew after each."""
    beforehand = given(args.trained)
    listed = read_arms(args.arms)
    known = {arm.name: arm for arm in listed}
    chosen = read_arms(args.arms, args.only) if args.only or not beforehand else []
    arms = [
        *chosen,
        *(known.get(name) or Arm(name=name, why=TRAINED) for name in beforehand if name not in (args.only or ())),
    ]
    asked = Asked("probe" if args.sealed else "probe-open", args.limit, args.max_new_tokens)
    deadline = time.monotonic() + 60 * args.minutes if args.minutes else None
    plan = Plan(args.seeds, args.forms, asked, args.out.absolute(), args.steps, deadline)
    found: list[ArmResult] = []
    for arm in arms:
        found.append(of_arm(arm, beforehand.get(arm.name, []), plan))
        results = Results(
            command=_shown(argv),
            base=bases_of(found, plan),
            steps=args.steps,
            arms=found,
            hardware=hardware(),
            packages=versions(),
            **vars(asked),
        )
        write(results, args.results, args.arms.stem + ("-sealed" if args.sealed else ""))
    print(as_markdown(table(results)))


def write(results: Results, folder: Path, name: str) -> None:
    """The data, the table and the picture."""
    write_atomic(folder / f"{name}.json", results.model_dump_json(indent=2) + "\n")
    write_atomic(folder / f"{name}.md", f"{markdown_head(results)}\n{as_markdown(table(results))}")
    draw(results, folder / f"{name}.png")


def _shown(argv: Sequence[str]) -> str:
    """The command, without the paths of this machine in ``--trained`` either."""
    parts = []
    for argument in argv:
        name, equals, folders = argument.partition("=")
        parts.append(f"{name}={','.join(map(without_machine, folders.split(',')))}" if equals else argument)
    return shown_command("arms", parts)


if __name__ == "__main__":
    raise SystemExit(main())

"""Build the summary of a finished evaluation from everything that it has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from axolotl_alttrain.eval.completions.samples import GenerationSettings
from axolotl_alttrain.eval.completions.verdict_scores import VerdictScores
from axolotl_alttrain.eval.judges import Judge, refusal_judge
from axolotl_alttrain.eval.judges.judge_quality import SplitQuality
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.results.breakdown import by_attack, by_scenario, by_set, over_repeats
from axolotl_alttrain.eval.results.budget import budget_results
from axolotl_alttrain.eval.results.manifest import versions
from axolotl_alttrain.eval.results.modes import paired_modes
from axolotl_alttrain.eval.results.pairing import compare_rows
from axolotl_alttrain.eval.results.per_judge import agreements, judge_rates
from axolotl_alttrain.eval.results.run_results import RunResults, SetResult
from axolotl_alttrain.eval.results.separation import separations
from axolotl_alttrain.eval.results.summary import PaperResults, ScoredFrom, Summary
from axolotl_alttrain.eval.results.thoughts import thoughts_and_answers
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.scoring.run_rates import run_rates
from axolotl_alttrain.eval.scoring.score_samples import sees_thoughts
from axolotl_alttrain.eval.scoring.thought_structure import lengths, structure
from axolotl_alttrain.eval.stats.intervals_and_tests import NO_RATE
from axolotl_alttrain.eval.weights import WeightsForm

from axolotl_alttrain import __version__
from axolotl_alttrain.format.example import ThoughtFormat


@dataclass(frozen=True)
class Evaluation:
    """Everything that an evaluation has found.

    Attributes:
        model, adapter: Folders, Hub IDs or served names.
        folder: The whole model that was run as ``tuned``; None for an adapter or a base alone.
        forms: Which weights each run measured.
        base_model: The model's Hub ID, if it has one.
        paper: The paper's results for the model, if it has any.
        protocol: The protocol in sentences.
        runs: ``base``, ``tuned``, or both.
        settings: What may change a completion.
        repeats: Samples per prompt.
        token_unit: What lengths count: ``tokens`` or ``words``.
        thought: How the template delimits thoughts.
        template_notes: What else its prompts contain.
        thinking: By run, the mode of thinking.
        prompts: Those that were answered in every run.
        missing: Sets, attacks and completions that are unavailable, with the reasons.
        switched_off: Those of them that are missing on purpose.
        judges, judge_part: In the order of the command line, and what of a completion they judge.
        judge_quality: Each judge's measured error, by name.
        scored: The scored samples of all runs.
        verdicts: The scores of their verdicts.
        started: When the evaluation began.
    """

    model: str
    adapter: str | None
    folder: str | None
    forms: Mapping[str, WeightsForm]
    base_model: str | None
    paper: PaperResults | None
    protocol: str | None
    runs: tuple[str, ...]
    settings: GenerationSettings
    repeats: int
    token_unit: str
    thought: ThoughtFormat
    template_notes: Sequence[str]
    thinking: Mapping[str, str]
    prompts: Sequence[Prompt]
    missing: Mapping[str, str]
    switched_off: Sequence[str]
    judges: Sequence[Judge]
    judge_part: str
    judge_quality: Mapping[str, dict[str, SplitQuality]]
    scored: Sequence[Scored]
    verdicts: VerdictScores
    started: datetime

    def of_run(self, run: str) -> list[Scored]:
        """The scored samples of one run."""
        return [one for one in self.scored if one.sample.run == run]


def summary_of(found: Evaluation) -> Summary:
    """The content of ``summary.json``."""
    now = datetime.now(UTC)
    sets = [prompt.set for prompt in found.prompts]
    summary = Summary(
        version=__version__,
        finished=now.isoformat(timespec="seconds"),
        seconds=round((now - found.started).total_seconds(), 1),
        model=found.model,
        base_model=found.base_model,
        adapter=found.adapter,
        weights_folder=found.folder,
        weights=dict(found.forms),
        paper=found.paper,
        protocol=found.protocol,
        settings=found.settings.as_dict(),
        samples=found.repeats,
        lengths_in=found.token_unit,
        thought_format=vars(found.thought),
        template_notes=list(found.template_notes),
        thinking=dict(found.thinking),
        sets={name: sets.count(name) for name in dict.fromkeys(sets)},
        missing=dict(found.missing),
        switched_off=list(found.switched_off),
        packages=versions(),
        judges=[judge.name for judge in found.judges],
        judges_of_completions=[judge.name for judge in found.judges if sees_thoughts(judge, found.judge_part)],
        refusal_judge=refusal_judge(found.judges).name,
        judge_quality=dict(found.judge_quality),
        verdict_scores=ScoredFrom(
            rows=found.verdicts.rows, wording=found.verdicts.wording, problem=found.verdicts.problem
        ),
        runs=_with_all_sets({run: run_results(found.of_run(run), found.judges) for run in found.runs}),
        comparison=None,
    )
    return _in_modes(_compared(_repeated(_budgeted(summary, found), found), found), found)


def run_results(scored: Sequence[Scored], judges: Sequence[Judge]) -> RunResults:
    """Everything that the summary says of one run."""
    rates, rows = run_rates(scored), [one.as_row() for one in scored]
    return RunResults(
        metrics=rates.metrics,
        tokens=rates.tokens,
        by_category=rates.by_category,
        lengths=lengths(scored),
        structure=structure(scored) if all(one.thinks for one in scored) else None,
        judges=judge_rates(scored, judges),
        agreement=agreements(scored, judges),
        by_set=by_set(scored),
        by_scenario=by_scenario(scored),
        by_attack=by_attack(scored),
        separation=separations(rows),
        thoughts=thoughts_and_answers(rows),
    )


def _with_all_sets(runs: dict[str, RunResults]) -> dict[str, RunResults]:
    """Runs with every set of any: one that is asked under attacks on the thought alone has no samples elsewhere."""
    known: dict[str, SetResult] = {}
    for one in runs.values():
        known = {**one.by_set, **known}
    empty = {name: result.model_copy(update={"rate": NO_RATE, "truncated": NO_RATE}) for name, result in known.items()}
    return {run: one.model_copy(update={"by_set": {**empty, **one.by_set}}) for run, one in runs.items()}


def _in_modes(summary: Summary, found: Evaluation) -> Summary:
    """With thinking off against on, if both were run."""
    if not (modes := paired_modes({run: [one.as_row() for one in found.of_run(run)] for run in found.runs})):
        return summary
    return summary.model_copy(update={"modes": modes})


def _budgeted(summary: Summary, found: Evaluation) -> Summary:
    """With the rates without budgeted completions, if thoughts were limited."""
    sampling = found.settings.sampling
    if sampling is None or sampling.max_thought_tokens is None:
        return summary
    return summary.model_copy(update={"budget": budget_results({run: found.of_run(run) for run in found.runs})})


def _repeated(summary: Summary, found: Evaluation) -> Summary:
    """With repeated sampling, if prompts were sampled more than once."""
    if found.repeats == 1:
        return summary
    repeats = {run: over_repeats(found.of_run(run), found.repeats) for run in found.runs}
    return summary.model_copy(update={"repeats": repeats})


def _compared(summary: Summary, found: Evaluation) -> Summary:
    """With the comparison of base and tuned, if both were run."""
    if not {"base", "tuned"} <= set(found.runs):
        return summary
    base, tuned = ([one.as_row() for one in found.of_run(run)] for run in ("base", "tuned"))
    paired = compare_rows(base, tuned)
    return summary.model_copy(
        update={
            "comparison": paired.metrics,
            "comparison_by_set": paired.by_set,
            "comparison_lengths": paired.lengths,
            "comparison_separation": paired.separation,
            "comparison_thoughts": paired.thoughts,
        }
    )

"""One evaluation: prompts, samples, scores, summary, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.eval.backends import Backend, make_backend
from axolotl_alttrain.eval.backends.modes import OFF, InMode, in_modes, mode_notes
from axolotl_alttrain.eval.completions.generate import generate
from axolotl_alttrain.eval.completions.progress import GenerationProgress
from axolotl_alttrain.eval.completions.samples import GenerationSettings, Sample, SampleFile
from axolotl_alttrain.eval.completions.verdict_scores import VerdictScores, read_verdicts
from axolotl_alttrain.eval.config import DecodingConfig, EvalConfig, JudgingConfig
from axolotl_alttrain.eval.judges import Judge, JudgementFile, judges_from
from axolotl_alttrain.eval.judges.judge_quality import SplitQuality, judge_quality
from axolotl_alttrain.eval.look_up import Asked, look_up, renderable, switched_off
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.protocols import protocol_named
from axolotl_alttrain.eval.report.paper import hub_id, paper_results
from axolotl_alttrain.eval.report.terminal import print_summary
from axolotl_alttrain.eval.report.write_run import FILES, write_run
from axolotl_alttrain.eval.results.summarise import Evaluation, summary_of
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.weights import Weights
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.trained.chat_format import UNRECORDED, recorded_format
from axolotl_alttrain.progress import spoken
from axolotl_alttrain.storage.locks import only_writer


@dataclass(frozen=True)
class Answered:
    """The samples, the prompts that they answer, and everything that is missing so far."""

    prompts: list[Prompt]
    samples: list[Sample]
    missing: dict[str, str]


@dataclass(frozen=True)
class Judged:
    """The scored samples, by name the measured error of judges that detect refusals, and the verdicts' scores."""

    scored: list[Scored]
    quality: dict[str, dict[str, SplitQuality]]
    verdicts: VerdictScores


def evaluate(config: EvalConfig) -> Summary:
    """Evaluate, print and write samples, scores, summary, manifest and report.

    Returns:
        The summary; ``missing`` lists what is unavailable, and ``switched_off`` what of that is missing on purpose.

    Raises:
        AltTrainError: No set, or not each model, adapter and judge is available, or another process writes to the
            folder.
    """
    console, started, out = _console(), datetime.now(UTC), config.output.out
    asked, weights = look_up(config)
    print_weights(console, weights)
    asked = replace(asked, missing={**asked.missing, **weights.missing})
    for name, reason in asked.missing.items():
        console.print(f"missing: {name}: {reason.removeprefix(f'{name}: ')}", markup=False)
    judges = judges_from(config.judging)
    if not (config.weights.model or config.weights.adapter or config.weights.weights):
        console.print("to evaluate the demo as well, train it with 'make demo', or give --adapter", markup=False)
    with only_writer(out):
        with spoken(console, "loading the model"):
            modes = modes_of(make_backend(config, weights), config, weights)
        console.print(f"{len(asked.prompts)} prompts, {sum(len(mode.runs) for mode in modes)} run(s)")
        with spoken(console, "preparing the prompts"):
            answered = answer(modes, asked, config.decoding, out, GenerationProgress(console))
        return finish(config, weights, modes, answered, judges, started)


def finish(
    config: EvalConfig,
    weights: Weights,
    modes: Sequence[InMode],
    answered: Answered,
    judges: Sequence[Judge],
    started: datetime,
) -> Summary:
    """Judge the samples, then print and write everything but the samples."""
    console, out = _console(), config.output.out
    verdicts = VerdictScores(problem="thinking is off")
    for mode in modes:
        if mode.thinking == "on":
            own, rows = [one for one in answered.samples if one.run in mode.runs], config.judging.verdict_rows
            with spoken(console, "reading the scores of verdicts"):
                verdicts = read_verdicts(mode, own, answered.prompts, weights.adapter, rows, out)
    with spoken(console, "scoring"):
        judged = judge(modes, answered, judges, config.judging, out, console, verdicts)
    found = collect(config, weights, modes, answered, judges, judged, started)
    with spoken(console, "summarising"):
        summary = summary_of(found)
    identities = {run: mode.identity(run) for mode in modes for run in mode.runs}
    with spoken(console, "writing the results"):
        write_run(out, summary, found, config.as_flags(), identities, config.decoding.seed)
    print_summary(console, summary)
    console.print(f"written: {out}/{FILES}")
    return summary


def modes_of(backend: Backend, config: EvalConfig, weights: Weights) -> list[InMode]:
    """The backend in the modes of thinking that are measured.

    Raises:
        AltTrainError: The chat template has no such mode, or thoughts are limited and there are none.
    """
    served = config.backend.backend == "api"
    source = config.backend.tokenizer if served else weights.folder or weights.adapter or weights.model
    revision = config.weights.adapter_revision if source == weights.adapter else weights.model_revision
    recorded = recorded_format(source, None if served else revision) if source else UNRECORDED
    if config.decoding.max_thought_tokens and (config.decoding.thinking or recorded.thinking) == "off":
        why = f"{source} was trained with thinking off"
        raise AltTrainError(f"--max-thought-tokens has no effect: {why}; remove it, or add --thinking on")
    return in_modes(backend, config.decoding.thinking, recorded.thinking, source or weights.model)


def print_weights(console: Console, weights: Weights) -> None:
    """What is loaded, and which form of the weights each run measures."""
    console.print(f"model {weights.model}\nadapter {weights.adapter or 'none'}", markup=False)
    if weights.folder:
        console.print(f"exported {weights.folder}", markup=False)
    for run, form in weights.forms.items():
        console.print(f"{run}: {form.words}", markup=False)


def answer(
    modes: Sequence[InMode], asked: Asked, decoding: DecodingConfig, out: Path, progress: GenerationProgress
) -> Answered:
    """Generate the samples that ``samples.jsonl`` lacks; prompts that the server refused in a mode are left out."""
    missing, samples = dict(asked.missing), []
    refused: set[tuple[str, str]] = set()
    with SampleFile(out / "samples.jsonl") as file:
        for mode in modes:
            own = renderable(mode, asked)
            made = generate(mode, own.prompts, decoding.sampling, decoding.samples, file, progress)
            answered = {(sample.set, sample.id) for sample in made.samples}
            refused |= {(prompt.set, prompt.id) for prompt in own.prompts} - answered
            missing |= own.missing | made.refused
            samples += made.samples
    kept = [sample for sample in samples if (sample.set, sample.id) not in refused]
    asked_for = {(sample.set, sample.id) for sample in kept}
    return Answered([one for one in asked.prompts if (one.set, one.id) in asked_for], kept, missing)


def judge(
    modes: Sequence[InMode],
    answered: Answered,
    judges: Sequence[Judge],
    how: JudgingConfig,
    out: Path,
    console: Console,
    verdicts: VerdictScores,
) -> Judged:
    """Score the samples, and measure the judges of refusals on labelled answers."""
    prompts = {(prompt.set, prompt.id): prompt for prompt in answered.prompts}
    scored: list[Scored] = []
    with JudgementFile(out / "judgements.jsonl") as file:
        for mode in modes:
            own = [sample for sample in answered.samples if sample.run in mode.runs]
            scored += score(
                own,
                prompts,
                mode.thought,
                mode.count_tokens,
                judges,
                file,
                how.judge_thoughts,
                console,
                verdicts.scores,
                mode.thinking == "on",
                how.judge_part,
            )
        quality = {one.name: judge_quality(one, file) for one in judges if one.detects_refusal}
    return Judged(scored, quality, verdicts)


def collect(
    config: EvalConfig,
    weights: Weights,
    modes: Sequence[InMode],
    answered: Answered,
    judges: Sequence[Judge],
    judged: Judged,
    started: datetime,
) -> Evaluation:
    """Everything that was found, for the summary."""
    first = modes[0]
    thinking = {run: mode.thinking for mode in modes for run in mode.runs}
    return Evaluation(
        model=weights.model,
        adapter=weights.adapter,
        folder=weights.folder,
        forms={run: weights.forms[run.removesuffix(OFF)] for run in thinking},
        base_model=hub_id(weights.model),
        paper=paper_results(weights.model, config.prompts.protocol),
        protocol=protocol_named(config.prompts.protocol).words if config.prompts.protocol else None,
        runs=tuple(thinking),
        settings=GenerationSettings(first.settings(), config.decoding.sampling if first.generates else None),
        repeats=config.decoding.samples,
        token_unit=first.token_unit,
        thought=first.thought,
        template_notes=mode_notes(modes, _thoughts(judged.scored)),
        thinking=thinking,
        prompts=answered.prompts,
        missing=answered.missing,
        switched_off=[*switched_off(answered.missing, config.prompts), *_off_only(answered.missing, modes)],
        judges=judges,
        judge_part=config.judging.judge_part,
        judge_quality=judged.quality,
        scored=judged.scored,
        verdicts=judged.verdicts,
        started=started,
    )


def _thoughts(scored: Sequence[Scored]) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for one in scored:
        found.setdefault(one.sample.run, []).append(bool(one.parsed.thought))
    return found


def _console() -> Console:
    return Console(width=None if Console().is_terminal else 130)


def _off_only(missing: Mapping[str, str], modes: Sequence[InMode]) -> list[str]:
    """Attacks on the thought with thinking off, where they were asked with thinking on."""
    return [name for name in missing if name.endswith(" (thinking off)")] if len(modes) > 1 else []

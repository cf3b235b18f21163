"""One evaluation: prompts, samples, scores, summary, files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.eval.backends import Backend, make_backend
from axolotl_alttrain.eval.backends.recorded import RecordedBackend
from axolotl_alttrain.eval.completions.generate import generate
from axolotl_alttrain.eval.completions.progress import GenerationProgress
from axolotl_alttrain.eval.completions.samples import GenerationSettings, Sample, SampleFile
from axolotl_alttrain.eval.config import DecodingConfig, EvalConfig, JudgingConfig, PromptsConfig
from axolotl_alttrain.eval.judges import Judge, JudgementFile, judges_from
from axolotl_alttrain.eval.judges.judge_quality import SplitQuality, judge_quality
from axolotl_alttrain.eval.prompts.attacks import apply_attacks
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.protocols import protocol_named
from axolotl_alttrain.eval.report.paper import hub_id, paper_results
from axolotl_alttrain.eval.report.terminal import print_summary
from axolotl_alttrain.eval.report.write_run import FILES, write_run
from axolotl_alttrain.eval.results.summarise import Evaluation, summary_of
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.scoring.metrics import Scored
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.weights import Weights, weights_of
from rich.console import Console

from axolotl_alttrain.errors import AltTrainError, TemplateError


@dataclass(frozen=True)
class Asked:
    """The prompts to ask, and the reason for each set or attack that is missing."""

    prompts: list[Prompt]
    missing: dict[str, str]


@dataclass(frozen=True)
class Answered:
    """The samples, the prompts that they answer, and everything that is missing so far."""

    prompts: list[Prompt]
    samples: list[Sample]
    missing: dict[str, str]


@dataclass(frozen=True)
class Judged:
    """The scored samples, and by name the measured error of judges that detect refusals."""

    scored: list[Scored]
    quality: dict[str, dict[str, SplitQuality]]


def evaluate(config: EvalConfig) -> Summary:
    """Evaluate, print and write samples, scores, summary, manifest and report.

    Returns:
        The summary; ``missing`` lists what is unavailable, and ``switched_off`` what of that is missing on purpose.

    Raises:
        AltTrainError: No set is available, or the model or adapter is not.
    """
    console, started, out = _console(), datetime.now(UTC), config.output.out
    judges = judges_from(config.judging)
    asked = load_prompts(config.prompts)
    weights = weights_of(config)
    print_weights(console, weights)
    backend = make_backend(config, weights)
    asked = renderable(backend, replace(asked, missing={**asked.missing, **weights.missing}))
    console.print(f"{len(asked.prompts)} prompts, {len(backend.runs)} run(s)")
    answered = answer(backend, asked, config.decoding, out, GenerationProgress(console))
    return finish(config, weights, backend, answered, judges, started)


def finish(
    config: EvalConfig,
    weights: Weights,
    backend: Backend,
    answered: Answered,
    judges: Sequence[Judge],
    started: datetime,
) -> Summary:
    """Judge the samples, then print and write everything but the samples."""
    console, out = _console(), config.output.out
    judged = judge(backend, answered, judges, config.judging, out, console)
    found = collect(config, weights, backend, answered, judges, judged, started)
    summary = summary_of(found)
    identities = {run: backend.identity(run) for run in backend.runs}
    write_run(out, summary, found, config.as_flags(), identities, config.decoding.seed)
    print_summary(console, summary)
    console.print(f"written: {out}/{FILES}")
    return summary


def print_weights(console: Console, weights: Weights) -> None:
    """What is loaded, and which form of the weights each run measures."""
    console.print(f"model {weights.model}\nadapter {weights.adapter or 'none'}", markup=False)
    if weights.folder:
        console.print(f"exported {weights.folder}", markup=False)
    for run, form in weights.forms.items():
        console.print(f"{run}: {form.words}", markup=False)


def load_prompts(config: PromptsConfig) -> Asked:
    """The prompts of all sets under all attacks.

    Raises:
        AltTrainError: Not one is available.
    """
    prompts, missing = load_available(
        config.names, config.limit, config.data_dir, config.revisions, config.allow_code_execution
    )
    if not prompts:
        raise AltTrainError("no set is available:\n" + "\n".join(f"  {reason}" for reason in missing.values()))
    attacked, failed = apply_attacks(prompts, config.attacks or ())
    return _not_empty(Asked(attacked, missing | failed))


def renderable(backend: Backend, asked: Asked) -> Asked:
    """Leave out prompts that cannot be rendered: a thought that only the server's template could open, or a system
    message that the template does not take.

    Raises:
        AltTrainError: No prompt is left.
    """
    reasons = {f"{p.set}+{p.scenario}": why for p in asked.prompts if (why := _not_rendered(backend, p))}
    kept = [prompt for prompt in asked.prompts if f"{prompt.set}+{prompt.scenario}" not in reasons]
    return asked if not reasons else _not_empty(Asked(kept, asked.missing | reasons))


def _not_rendered(backend: Backend, prompt: Prompt) -> str:
    if prompt.thought == "free" and not (prompt.attack and prompt.conversation[0]["role"] == "system"):
        return ""
    try:
        text = backend.render(prompt.conversation)
    except TemplateError as error:
        return str(error)
    if text is None and prompt.thought != "free":
        return "the server renders the prompts, so the thought cannot be prefilled; add --tokenizer"
    return ""


def answer(
    backend: Backend, asked: Asked, decoding: DecodingConfig, out: Path, progress: GenerationProgress
) -> Answered:
    """Generate the samples that ``samples.jsonl`` lacks; prompts that the server refused are left out."""
    with SampleFile(out / "samples.jsonl") as file:
        made = generate(backend, asked.prompts, decoding.sampling, decoding.samples, file, progress)
    answered = {(sample.set, sample.id) for sample in made.samples}
    prompts = [prompt for prompt in asked.prompts if (prompt.set, prompt.id) in answered]
    return Answered(prompts, made.samples, asked.missing | made.refused)


def judge(
    backend: Backend, answered: Answered, judges: Sequence[Judge], how: JudgingConfig, out: Path, console: Console
) -> Judged:
    """Score the samples, and measure the judges of refusals on labelled answers."""
    prompts = {(prompt.set, prompt.id): prompt for prompt in answered.prompts}
    with JudgementFile(out / "judgements.jsonl") as file:
        scored = score(
            answered.samples,
            prompts,
            backend.thought,
            backend.count_tokens,
            judges,
            file,
            how.judge_thoughts,
            console,
            how.judge_part,
        )
        quality = {one.name: judge_quality(one, file) for one in judges if one.detects_refusal}
    return Judged(scored, quality)


def collect(
    config: EvalConfig,
    weights: Weights,
    backend: Backend,
    answered: Answered,
    judges: Sequence[Judge],
    judged: Judged,
    started: datetime,
) -> Evaluation:
    """Everything that was found, for the summary."""
    return Evaluation(
        model=weights.model,
        adapter=weights.adapter,
        folder=weights.folder,
        forms=weights.forms,
        base_model=hub_id(weights.model),
        paper=paper_results(weights.model, config.prompts.protocol),
        protocol=protocol_named(config.prompts.protocol).words if config.prompts.protocol else None,
        runs=backend.runs,
        settings=GenerationSettings(
            backend.settings(), None if isinstance(backend, RecordedBackend) else config.decoding.sampling
        ),
        repeats=config.decoding.samples,
        token_unit=backend.token_unit,
        thought=backend.thought,
        template_notes=backend.chat.notes if backend.chat else (),
        prompts=answered.prompts,
        missing=answered.missing,
        switched_off=_switched_off(answered.missing, config.prompts),
        judges=judges,
        judge_quality=judged.quality,
        scored=judged.scored,
        started=started,
    )


def _console() -> Console:
    return Console(width=None if Console().is_terminal else 130)


def _not_empty(asked: Asked) -> Asked:
    if not asked.prompts:
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in asked.missing.items())
        raise AltTrainError(f"--attacks: no prompt is left to ask:\n{reasons}")
    return asked


def _switched_off(missing: dict[str, str], config: PromptsConfig) -> list[str]:
    """Sets of a suite that are missing on purpose: scoring them would execute code, which is not allowed."""
    if config.allow_code_execution:
        return []
    named = config.sets or ()
    return [name for name in missing if name in specs() and specs()[name].runs_code and name not in named]

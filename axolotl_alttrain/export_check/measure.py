"""Ask one form of the model, and score its completions as the evaluator does."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rich.console import Console

from axolotl_alttrain.eval.backends import Backend, Identity, make_backend
from axolotl_alttrain.eval.backends.base import LocalModel
from axolotl_alttrain.eval.completions.generate import generate
from axolotl_alttrain.eval.completions.progress import GenerationProgress
from axolotl_alttrain.eval.completions.samples import GenerationSettings, Sample, SampleFile
from axolotl_alttrain.eval.evaluate import modes_of
from axolotl_alttrain.eval.judges import judges_from
from axolotl_alttrain.eval.look_up import Asked, renderable
from axolotl_alttrain.eval.scoring.score_samples import score
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.weights import weights_of
from axolotl_alttrain.export_check.sides import Side
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.parsed_completion import ParsedCompletion

Key = tuple[str, str]  # a prompt: its set and its id


@dataclass(frozen=True)
class Completed:
    """One completion of one form.

    Attributes:
        prompt: As the form rendered it; None if a server did.
        sample: The completion.
        parsed: Its parts.
        row: Its scores.
    """

    prompt: str | None
    sample: Sample
    parsed: ParsedCompletion
    row: ScoredRow


@dataclass(frozen=True)
class Measured:
    """One form of the model, asked.

    Attributes:
        side: The form.
        identity, settings: What answered, and how it was asked.
        thought: How its template delimits thoughts.
        completed: By prompt.
        missing: Unavailable sets and completions, with the reasons.
        tokenizer: The one that renders its prompts; None if a server does.
    """

    side: Side
    identity: Identity
    settings: GenerationSettings
    thought: ThoughtFormat
    completed: Mapping[Key, Completed]
    missing: Mapping[str, str] = field(default_factory=dict)
    tokenizer: Any = None


@contextmanager
def opened(side: Side) -> Iterator[Backend]:
    """A form's backend, which generates its run only; its memory is released at the end."""
    weights = weights_of(side.config)
    if weights.folder:
        weights = replace(weights, has_base=False)
    backend = make_backend(side.config, weights)
    backend.runs = (side.run,)
    try:
        yield backend
    finally:
        if isinstance(backend, LocalModel):
            backend.close()
        del backend
        gc.collect()
        _empty_gpu_cache()


def measure(side: Side, backend: Backend, asked: Asked, console: Console) -> Measured:
    """Answer every prompt greedily and score the answers; completions of an interrupted check are kept.

    Raises:
        AltTrainError: The backend fails.
    """
    mode = modes_of(backend, side.config, weights_of(side.config))[0]  # the first that was trained
    asked = renderable(mode, asked)
    sampling = side.config.decoding.sampling
    console.print(f"{side.name}: {side.words}", highlight=False, soft_wrap=True)
    with SampleFile(side.config.output.out / side.name / "samples.jsonl") as file:
        made = generate(mode, asked.prompts, sampling, 1, file, GenerationProgress(console))
    prompts = {(prompt.set, prompt.id): prompt for prompt in asked.prompts}
    judges = judges_from(side.config.judging)
    scored = score(
        made.samples,
        prompts,
        mode.thought,
        mode.count_tokens,
        judges,
        judge_thoughts=False,
        thinks=mode.thinking == "on",
    )
    completed = {
        (one.sample.set, one.sample.id): Completed(
            mode.render(one.sample.history or one.prompt.conversation), one.sample, one.parsed, one.as_row()
        )
        for one in scored
    }
    return Measured(
        side=side,
        identity=mode.identity(side.run),
        settings=GenerationSettings(mode.settings(), sampling),
        thought=mode.thought,
        completed=completed,
        missing=dict(asked.missing) | made.refused,
        tokenizer=getattr(getattr(backend, "chat", None), "tokenizer", None),
    )


def _empty_gpu_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()

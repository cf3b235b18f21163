"""Generate what is missing: batches by length, progress with tokens per second, one append per sample."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .backend import HFBackend, identity
from .samples import Sample, SampleFile, sample_key
from .tasks import Prompt


@dataclass(frozen=True)
class Settings:
    """Generation settings; all of them enter a sample's key.

    Attributes:
        max_new_tokens: Most tokens per completion.
        load_in_4bit, load_in_8bit, dtype: How the base model is loaded.
    """

    max_new_tokens: int
    load_in_4bit: bool
    load_in_8bit: bool
    dtype: str

    def as_dict(self) -> dict[str, object]:
        """For keys and for ``summary.json``; decoding is greedy."""
        return {**vars(self), "do_sample": False}


@dataclass(frozen=True)
class _Job:
    key: str
    run: str
    prompt: Prompt
    text: str


def generate(
    backend: HFBackend,
    prompts: Sequence[Prompt],
    runs: Sequence[str],
    settings: Settings,
    model: str,
    adapter: str | None,
    file: SampleFile,
    batch_size: int,
    console: Console,
) -> list[Sample]:
    """Answer every prompt in every run; what the file has already is not asked again.

    Returns:
        All samples of these runs and prompts, in the order of runs, then prompts.
    """
    model_is, adapter_is = identity(model), identity(adapter)
    texts = [backend.chat.prompt([{"role": "user", "content": prompt.instruction}]) for prompt in prompts]
    jobs = []
    for run in runs:
        for prompt, text in zip(prompts, texts, strict=True):
            key = sample_key(text, model_is, adapter_is if run == "tuned" else "", settings.as_dict())
            jobs.append(_Job(key, run, prompt, text))
    missing = [job for job in jobs if job.key not in file]
    if len(missing) < len(jobs):
        console.print(f"{len(jobs) - len(missing)} of {len(jobs)} completions are in {file.path} already")
    if missing:
        _run(backend, missing, runs, settings, file, batch_size, console)
    return [_own(file.samples[job.key], job) for job in jobs]


def _run(
    backend: HFBackend,
    jobs: Sequence[_Job],
    runs: Sequence[str],
    settings: Settings,
    file: SampleFile,
    batch_size: int,
    console: Console,
) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        for run in runs:
            mine = [job for job in jobs if job.run == run]
            if not mine:
                continue
            bar = progress.add_task(f"{run:>5}", total=len(mine), speed="")
            steps = tokens = 0
            start = time.monotonic()

            def tick(sequences: int, bar: TaskID = bar, start: float = start) -> None:
                nonlocal steps
                steps += sequences
                progress.update(bar, speed=f"{steps / (time.monotonic() - start):.0f} tokens/s")

            with backend.adapter(run == "tuned"):
                for batch in _batches(backend, mine, batch_size):
                    outputs = backend.generate([job.text for job in batch], settings.max_new_tokens, tick)
                    for job, out in zip(batch, outputs, strict=True):
                        p = job.prompt
                        file.append(Sample(job.key, run, p.set, p.id, p.instruction, out.text, out.finish, out.tokens))
                        tokens += out.tokens
                    # Now the tokens that were kept; padding after a stop is not output.
                    rate = tokens / (time.monotonic() - start)
                    progress.update(bar, advance=len(batch), speed=f"{rate:.0f} tokens/s")
                    if not console.is_terminal:  # a log file shows no bar
                        done = int(progress.tasks[-1].completed)
                        console.print(f"{run}: {done} of {len(mine)} completions, {rate:.0f} tokens/s")


def _batches(backend: HFBackend, jobs: Sequence[_Job], size: int) -> Iterator[list[_Job]]:
    """Batches of prompts alike in length, longest first, so that running out of memory shows at once.

    A batch lasts as long as its longest answer, and answers are alike in length within a set: sets do not mix.
    """
    lengths = dict(zip((job.key for job in jobs), backend.count_tokens([job.text for job in jobs]), strict=True))
    for name in dict.fromkeys(job.prompt.set for job in jobs):
        mine = sorted((job for job in jobs if job.prompt.set == name), key=lambda job: -lengths[job.key])
        for start in range(0, len(mine), size):
            yield mine[start : start + size]


def _own(sample: Sample, job: _Job) -> Sample:
    """The sample under this job's run and id; two sets may share a prompt and so its completion."""
    return Sample(**{**vars(sample), "run": job.run, "set": job.prompt.set, "id": job.prompt.id})

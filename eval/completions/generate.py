"""Generate what is missing: progress with tokens per second, one append per sample, conversations turn by turn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from axolotl_alttrain.eval.backends.base import Backend, Generated, Request, RequestsRefused
from axolotl_alttrain.eval.completions.samples import Sample, SampleFile, sample_key
from axolotl_alttrain.eval.prompts.prompt import Prompt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat, parse_completion
from axolotl_alttrain.generation.sampling import Sampling

NO_ANSWER = "…"  # stands for the answer of a turn whose thought was cut off; templates refuse empty turns


@dataclass
class _Job:
    """One prompt of one run and repeat, on its way through its turns."""

    run: str
    prompt: Prompt
    repeat: int
    segments: list[list[Message]]
    history: list[Message] = field(default_factory=list)
    key: str = ""
    prefill: str = ""
    refused: str = ""


def generate(
    backend: Backend,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    repeats: int,
    file: SampleFile,
    console: Console,
    refused: dict[str, str] | None = None,
) -> list[Sample]:
    """Answer every prompt in every run; what the file has already is not asked again.

    Args:
        backend: Answers.
        prompts: What is asked.
        sampling: How tokens are chosen.
        repeats: Samples per prompt and run.
        file: Where every completion goes, those of earlier turns of a conversation included.
        console: For progress.
        refused: Takes, by set and run, how much the backend was refused; without it, that is an error.

    Returns:
        The samples that are to be judged, in the order of runs, then prompts, then repeats: of a conversation the
        last turn's. A prompt that was refused in one run is left out of all, so that they are measured on the same.

    Raises:
        AltTrainError: The backend fails, or no prompt is left.
    """
    settings = {**backend.settings(), **sampling.as_dict()}
    jobs = [
        _Job(run, prompt, repeat, segments(prompt.conversation))
        for run in backend.runs
        for prompt in prompts
        for repeat in range(repeats)
    ]
    for turn in range(max((len(job.segments) for job in jobs), default=0)):
        here = [job for job in jobs if turn < len(job.segments) and not job.refused]
        requests: dict[str, Request] = {}
        for job in here:
            job.history += job.segments[turn]
            request = _request(backend, job, turn, settings)
            requests[job.key] = request
        wanted = {job.key: job for job in here if job.key not in file}
        if len(wanted) < len({job.key for job in here}):
            there = sum(job.key not in wanted for job in here)
            console.print(f"{there} of {len(here)} completions are in {file.path} already")
        for run in backend.runs:
            mine = [job for job in wanted.values() if job.run == run]
            if mine:
                try:
                    _run(backend, run, mine, [requests[job.key] for job in mine], turn, sampling, file, console)
                except RequestsRefused as error:
                    if refused is None or not any(job.key in file for job in jobs if job.run == run):
                        raise
                    reasons = {mine[index].key: reason for index, reason in error.reasons.items()}
                    for job in here:
                        job.refused = job.refused or reasons.get(job.key, "")
        here = [job for job in here if not job.refused]
        for job in here:
            if turn < len(job.segments) - 1:
                answer = parse_completion(file.samples[job.key].completion, backend.thought).answer
                job.history.append({"role": "assistant", "content": answer or NO_ANSWER})
    if refused is not None:
        refused |= _refused(jobs)
    left_out = {(job.prompt.set, job.prompt.id) for job in jobs if job.refused}
    kept = [job for job in jobs if (job.prompt.set, job.prompt.id) not in left_out]
    if jobs and not kept:
        raise AltTrainError("no prompt is left that every run was answered:\n" + "\n".join(_refused(jobs).values()))
    return [_own(file.samples[job.key], job) for job in kept]


def segments(conversation: Sequence[Message]) -> list[list[Message]]:
    """Cut a conversation where a user turn follows a user turn: there the model's own answer is put."""
    parts: list[list[Message]] = [[]]
    for message in conversation:
        if parts[-1] and parts[-1][-1]["role"] == "user" and message["role"] == "user":
            parts.append([])
        parts[-1].append(message)
    return parts


def prefill(prompt: Prompt, fmt: ThoughtFormat) -> str:
    """What is written for the model: the beginning of its thought, or an empty one as its template writes it."""
    if prompt.thought == "prefilled":
        return fmt.open + prompt.prefill
    return fmt.open + fmt.close if prompt.thought == "suppressed" else ""


def _request(backend: Backend, job: _Job, turn: int, settings: Mapping[str, Any]) -> Request:
    """The request of a job's next turn; sets the job's key."""
    last = turn == len(job.segments) - 1
    job.prefill = prefill(job.prompt, backend.thought) if last else ""
    messages = tuple(job.history)
    text = backend.render(messages)
    shown = text + job.prefill if text is not None else repr([(m["role"], m["content"]) for m in messages])
    model, adapter, template = backend.identity(job.run)
    job.key = sample_key(shown, model, adapter, settings, template, job.repeat)
    return Request(text + job.prefill if text is not None else "", messages, job.prompt.set, int(job.key[:12], 16))


def _run(
    backend: Backend,
    run: str,
    jobs: Sequence[_Job],
    requests: Sequence[Request],
    turn: int,
    sampling: Sampling,
    file: SampleFile,
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
    start, steps, tokens, done = time.monotonic(), 0, 0, 0
    with Progress(*columns, console=console) as progress:
        name = f"{run:>5}" + (f", turn {turn + 1}" if turn else "")
        bar = progress.add_task(name, total=len(jobs), speed="")

        def on_token(sequences: int) -> None:
            nonlocal steps
            steps += sequences
            progress.update(bar, speed=f"{steps / (time.monotonic() - start):.0f} tokens/s")

        def on_result(index: int, out: Generated) -> None:
            nonlocal tokens, done
            job, p = jobs[index], jobs[index].prompt
            file.append(
                Sample(
                    job.key,
                    run,
                    p.set,
                    p.id,
                    p.instruction,
                    job.prefill + out.text,
                    out.finish,
                    out.tokens,
                    job.repeat,
                    turn,
                    job.prefill,
                )
            )
            tokens, done = tokens + out.tokens, done + 1
            # Now the tokens that were kept; padding after a stop is not output.
            rate = tokens / (time.monotonic() - start)
            progress.update(bar, advance=1, speed=f"{rate:.0f} tokens/s")
            if not console.is_terminal and (done % 50 == 0 or done == len(jobs)):  # a log file shows no bar
                console.print(f"{name.strip()}: {done} of {len(jobs)} completions, {rate:.0f} tokens/s")

        backend.complete(run, requests, sampling, on_result, on_token)


def _refused(jobs: Sequence[_Job]) -> dict[str, str]:
    """What was refused of each set in each run, and why."""
    found: dict[str, list[_Job]] = {}
    for job in jobs:
        found.setdefault(f"{job.prompt.set}, {job.run}", []).append(job)
    return {
        name: f"{len(some)} of {len(group)} completions were refused, the first ({some[0].prompt.id}) with: "
        f"{some[0].refused}; their prompts are left out of all runs, the same command asks for them again"
        for name, group in found.items()
        if (some := [job for job in group if job.refused])
    }


def _own(sample: Sample, job: _Job) -> Sample:
    """The sample under this job's run and id; two sets may share a prompt and so its completion."""
    history = tuple(job.history) if len(job.segments) > 1 else ()
    prompt = job.prompt
    return replace(sample, run=job.run, set=prompt.set, id=prompt.id, repeat=job.repeat, history=history)

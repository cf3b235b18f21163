"""Generate the completions that are missing, conversations turn by turn; each is written as soon as it is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from axolotl_alttrain.eval.backends.base import Backend, Generated, Request, RequestsRefused
from axolotl_alttrain.eval.completions.progress import GenerationProgress
from axolotl_alttrain.eval.completions.samples import GenerationSettings, Sample, SampleFile, sample_key
from axolotl_alttrain.eval.prompts.prompt import Prompt

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.generation.sampling import Sampling

NO_ANSWER = "…"  # replaces the answer of a turn whose thought was truncated; templates reject empty turns


@dataclass(frozen=True)
class Completions:
    """Generated completions.

    Attributes:
        samples: In the order of runs, then prompts, then repeats; of a conversation only the last turn's. A prompt
            that was refused in one run is left out of all, so that all runs are measured on the same prompts.
        refused: By set and run, how many requests the server refused and the first reason.
    """

    samples: list[Sample]
    refused: dict[str, str]


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
    progress: GenerationProgress,
) -> Completions:
    """Answer every prompt in every run; completions that are already in the file are not generated again.

    Args:
        backend: Generates.
        prompts: What is asked.
        sampling: How tokens are chosen.
        repeats: Samples per prompt and run.
        file: Receives every completion, including those of earlier turns of a conversation.
        progress: Shows it.

    Raises:
        AltTrainError: The backend fails, or every prompt was refused in some run.
    """
    jobs = [
        _Job(run, prompt, repeat, segments(prompt.conversation))
        for run in backend.runs
        for prompt in prompts
        for repeat in range(repeats)
    ]
    generation = _Generation(backend, sampling, file, progress, jobs)
    for turn in range(max((len(job.segments) for job in jobs), default=0)):
        generation.take_turn(turn)
    refused = _refused(jobs)
    left_out = {(job.prompt.set, job.prompt.id) for job in jobs if job.refused}
    kept = [job for job in jobs if (job.prompt.set, job.prompt.id) not in left_out]
    if jobs and not kept:
        raise AltTrainError("no prompt was answered in every run:\n" + "\n".join(refused.values()))
    return Completions([_own(file.samples[job.key], job) for job in kept], refused)


def segments(conversation: Sequence[Message]) -> list[list[Message]]:
    """Split a conversation between consecutive user turns, where the model's own answer belongs."""
    parts: list[list[Message]] = [[]]
    for message in conversation:
        if parts[-1] and parts[-1][-1]["role"] == "user" and message["role"] == "user":
            parts.append([])
        parts[-1].append(message)
    return parts


def prefill(prompt: Prompt, fmt: ThoughtFormat) -> str:
    """The text that is written for the model: the beginning of its thought, or an empty thought."""
    if prompt.thought == "prefilled":
        return fmt.open + prompt.prefill
    return fmt.open + fmt.close if prompt.thought == "suppressed" else ""


class _Generation:
    """Takes all jobs through one turn after the other."""

    def __init__(
        self,
        backend: Backend,
        sampling: Sampling,
        file: SampleFile,
        progress: GenerationProgress,
        jobs: Sequence[_Job],
    ) -> None:
        self._backend, self._sampling, self._file, self._progress = backend, sampling, file, progress
        self._settings = GenerationSettings(backend.settings(), sampling)
        self._jobs = jobs

    def take_turn(self, turn: int) -> None:
        """Generate what the file lacks of one turn, then add the answers to the conversations."""
        active = [job for job in self._jobs if turn < len(job.segments) and not job.refused]
        requests = {}
        for job in active:
            job.history += job.segments[turn]
            request = self._request(job, turn)
            requests[job.key] = request
        missing = {job.key: job for job in active if job.key not in self._file}
        if len(missing) < len({job.key for job in active}):
            there = sum(job.key not in missing for job in active)
            self._progress.resumed(there, len(active), self._file.path)
        for run in self._backend.runs:
            mine = [job for job in missing.values() if job.run == run]
            if mine:
                reasons = self._answer(run, turn, mine, [requests[job.key] for job in mine])
                for job in active:
                    job.refused = job.refused or reasons.get(job.key, "")
        for job in active:
            if not job.refused and turn < len(job.segments) - 1:
                answer = parse_completion(self._file.samples[job.key].completion, self._backend.thought).answer
                job.history.append({"role": "assistant", "content": answer or NO_ANSWER})

    def _request(self, job: _Job, turn: int) -> Request:
        """The request of a job's next turn; sets the job's key."""
        last = turn == len(job.segments) - 1
        job.prefill = prefill(job.prompt, self._backend.thought) if last else ""
        messages = tuple(job.history)
        text = self._backend.render(messages)
        shown = text + job.prefill if text is not None else repr([(m["role"], m["content"]) for m in messages])
        job.key = sample_key(shown, self._backend.identity(job.run), self._settings, job.repeat)
        return Request(
            text + job.prefill if text is not None else "",
            messages,
            job.prompt.set,
            int(job.key[:12], 16),
            prefill=job.prefill,
        )

    def _answer(self, run: str, turn: int, jobs: Sequence[_Job], requests: Sequence[Request]) -> dict[str, str]:
        """Generate and write the completions of one run; returns the reasons of refused requests by key."""
        with self._progress.run(run, turn, len(jobs)) as progress:

            def on_result(index: int, out: Generated) -> None:
                self._file.append(_sample(jobs[index], turn, out))
                progress.finished(out.tokens)

            try:
                self._backend.complete(run, requests, self._sampling, on_result, progress.step)
            except RequestsRefused as error:
                if not any(job.key in self._file for job in self._jobs if job.run == run):
                    raise
                return {jobs[index].key: reason for index, reason in error.reasons.items()}
        return {}


def _sample(job: _Job, turn: int, out: Generated) -> Sample:
    return Sample(
        key=job.key,
        run=job.run,
        set=job.prompt.set,
        id=job.prompt.id,
        instruction=job.prompt.instruction,
        completion=job.prefill + out.text,
        finish=out.finish,
        tokens=out.tokens,
        repeat=job.repeat,
        turn=turn,
        prefill=job.prefill,
        budgeted=out.budgeted,
    )


def _refused(jobs: Sequence[_Job]) -> dict[str, str]:
    """How much of each set was refused in each run, and why."""
    found: dict[str, list[_Job]] = {}
    for job in jobs:
        found.setdefault(f"{job.prompt.set}, {job.run}", []).append(job)
    return {
        name: f"{len(some)} of {len(group)} completions were refused, the first ({some[0].prompt.id}) with: "
        f"{some[0].refused}; their prompts are left out of all runs, run the same command again to retry them"
        for name, group in found.items()
        if (some := [job for job in group if job.refused])
    }


def _own(sample: Sample, job: _Job) -> Sample:
    """The sample under this job's run and ID; two sets may share a prompt and therefore its completion."""
    history = tuple(job.history) if len(job.segments) > 1 else ()
    prompt = job.prompt
    return replace(sample, run=job.run, set=prompt.set, id=prompt.id, repeat=job.repeat, history=history)

"""Self-distillation: the target model's own traces for benign queries, a source of the builder.

Traces from the model's own distribution cost it less of its ability than foreign ones. Every sample, usable or not, is
written to disk when it arrives, so that an interrupted run resumes. The file of traces is made from them at the end.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from axolotl_alttrain.data.traces.queries import Query
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.storage.append_only import AppendOnly
from axolotl_alttrain.storage.atomic import open_atomic

LOG = logging.getLogger(__name__)
USABLE, TRUNCATED, NO_THOUGHT, NO_ANSWER = "usable", "truncated", "no_thought", "no_answer"


@dataclass(frozen=True)
class Settings:
    """How traces are sampled; every setting enters a sample's key.

    Attributes:
        model: :attr:`Sampler.identity`.
        temperature: 0 is greedy.
        top_p: Probability mass that is sampled from.
        max_new_tokens: Token limit of thought and answer together.
        seed: The seed of the run.
    """

    model: str
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int


@dataclass(frozen=True)
class Job:
    """One sample to draw: its key, its query, and its number among the samples of that query, from 0."""

    key: str
    query: Query
    number: int


@dataclass(frozen=True)
class Sampled:
    """One sampled completion.

    Attributes:
        thought, answer: Without think tags.
        finished: The model ended its turn. A completion that was cut off is never a trace.
    """

    thought: str
    answer: str
    finished: bool

    @property
    def state(self) -> str:
        """``usable``, or the reason why not."""
        if not self.finished:
            return TRUNCATED
        return USABLE if self.thought and self.answer else NO_ANSWER if self.thought else NO_THOUGHT


class Sampler(Protocol):
    """A model that answers.

    Attributes:
        identity: The model and its settings in keys, by content: a retrained model has another one.
        former_identity: Its identity in old keys, by path or name alone.
    """

    identity: str
    former_identity: str

    def sample(self, jobs: Sequence[Job], done: Callable[[str], bool]) -> Iterator[tuple[Job, Sampled]]:
        """Answer the jobs that are not done, in any order."""


class SampleStore(AppendOnly):
    """The file of all samples, read by key."""

    def __init__(self, path: Path) -> None:
        self.samples: dict[str, Sampled] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line."""
        self.samples[row["key"]] = Sampled(row["thought"], row["answer"], row["finished"])

    def add(self, job: Job, sampled: Sampled) -> None:
        """Append one sample."""
        about = {"key": job.key, "id": job.query.id, "number": job.number, "state": sampled.state}
        self.write(about | asdict(sampled))
        self.samples[job.key] = sampled


def jobs_for(queries: Sequence[Query], samples: int, settings: Settings) -> list[Job]:
    """The jobs of all queries; a key is a hash of the query, the settings and the sample's number."""
    jobs = []
    for query in queries:
        for number in range(samples):
            content = json.dumps([query.text, asdict(settings), number], sort_keys=True, ensure_ascii=False)
            jobs.append(Job(hashlib.sha256(content.encode()).hexdigest()[:24], query, number))
    return jobs


def sample_traces(
    sampler: Sampler,
    queries: Sequence[Query],
    samples: int,
    settings: Settings,
    out: Path,
    source: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Counter[str]:
    """Sample what is missing and write the usable traces, in the order of the queries.

    Args:
        sampler: The model.
        queries: Benign queries.
        samples: Number of samples per query.
        settings: How to sample.
        out: The file of traces; ``NAME.samples.jsonl`` beside it holds all samples.
        source: The source's name in the traces.
        progress: Called with the number of samples so far and in total.

    Returns:
        The number of samples by state.

    Raises:
        AltTrainError: The samples file is broken or in use, or the server is unreachable.
    """
    jobs = jobs_for(queries, samples, settings)
    with SampleStore(out.with_name(f"{out.stem}.samples.jsonl")) as store:
        there = sum(job.key in store.samples for job in jobs)
        if there < len(jobs):
            _report_former(store, jobs_for(queries, samples, replace(settings, model=sampler.former_identity)))
        progress(there, len(jobs))
        for job, sampled in sampler.sample(jobs, store.samples.__contains__):
            store.add(job, sampled)
            there += 1
            progress(there, len(jobs))
        drawn = [(job, store.samples[job.key]) for job in jobs]
        with open_atomic(out) as file:  # while the samples are locked: another run would write the same file
            for job, sampled in drawn:
                if sampled.state == USABLE:
                    file.write(json.dumps(_trace(job, sampled, samples, source).as_row(), ensure_ascii=False) + "\n")
    return Counter(sampled.state for _, sampled in drawn)


def _report_former(store: SampleStore, jobs: Sequence[Job]) -> None:
    """Say that samples whose keys name the model by path or name are not reused."""
    if number := sum(job.key in store.samples for job in jobs):
        LOG.warning(
            "%s: %d samples of an earlier version are not reused, because their keys do not show which weights or "
            "which server they came from",
            store.path,
            number,
        )


def _trace(job: Job, sampled: Sampled, samples: int, source: str) -> Trace:
    query = job.query
    name = query.id if samples == 1 else f"{query.id}-{job.number}"
    return Trace(name, query.text, sampled.thought, sampled.answer, "benign", query.category, source, query.language)

"""Self-distillation: the target model's own traces for benign queries, which the builder takes as a source.

Traces of the model's own distribution cost less of its ability than foreign ones. Every sample is on disk as it comes,
usable or not, so that an interrupted run goes on; the file of traces is made from them at the end.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from axolotl_alttrain.data.traces.queries import Query
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.storage.append_only import AppendOnly
from axolotl_alttrain.storage.atomic import open_atomic

USABLE, TRUNCATED, NO_THOUGHT, NO_ANSWER = "usable", "truncated", "no_thought", "no_answer"


@dataclass(frozen=True)
class Settings:
    """How traces are sampled; all of it enters a sample's key.

    Attributes:
        model: What :attr:`Sampler.identity` says.
        temperature: 0 is greedy.
        top_p: Share of probability that is sampled from.
        max_new_tokens: Most tokens of thought and answer together.
        seed: Of all samples.
    """

    model: str
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int


@dataclass(frozen=True)
class Job:
    """One sample that is wanted: its key, its query, and the how-manieth of that query it is, from 0."""

    key: str
    query: Query
    number: int


@dataclass(frozen=True)
class Sampled:
    """What the model wrote.

    Attributes:
        thought, answer: Without think tags.
        finished: It ended its turn itself; a completion that was cut off is never a trace.
    """

    thought: str
    answer: str
    finished: bool

    @property
    def state(self) -> str:
        """Whether it can be used, and if not, why."""
        if not self.finished:
            return TRUNCATED
        return USABLE if self.thought and self.answer else NO_ANSWER if self.thought else NO_THOUGHT


class Sampler(Protocol):
    """A model that answers.

    Attributes:
        identity: Names the model in keys.
    """

    identity: str

    def sample(self, jobs: Sequence[Job], done: Callable[[str], bool]) -> Iterator[tuple[Job, Sampled]]:
        """Answer those of the jobs that are not done, in any order."""


class SampleStore(AppendOnly):
    """The file of all samples, by key."""

    def __init__(self, path: Path) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line."""
        self.rows[row["key"]] = row

    def add(self, job: Job, sampled: Sampled) -> None:
        """Write one sample through to the disk."""
        row = {"key": job.key, "id": job.query.id, "number": job.number, "state": sampled.state, **asdict(sampled)}
        self.write(row)
        self.rows[job.key] = row


def jobs_for(queries: Sequence[Query], samples: int, settings: Settings) -> list[Job]:
    """So many samples of every query; a key is a hash of the query, the settings and the sample's number."""
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
        samples: Of each query.
        settings: How.
        out: The file of traces; all samples stand in ``NAME.samples.jsonl`` beside it.
        source: Names the traces' source.
        progress: Called with the number of samples that are there, and of all.

    Returns:
        How many samples are in which state.
    """
    jobs = jobs_for(queries, samples, settings)
    with SampleStore(out.with_name(f"{out.stem}.samples.jsonl")) as store:
        there = sum(job.key in store.rows for job in jobs)
        progress(there, len(jobs))
        for job, sampled in sampler.sample(jobs, store.rows.__contains__):
            store.add(job, sampled)
            there += 1
            progress(there, len(jobs))
        rows = [(job, store.rows[job.key]) for job in jobs]
    with open_atomic(out) as file:
        for job, row in rows:
            if row["state"] == USABLE:
                file.write(json.dumps(_trace(job, row, samples, source).as_row(), ensure_ascii=False) + "\n")
    return Counter(row["state"] for _, row in rows)


def _trace(job: Job, row: dict[str, Any], samples: int, source: str) -> Trace:
    query = job.query
    name = query.id if samples == 1 else f"{query.id}-{job.number}"
    return Trace(name, query.text, row["thought"], row["answer"], "benign", query.category, source, query.language)

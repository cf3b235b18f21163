"""``summary.json``: the results of one evaluation, typed."""

from __future__ import annotations

import json
from pathlib import Path

from axolotl_alttrain.eval.judges.judge_quality import SplitQuality
from axolotl_alttrain.eval.protocols import PaperResult
from axolotl_alttrain.eval.results.budget import BudgetResult
from axolotl_alttrain.eval.results.finished import read_run_file
from axolotl_alttrain.eval.results.run_results import PairedLengths, PairedRun, RunResults, SetTest
from axolotl_alttrain.eval.results.separation import SeparationTest
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from axolotl_alttrain.eval.stats.repeats import Repeated
from axolotl_alttrain.eval.weights import WeightsForm
from pydantic import BaseModel, JsonValue


class PaperResults(BaseModel, frozen=True):
    """What a paper reports for one backbone: its method, the backbone's name there, the source, and the rows."""

    title: str = "AltTrain"
    backbone: str
    source: str
    url: str = ""
    results: list[PaperResult]


class ScoredFrom(BaseModel, frozen=True):
    """What the verdicts' scores were read from, see :class:`~eval.completions.verdict_scores.VerdictScores`."""

    rows: str = ""
    wording: tuple[str, ...] = ()
    problem: str = ""


class SummaryHead(BaseModel, frozen=True):
    """What ``compare`` needs of a run's summary: how it was made, and which runs there are."""

    version: str | None = None
    model: str | None = None
    adapter: str | None = None
    weights_folder: str | None = None
    weights: dict[str, WeightsForm] = {}
    settings: dict[str, JsonValue]
    thought_format: dict[str, JsonValue] | None = None
    thinking: dict[str, str] = {}
    packages: dict[str, str] = {}
    judges: list[str] = ["refusal"]
    refusal_judge: str | None = None
    runs: dict[str, object]

    @property
    def rate_judges(self) -> list[str]:
        """The judges that make the rates: the first, then the refusal judge if it is another one."""
        second = self.refusal_judge or self.judges[0]
        return list(dict.fromkeys([self.judges[0], second]))


class Summary(BaseModel, frozen=True):
    """``summary.json``; fields with a default may be absent from the file.

    Attributes:
        version, finished, seconds, packages: When, with which versions, and how long.
        model, base_model, adapter: What was evaluated; ``base_model`` is the hub id where one is known.
        weights_folder: The whole model that was run as ``tuned``, such as an export.
        weights: Which form of the weights each run measured, by run; empty in files from before it was recorded.
        paper: Of the protocol's paper, by default AltTrain's: its results for this model; None where it has none.
        protocol: The protocol in sentences, with what is unknown of it and what differs here; None without one.
        settings, samples: Of generation; samples per prompt.
        lengths_in: Unit of lengths, ``tokens`` or ``words``.
        thought_format: How the template opens and closes thoughts.
        template_notes: What else its prompts contain: the switch for thinking, the date.
        thinking: By run, the mode of thinking, ``on`` or ``off``; empty in files from before it was recorded.
        sets: Number of prompts by set.
        missing: What was asked for and is unavailable, with the reason.
        switched_off: What of that is left out on purpose.
        judges, refusal_judge, judge_quality: The judges, the first of which determines the rates; quality by judge
            and split.
        judges_of_completions: Those that read an answer together with its thought, even if that is truncated.
        runs: By run: ``base``, ``tuned``, or both.
        verdict_scores: What the verdicts' scores were read from.
        comparison, comparison_by_set, comparison_lengths: Tuned against base: by metric, by set, and lengths by kind of
            prompt and part.
        comparison_separation, comparison_thoughts: The same of what the verdicts can tell, and of unsafe thoughts.
        repeats: Repeated sampling, by run and metric.
        budget: By run, the rates without the completions whose thought reached its limit; empty without a limit.
        modes: Thinking off against on for the same weights, and tuned against base with thinking off; empty where one
            mode was measured.
    """

    version: str
    finished: str
    seconds: float | None = None
    model: str
    base_model: str | None = None
    adapter: str | None = None
    weights_folder: str | None = None
    weights: dict[str, WeightsForm] = {}
    paper: PaperResults | None = None
    protocol: str | None = None
    settings: dict[str, JsonValue]
    samples: int = 1
    lengths_in: str = "tokens"
    thought_format: dict[str, JsonValue] = {}
    template_notes: list[str] = []
    thinking: dict[str, str] = {}
    sets: dict[str, int]
    missing: dict[str, str] = {}
    switched_off: list[str] = []
    packages: dict[str, str] = {}
    judges: list[str]
    judges_of_completions: list[str] = []
    refusal_judge: str | None = None
    judge_quality: dict[str, dict[str, SplitQuality]] = {}
    verdict_scores: ScoredFrom = ScoredFrom()
    runs: dict[str, RunResults]
    comparison: dict[str, PairedTest] | None = None
    repeats: dict[str, dict[str, Repeated]] = {}
    comparison_by_set: list[SetTest] = []
    comparison_lengths: dict[str, PairedLengths] = {}
    comparison_separation: list[SeparationTest] = []
    comparison_thoughts: list[SetTest] = []
    budget: dict[str, BudgetResult] = {}
    modes: list[PairedRun] = []

    @property
    def tests(self) -> dict[str, PairedTest]:
        """The paired tests by metric; empty for one run."""
        return self.comparison or {}

    @property
    def compared(self) -> bool:
        """Whether there are a base and a tuned run."""
        return bool(self.comparison)

    @property
    def refusals_by(self) -> str:
        """The judge that determines over-refusal."""
        return self.refusal_judge or self.judges[0]

    @property
    def one_run(self) -> RunResults:
        """The first run, for what all runs have in common."""
        return next(iter(self.runs.values()))

    @property
    def main_run(self) -> str:
        """``tuned``, or the only run."""
        return "tuned" if "tuned" in self.runs else next(iter(self.runs))

    def thinks(self, run: str) -> bool:
        """Whether a run was asked to think."""
        return self.thinking.get(run) != "off"

    @property
    def main_form(self) -> WeightsForm | None:
        """The form of the weights of :attr:`main_run`; None if it was not recorded."""
        return self.weights.get(self.main_run)

    @property
    def tuned_name(self) -> str | None:
        """The adapter, or the whole model in its place; None for a base alone."""
        return self.adapter or self.weights_folder

    @property
    def base_name(self) -> str:
        """The base model's hub id or, without one, the model as given."""
        return self.base_model or self.model

    def rates(self, metric: str) -> list[Rate]:
        """A metric of every run, in the runs' order."""
        return [run.rate(metric) for run in self.runs.values()]

    def set_test(self, name: str) -> PairedTest | None:
        """The paired test of what is measured on a set; None without one."""
        measure = self.one_run.by_set[name].measure
        return next((t for t in self.comparison_by_set if t.set == name and t.measure == measure), None)

    def as_json(self) -> str:
        """The text of ``summary.json``."""
        return json.dumps(self.model_dump(mode="json", exclude_unset=True), indent=2, ensure_ascii=False) + "\n"


def read_summary(folder: Path) -> Summary:
    """The summary of a finished run.

    Raises:
        AltTrainError: ``summary.json`` is missing or broken.
    """
    return read_run_file(folder, "summary.json", Summary)

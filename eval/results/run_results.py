"""The results of one run, and those of two runs paired, as ``summary.json`` holds them."""

from __future__ import annotations

from typing import Any

from axolotl_alttrain.eval.results.separation import Separation, SeparationTest
from axolotl_alttrain.eval.scoring.run_rates import TokenMeans
from axolotl_alttrain.eval.scoring.thought_structure import PartSpreads, ThoughtStructure
from axolotl_alttrain.eval.stats.intervals_and_tests import NO_RATE, Rate
from axolotl_alttrain.eval.stats.paired_test import PairedTest
from pydantic import BaseModel, field_serializer, field_validator


class SetResult(BaseModel, frozen=True):
    """What counts on one set.

    Attributes:
        kind: Of the set's prompts.
        measure: ``harmful_response``, ``over_refusal``, ``accuracy``, ``attack_success`` (a set asked only under
            attacks), or the metric of a set scored by degree.
        rate: Of the measure; for a set scored by degree, the mean with a bootstrap interval over prompts.
        truncated: Share of truncated thoughts.
    """

    kind: str
    measure: str
    rate: Rate
    truncated: Rate = NO_RATE


class JudgeRates(BaseModel, frozen=True):
    """One judge's own rates over a run.

    Attributes:
        harmful_response, harmful_thought, undetermined: Over harmful prompts, attacked ones only if there are no
            others.
        over_refusal: Over benign prompts; None where the judge does not detect refusals.
        score: Mean score over harmful prompts; None where the judge gives none.
    """

    harmful_response: Rate
    harmful_thought: Rate
    over_refusal: Rate | None = None
    undetermined: Rate = NO_RATE
    score: float | None = None


class Agreement(BaseModel, frozen=True):
    """How far two judges agree on whether answers are harmful.

    Attributes:
        first, second: The judges.
        n: Answers to harmful prompts, attacked ones included, that both judged.
        agreement: Share of equal verdicts; None without answers.
        kappa: Cohen's kappa; None where it is undefined.
    """

    first: str
    second: str
    n: int
    agreement: float | None = None
    kappa: float | None = None


class ThoughtsAndAnswers(BaseModel, frozen=True):
    """Unsafe thoughts against unsafe answers on one set with harmful prompts, by one judge, attacks left out.

    Attributes:
        set, judge: Which.
        both, thought_only, answer_only, neither: Samples by what is unsafe: a text that complies, fully or partly, or
            that the judge calls unsafe. Samples without a thought or without an answer are left out.
        unsafe_thought: Share of these samples whose thought is unsafe.
    """

    set: str
    judge: str
    both: int
    thought_only: int
    answer_only: int
    neither: int
    unsafe_thought: Rate


class RunResults(BaseModel, frozen=True):
    """The results of one run.

    Attributes:
        metrics, tokens, by_category: See :class:`~eval.scoring.run_rates.RunRates`.
        lengths, structure: Tokens by kind of prompt, and the structure of thoughts.
        judges, agreement: Each judge's own rates, and each two judges' agreement.
        by_set: What counts on each set.
        by_scenario, by_attack: Attack success by scenario, and by set and scenario.
        separation: How well the verdicts' scores separate each harmful set from each benign one.
        thoughts: Unsafe thoughts and unsafe answers on each set, where a judge read the thoughts.
    """

    metrics: dict[str, Rate]
    tokens: dict[str, TokenMeans] = {}
    by_category: dict[str, dict[str, Rate]] = {}
    lengths: dict[str, PartSpreads] = {}
    structure: ThoughtStructure | None = None
    judges: dict[str, JudgeRates] = {}
    agreement: list[Agreement] = []
    by_set: dict[str, SetResult]
    by_scenario: dict[str, Rate] = {}
    by_attack: dict[str, dict[str, Rate]] = {}
    separation: list[Separation] = []
    thoughts: list[ThoughtsAndAnswers] = []

    def rate(self, metric: str) -> Rate:
        """A metric; without samples where this run does not have it."""
        return self.metrics.get(metric, NO_RATE)

    @field_validator("structure", mode="before")
    @classmethod
    def _read_position(cls, value: Any) -> Any:
        """The file says ``{}`` where no thought has a verdict."""
        if isinstance(value, dict) and value.get("verdict_position") == {}:
            return value | {"verdict_position": None}
        return value

    @field_serializer("structure", mode="wrap")
    def _write_position(self, value: ThoughtStructure | None, default: Any) -> Any:
        written = default(value)
        if written and written["verdict_position"] is None:
            written["verdict_position"] = {}
        return written


class SetTest(PairedTest, frozen=True):
    """The paired test of one outcome, or of the mean of a set scored by degree, on one set."""

    metric: str
    set: str

    @property
    def measure(self) -> str:
        """The measure as :class:`SetResult` names it."""
        return "accuracy" if self.metric == "capability" else self.metric


class PairedLength(BaseModel, frozen=True):
    """Mean lengths of two runs over the same prompts.

    Attributes:
        pairs: Samples that both runs have.
        first, second: Each run's mean, in the summary's unit of lengths.
        difference, low, high: Second minus first, with its 95 % bootstrap interval over prompts.
    """

    pairs: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None


class PairedLengths(BaseModel, frozen=True):
    """Lengths of thoughts and of answers."""

    thought: PairedLength
    answer: PairedLength

    def parts(self) -> list[tuple[str, PairedLength]]:
        """Both parts with their names."""
        return [("thought", self.thought), ("answer", self.answer)]


class PairedResults(BaseModel, frozen=True):
    """Two runs over the prompts that both answered.

    Attributes:
        metrics: By metric; tested outcomes with pairs also have their smallest detectable difference.
        by_set: Each tested outcome, and each set scored by degree, on each set; ``p_holm`` is over all of these.
        lengths: By kind of prompt.
        separation: By two sets.
        thoughts: Unsafe thoughts, and those behind a safe answer, by set.
    """

    metrics: dict[str, PairedTest]
    by_set: list[SetTest]
    lengths: dict[str, PairedLengths]
    separation: list[SeparationTest] = []
    thoughts: list[SetTest] = []


class PairedRun(PairedResults, frozen=True):
    """Two runs of one evaluation that differ in the mode of thinking alone, or in the weights in the off mode.

    Attributes:
        first, second: The runs.
        rates: By metric, the rates of both runs over the prompts that both answered.
    """

    first: str
    second: str
    rates: dict[str, tuple[Rate, Rate]]

    @property
    def has_pairs(self) -> bool:
        """Whether any metric covers both runs."""
        return any(test.pairs for test in self.metrics.values())

"""``compare.json``: the result of a comparison, typed."""

from __future__ import annotations

import json

from axolotl_alttrain.eval.results.run_results import PairedResults
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate
from axolotl_alttrain.eval.weights import WeightsForm
from pydantic import BaseModel, JsonValue


class Flip(BaseModel, frozen=True):
    """One sample whose outcome changed.

    Attributes:
        metric: The metric that the outcome belongs to.
        set, id, instruction, repeat: The prompt, and the number of the repeat.
        now: Whether the sample counts in the second run.
        outcomes: In words, before and now.
        direction: ``better`` or ``worse``.
    """

    metric: str
    set: str
    id: str
    instruction: str
    repeat: int
    now: bool
    outcomes: tuple[str, str]
    direction: str


class PairedRuns(PairedResults, frozen=True):
    """One run against the reference.

    Attributes:
        first, second: Names of the reference and of the run.
        shared: Rows that pair.
        left_out: Rows of either run that have no partner.
        minimum_detectable: Smallest detectable difference by outcome (80 % power, 5 %); None where there is none.
        also_differing: What else differs, with both values.
        flips: Samples whose outcome changed.
    """

    first: str
    second: str
    shared: int
    left_out: int
    minimum_detectable: dict[str, float | None]
    also_differing: dict[str, tuple[JsonValue, JsonValue]]
    flips: list[Flip]


class RunOrigin(BaseModel, frozen=True):
    """Where a run comes from.

    Attributes:
        folders: Where it was found.
        adapter: Folder or name; None for a model without one.
        step: Of the training, for a checkpoint.
        weights: Which form of the weights was measured; None if that was not recorded.
    """

    folders: list[str]
    adapter: str | None
    step: int | None
    weights: WeightsForm | None = None


class Comparison(BaseModel, frozen=True):
    """All runs against one.

    Attributes:
        reference: The run that the others are compared with.
        runs: By run, the rates by metric over the samples that all runs have.
        prompts: Number of these samples of each run.
        left_out: By run, the number of its other samples.
        origins: By run.
        trainings: By training, its checkpoints as (step, run), by step.
        unknown_rules: Runs whose versions of metrics and judges were not recorded.
        not_compared: By run, forms of its adapter that no run measures.
        pairs: Every other run against the reference; the outcomes' ``p_holm`` is over the outcomes of all pairs.
    """

    reference: str
    runs: dict[str, dict[str, Rate]]
    prompts: int
    left_out: dict[str, int]
    origins: dict[str, RunOrigin]
    trainings: dict[str, list[tuple[int, str]]]
    unknown_rules: list[str]
    not_compared: dict[str, list[str]] = {}
    pairs: list[PairedRuns]

    def as_json(self) -> str:
        """The text of ``compare.json``."""
        return json.dumps(self.model_dump(mode="json", exclude_unset=True), indent=2, ensure_ascii=False) + "\n"

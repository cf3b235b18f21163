"""The result of a paired comparison of two runs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class PairedTest(BaseModel, frozen=True):
    """A paired difference, second run minus first, with its 95 % interval and its test.

    Attributes:
        pairs: Samples that both runs have.
        gained, lost: Pairs whose outcome rose or fell from the first run to the second.
        difference: Difference of the shares or means, between -1 and 1; None without pairs.
        p_value: Two-sided, not adjusted; 1 without pairs.
        low, high: Bounds of the interval, between -1 and 1; None without pairs.
        units: Prompts that the pairs belong to.
        test: The test that ``p_value`` comes from.
        minimum_detectable: Smallest true difference found with 80 % power at the 5 % level, between 0 and 1; None where
            no difference would be found. Set for the tested outcomes only.
        p_holm: ``p_value`` adjusted by Holm's method. Set where the test belongs to a family of tests.
    """

    pairs: int
    gained: int
    lost: int
    difference: float | None
    p_value: float
    low: float | None = None
    high: float | None = None
    units: int = 0
    test: Literal["mcnemar", "permutation"] = "mcnemar"
    minimum_detectable: float | None = None
    p_holm: float | None = None

    @property
    def has_power(self) -> bool:
        """Whether the smallest detectable difference was computed, even if there is none."""
        return "minimum_detectable" in self.model_fields_set

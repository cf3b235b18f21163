"""How far ``fit``'s estimates are from published measurements: the result of ``python -m benchmarks.published``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorBand:
    """Errors against published measurements.

    Attributes:
        memory_points: Measurements of peak memory.
        memory_median: Median of the absolute relative errors.
        memory_worst: Their maximum.
        time_points: Measurements of speed.
        time_factor: The largest factor between estimated and measured speed, in either direction.
        source: Where the comparison stands.
    """

    memory_points: int
    memory_median: float
    memory_worst: float
    time_points: int
    time_factor: float
    source: str = "benchmarks/results/published_memory.md"

    def sentence(self) -> str:
        """The band in one sentence."""
        median, worst = 100 * self.memory_median, 100 * self.memory_worst
        return (
            f"Against published measurements of other trainings, memory is off by {median:.0f} % in the median and "
            f"{worst:.0f} % at most ({self.memory_points} points), time by a factor of at most {self.time_factor:.1f} "
            f"({self.time_points} points)."
        )


# A test compares these with benchmarks/results/published_memory.json.
PUBLISHED_BAND = ErrorBand(memory_points=31, memory_median=0.04, memory_worst=0.28, time_points=13, time_factor=1.64)

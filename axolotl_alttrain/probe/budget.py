"""The probe's time budget: a share of the training time, enforced from the first probe on."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Tracks the time of training and of probes.

    Args:
        share: Maximum time for probes, as a share of the training time without them.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.share = share
        self._clock = clock
        self._began = clock()
        self._last: float | None = None
        self.spent = 0.0

    @property
    def training(self) -> float:
        """Seconds of training so far, without probes."""
        return self._clock() - self._began - self.spent

    def allows(self) -> bool:
        """Whether another probe as long as the last one stays within the budget so far.

        The first one is always allowed, because its cost is unknown; :meth:`limit` bounds it.
        """
        return self._last is None or self.spent + self._last <= self.share * self.training

    def limit(self, progress: float) -> float:
        """Maximum seconds for a probe, so that the budget holds at the end of training.

        Args:
            progress: Share of the training that is done, above 0 and at most 1.
        """
        return self.share * self.training / progress - self.spent

    def spend(self, seconds: float) -> None:
        """Record the time of a probe."""
        self.spent += seconds
        self._last = seconds

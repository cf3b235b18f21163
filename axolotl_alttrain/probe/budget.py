"""What the probe may cost: a share of the time that training takes, kept from the first probe on."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Two clocks, training's and the probe's own, and what follows from their ratio.

    Args:
        share: Most time for probes, as a share of the time that training takes without them.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.share = share
        self._clock = clock
        self._began = clock()
        self._last: float | None = None
        self.spent = 0.0

    @property
    def training(self) -> float:
        """Seconds since the beginning, those of the probes not counted."""
        return self._clock() - self._began - self.spent

    def allows(self) -> bool:
        """Whether another probe, as long as the one before, stays within the share of the time trained so far.

        The first one is always allowed, as its cost is not known; :meth:`limit` bounds it.
        """
        return self._last is None or self.spent + self._last <= self.share * self.training

    def limit(self, progress: float) -> float:
        """Seconds that a probe may take at most, so that the share holds at the end of training.

        Args:
            progress: The part of the training that is done, above 0 and at most 1.
        """
        return self.share * self.training / progress - self.spent

    def spend(self, seconds: float) -> None:
        """Book what a probe has taken."""
        self.spent += seconds
        self._last = seconds

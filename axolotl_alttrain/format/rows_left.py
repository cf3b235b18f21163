"""How many rows a config leaves to train. Fewer than half is a mistake: the limit does not suit the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from axolotl_alttrain.errors import AltTrainError


@dataclass(frozen=True)
class LengthRules:
    """What Axolotl does to rows because of their length, in tokens.

    Attributes:
        longest: ``sequence_len``.
        shortest: ``min_sample_len``; shorter rows are dropped.
        strategy: ``excess_length_strategy``; without one, a row over the limit stops the training.
    """

    longest: int
    shortest: int = 0
    strategy: str | None = None

    @property
    def spares_training(self) -> bool:
        """Whether a row over the limit is dropped or cut, where it would otherwise stop the training."""
        return self.strategy in ("drop", "truncate")

    def leave(self, tokens: int, prompt: int) -> bool:
        """Whether a row is trained.

        Args:
            tokens: Its length.
            prompt: Tokens before the first one that carries loss; a row that is cut off there has nothing to train.
        """
        kept = prompt < self.longest if self.strategy == "truncate" else tokens <= self.longest
        return kept and tokens >= self.shortest


def check_rows_left(file: str, rows: Iterable[tuple[int, int]], rules: LengthRules) -> None:
    """Check that at least half of a dataset's rows are trained.

    Args:
        file: Its path.
        rows: Of each row, its length and the length of its prompt.
        rules: The config's.

    Raises:
        AltTrainError: Fewer are; the message says how many, and what to set.
    """
    found = list(rows)
    left = sum(rules.leave(*row) for row in found)
    if 2 * left >= len(found):
        return
    longest = max(tokens for tokens, _ in found)
    limits = f"sequence_len {rules.longest}" + (f" and min_sample_len {rules.shortest}" if rules.shortest else "")
    raise AltTrainError(
        f"{file}: {limits} leave{'' if rules.shortest else 's'} {left} of {len(found)} rows to train; set "
        f"'sequence_len: {longest}'{' and a lower min_sample_len' * bool(rules.shortest)}, or remove the other rows "
        "from the file"
    )

"""Batches by length and token budget, whose size backs off when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from axolotl_alttrain.errors import AltTrainError


class BatchSizer:
    """How many sequences may stand in a batch.

    Args:
        fixed: As the user says; None to find out.
        start: First try where the user says nothing.
        tokens: Most tokens in a batch, prompts and answers to be added up.
    """

    def __init__(self, fixed: int | None, start: int, tokens: int) -> None:
        self.size = fixed or start
        self.tokens = tokens
        self._done: set[int] = set()

    def allowed(self, longest: int) -> int:
        """Most sequences of ``longest`` tokens."""
        return max(1, min(self.size, self.tokens // max(1, longest)))

    def shrink(self, failed: int) -> None:
        """A batch of ``failed`` sequences did not fit in memory.

        Raises:
            AltTrainError: It was a single sequence.
        """
        if failed <= 1:
            raise AltTrainError(
                "there is not enough memory for a single sequence; lower --max-new-tokens or add --load-in-4bit"
            )
        self.size = failed // 2

    def done(self, batch: Sequence[int]) -> None:
        """The batch has been answered."""
        self._done.update(batch)

    def start(self) -> None:
        """A new list of requests."""
        self._done = set()

    def is_done(self, index: int) -> bool:
        """Whether a request has been answered."""
        return index in self._done


def batches(lengths: Sequence[int], groups: Sequence[str], new_tokens: int, sizer: BatchSizer) -> Iterator[list[int]]:
    """Indices of requests alike in length, longest first, so that running out of memory shows at once.

    A batch lasts as long as its longest answer, and answers are alike in length within a group: groups do not mix.
    A batch that was not reported as done to ``sizer`` comes again, in the size that is allowed by then.

    Args:
        lengths: Of the prompts, in tokens.
        groups: One for each request.
        new_tokens: Most tokens per answer.
        sizer: Says how many.
    """
    sizer.start()
    for group in dict.fromkeys(groups):
        waiting = sorted((i for i, name in enumerate(groups) if name == group), key=lambda i: -lengths[i])
        while waiting:
            batch = waiting[: sizer.allowed(lengths[waiting[0]] + new_tokens)]
            yield batch
            waiting = [i for i in waiting if not sizer.is_done(i)]

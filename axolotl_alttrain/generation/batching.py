"""Batches by length and token budget; their size backs off when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from axolotl_alttrain.errors import AltTrainError

Answer = TypeVar("Answer")


class BatchSizer:
    """How many sequences a batch may hold.

    Args:
        fixed: The user's choice; None to find out.
        start: First attempt without a choice.
        tokens: Token limit of a batch, prompts and answers together.
        remedy: What the user can do if a single sequence does not fit.
    """

    def __init__(
        self,
        fixed: int | None,
        start: int,
        tokens: int,
        remedy: str = "lower --max-new-tokens, or use --load-in-4bit",
    ) -> None:
        self.size = fixed or start
        self.tokens, self.remedy = tokens, remedy
        self._done: set[int] = set()

    def allowed(self, longest: int) -> int:
        """How many sequences of ``longest`` tokens fit."""
        return max(1, min(self.size, self.tokens // max(1, longest)))

    def shrink(self, failed: int) -> None:
        """Halve the size after a batch of ``failed`` sequences did not fit in memory.

        Raises:
            AltTrainError: A single sequence did not fit.
        """
        if failed <= 1:
            raise AltTrainError(f"out of memory with a single sequence; {self.remedy}")
        self.size = failed // 2

    def done(self, batch: Sequence[int]) -> None:
        """Mark a batch as answered."""
        self._done.update(batch)

    def start(self) -> None:
        """Start on a new list of requests."""
        self._done = set()

    def is_done(self, index: int) -> bool:
        """Whether a request has been answered."""
        return index in self._done


def batches(lengths: Sequence[int], groups: Sequence[str], new_tokens: int, sizer: BatchSizer) -> Iterator[list[int]]:
    """Indices of requests of similar length, longest first, so that running out of memory shows at once.

    A batch takes as long as its longest answer, and answers within a group have similar lengths, so groups do not mix.
    A batch that is not reported to ``sizer`` as done is yielded again, at the size then allowed.

    Args:
        lengths: Prompt lengths in tokens.
        groups: The group of each request.
        new_tokens: Token limit of an answer.
        sizer: Decides the size.
    """
    sizer.start()
    for group in dict.fromkeys(groups):
        waiting = sorted((i for i, name in enumerate(groups) if name == group), key=lambda i: -lengths[i])
        while waiting:
            batch = waiting[: sizer.allowed(lengths[waiting[0]] + new_tokens)]
            yield batch
            waiting = [i for i in waiting if not sizer.is_done(i)]


def in_batches(
    lengths: Sequence[int],
    groups: Sequence[str],
    new_tokens: int,
    sizer: BatchSizer,
    answer: Callable[[list[int]], Sequence[Answer]],
) -> Iterator[tuple[int, Answer]]:
    """Answer requests in the batches of :func:`batches`; a batch that does not fit in memory is halved.

    Args:
        lengths, groups, new_tokens, sizer: As for :func:`batches`.
        answer: Takes the indices of a batch and returns its answers in their order.

    Yields:
        Index and answer of each request.

    Raises:
        AltTrainError: Not even one sequence fits in memory.
    """
    import torch

    for batch in batches(lengths, groups, new_tokens, sizer):
        found: Sequence[Answer] | None
        try:
            found = answer(batch)
        except torch.OutOfMemoryError:
            found = None
        if found is None:  # outside the handler, whose traceback would keep the batch in memory
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            sizer.shrink(len(batch))
            continue
        sizer.done(batch)
        yield from zip(batch, found, strict=True)

"""A limit on thoughts: one that reaches it is closed as the template closes thoughts, and the answer is generated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from axolotl_alttrain.eval.backends.base import Generated, OnResult, OnToken, Request, RequestsRefused

from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.sampling import Sampling

CHUNK = 512  # requests whose thoughts are generated before their answers; an interruption loses at most these
Complete = Callable[[Sequence[Request], Sampling, OnResult, OnToken | None], None]


@dataclass(frozen=True)
class _Begun:
    """A completion that reached the limit: text and ids with the closing of its thought; ``tokens`` were generated."""

    text: str
    ids: tuple[int, ...] | None
    tokens: int
    closed: bool


@dataclass(frozen=True)
class Budget:
    """How thoughts are limited.

    Attributes:
        tokens: Of a thought, at most, its opening included where the model writes it.
        chat: Decodes and encodes.
        thought: How a thought opens and closes.
        complete: The backend's.
    """

    tokens: int
    chat: ChatFormat
    thought: ThoughtFormat
    complete: Complete

    def __call__(
        self, requests: Sequence[Request], sampling: Sampling, on_result: OnResult, on_token: OnToken | None
    ) -> None:
        """Answer all requests; results are marked as ``budgeted`` if their thought was closed.

        Raises:
            RequestsRefused: The server refused some; all others are answered.
        """
        refused: dict[int, str] = {}
        for start in range(0, len(requests), CHUNK):
            places = range(start, min(start + CHUNK, len(requests)))
            self._chunk(requests, places, sampling, on_result, on_token, refused)
        if refused:
            how_many = f"{len(refused)} of {len(requests)} requests were refused"
            raise RequestsRefused(f"{how_many}, the first: {refused[min(refused)]}", refused)

    def _chunk(
        self,
        requests: Sequence[Request],
        places: Sequence[int],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None,
        refused: dict[int, str],
    ) -> None:
        begun: dict[int, _Begun] = {}

        def first(place: int, out: Generated) -> None:
            if out.finish == "length" and out.tokens >= self.tokens:
                begun[place] = self._begun(requests[place], out)
            else:
                on_result(place, out)

        def second(place: int, out: Generated) -> None:
            on_result(place, self._joined(begun[place], out))

        self._ask(places, requests, replace(sampling, max_new_tokens=self.tokens), first, on_token, refused)
        later = {place: _continued(requests[place], cut) for place, cut in begun.items()}
        left = replace(sampling, max_new_tokens=sampling.max_new_tokens - self.tokens)
        self._ask(sorted(later), later, left, second, on_token, refused)

    def _ask(
        self,
        places: Sequence[int],
        requests: Sequence[Request] | dict[int, Request],
        sampling: Sampling,
        on_result: OnResult,
        on_token: OnToken | None,
        refused: dict[int, str],
    ) -> None:
        if not places:
            return
        try:
            self.complete(
                [requests[place] for place in places],
                sampling,
                lambda index, out: on_result(places[index], out),
                on_token,
            )
        except RequestsRefused as error:
            refused |= {places[index]: reason for index, reason in error.reasons.items()}

    def _begun(self, request: Request, out: Generated) -> _Begun:
        """What is continued: its thought is closed, unless the model has closed it or writes none."""
        close = self.thought.close if parse_completion(request.prefill + out.text, self.thought).truncated else ""
        ids = None if out.ids is None else (*out.ids, *(self.chat.encode([close])[0] if close else ()))
        return _Begun(out.text + close, ids, out.tokens, bool(close))

    def _joined(self, begun: _Begun, out: Generated) -> Generated:
        text = begun.text + out.text
        if begun.ids is not None and out.ids is not None:
            # Decoded as a whole: a character may be spread over the two parts.
            text = self.chat.tokenizer.decode(
                [*begun.ids, *out.ids], skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        return replace(out, text=text, tokens=begun.tokens + out.tokens, budgeted=begun.closed)


def _continued(request: Request, begun: _Begun) -> Request:
    seed = request.seed + 1  # the same one would draw the same numbers again
    if begun.ids is None:
        return replace(request, text=request.text + begun.text, seed=seed)
    return replace(request, generated=begun.ids, seed=seed)

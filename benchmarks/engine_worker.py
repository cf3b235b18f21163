"""One evaluation with its generation timed, in its own process: `engine_worker TIMES.json`, then eval.run's flags."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval import evaluate as evaluation
from axolotl_alttrain.eval.backends import Generated, Request
from axolotl_alttrain.eval.config.command_line import config_from, parser

from axolotl_alttrain.generation.sampling import Sampling


class Timed:
    """A backend that notes seconds and tokens of each run; the first call's set-up is not timed."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.found: dict[str, dict[str, float]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def complete(
        self, run: str, requests: Sequence[Request], sampling: Sampling, on_result: Any, on_token: Any
    ) -> None:
        self._backend.complete(run, requests[:2], Sampling(2), lambda index, out: None)
        tokens = 0

        def counted(index: int, out: Generated) -> None:
            nonlocal tokens
            tokens += out.tokens
            on_result(index, out)

        start = time.perf_counter()
        self._backend.complete(run, requests, sampling, counted, on_token)
        self.found[run] = {"seconds": time.perf_counter() - start, "tokens": tokens}


def main() -> None:
    times, flags = Path(sys.argv[1]), sys.argv[2:]
    made: list[Timed] = []
    make = evaluation.make_backend

    def make_timed(*arguments: Any) -> Any:
        made.append(Timed(make(*arguments)))
        return made[0]

    evaluation.make_backend = make_timed
    evaluation.evaluate(config_from(parser().parse_args(flags)))
    times.write_text(json.dumps(made[0].found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

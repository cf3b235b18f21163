"""One evaluation with its generation timed, in its own process: `worker TIMES.json [--server-pid N] -- FLAGS`.

FLAGS are eval.run's. The CPU time is this process's and, where the model is in a server on this machine, the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval import evaluate as evaluation
from axolotl_alttrain.eval.backends import Generated, Request
from axolotl_alttrain.eval.config.command_line import config_from, parser

from axolotl_alttrain.generation.sampling import Sampling
from benchmarks.eval_engines.process_use import cpu_seconds


class Timed:
    """A backend that notes seconds and tokens of each run; the first call's set-up is not timed.

    Args:
        backend: What generates.
        pids: Processes whose CPU time counts, with their children.

    Attributes:
        found: By run, ``seconds`` by the clock, ``cpu_seconds``, and generated ``tokens``.
    """

    def __init__(self, backend: Any, pids: Sequence[int]) -> None:
        self._backend, self._pids = backend, pids
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

        start, before = time.perf_counter(), cpu_seconds(self._pids)
        self._backend.complete(run, requests, sampling, counted, on_token)
        seconds, cpu = time.perf_counter() - start, cpu_seconds(self._pids) - before
        self.found[run] = {"seconds": seconds, "cpu_seconds": cpu, "tokens": tokens}


def main() -> None:
    own = argparse.ArgumentParser(description=__doc__)
    own.add_argument("times", type=Path)
    own.add_argument("--server-pid", type=int, action="append", default=[])
    split = sys.argv.index("--")
    args, flags = own.parse_args(sys.argv[1:split]), sys.argv[split + 1 :]
    made: list[Timed] = []
    make = evaluation.make_backend

    def make_timed(*arguments: Any) -> Any:
        made.append(Timed(make(*arguments), (os.getpid(), *args.server_pid)))
        return made[0]

    evaluation.make_backend = make_timed
    evaluation.evaluate(config_from(parser().parse_args(flags)))
    args.times.write_text(json.dumps(made[0].found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

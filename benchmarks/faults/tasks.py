"""The commands that ``benchmarks.faults`` ends, each with what it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.stand_in import stand_in
from tests.model_hub import Hub
from tests.model_hub import serve as serve_hub

CARD = "---\nlicense: mit\n---\n\n# My model\n\nWords of my own.\n"
ASKED = "--sets probe-harmful probe-benign --limit 10 --attacks none multi-turn --max-new-tokens 64 --out run"


@dataclass
class Place:
    """What commands share.

    Attributes:
        folder: For models and finished runs.
        url: Of the server in a model's place.
        hub, hub_url: The server in the Hub's place.
    """

    folder: Path
    url: str
    hub: Hub
    hub_url: str

    def model(self) -> tuple[Path, Path]:
        """A tiny random model and an adapter; made at the first call."""
        found = self.folder / "tiny" / "base", self.folder / "tiny" / "adapter"
        if not found[0].is_dir():
            from transformers import AutoTokenizer

            from axolotl_alttrain.generation.demo_model import prepare
            from tests.conftest import llama_with_adapter

            sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
            llama_with_adapter(AutoTokenizer.from_pretrained(prepare()), self.folder / "tiny", **sizes)
        return found

    def finished(self) -> Path:
        """The folder of a finished evaluation through the server, made at the first call."""
        folder = self.folder / "finished"
        if not folder.is_dir():
            from benchmarks.faults.points import run

            folder.mkdir()
            task = evaluate_api(self)
            if run(task, folder, self.folder / "finished.txt"):
                raise SystemExit((self.folder / "finished.txt").read_text())
        return folder


@dataclass
class Task:
    """A command.

    Attributes:
        name: In the results.
        run: Runs it in the current folder and returns the exit code.
        prepare: Puts what it works on into a folder.
        outside: What it has changed outside of its folder, since the last preparation.
        ends: Its exit code when nothing disturbs it.
    """

    name: str
    run: Callable[[], int]
    prepare: Callable[[Path], None] = field(default=lambda folder: None)
    outside: Callable[[], str | None] = field(default=lambda: None)
    ends: int = 0


def _evaluate(*arguments: str) -> Callable[[], int]:
    def run() -> int:
        from axolotl_alttrain.eval.run import main

        return main([*arguments, *ASKED.split()])

    return run


def _alttrain(*arguments: str) -> Callable[[], int]:
    def run() -> int:
        from axolotl_alttrain.cli import alttrain

        alttrain.main(list(arguments))
        return 0

    return run


def build(place: Place) -> Task:
    """A build with an assessor behind the server."""

    def prepare(folder: Path) -> None:
        import yaml

        from tests.data.conftest import settings, trace_rows

        (folder / "traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in trace_rows(30, 10)))
        assessor = {"kind": "openai_compatible", "model": "m", "base_url": place.url, "concurrency": 4}
        more = {"harmful": 30, "benign": 10, "variants": [{"name": "v", "omit": ["harmfulness_assessment"]}]}
        (folder / "build.yml").write_text(yaml.safe_dump(settings("traces.jsonl", assessor=assessor, **more)))

    return Task("build", _alttrain("build", "build.yml", "--out", "out"), prepare)


def _queries(folder: Path) -> None:
    (folder / "queries.txt").write_text("".join(f"What is thing number {number}?\n" for number in range(40)))


def traces_api(place: Place) -> Task:
    """Traces of a served model."""
    flags = ["--backend", "openai", "--model", "m", "--base-url", place.url, "--concurrency", "4"]
    return Task("traces, server", _alttrain("traces", *flags, "--queries", "queries.txt", "--out", "t.jsonl"), _queries)


def traces_hf(place: Place) -> Task:
    """Traces of a model on this machine; a random one writes no usable trace, so the command ends with 1."""
    flags = ["--model", str(place.model()[0]), "--batch-size", "4", "--max-new-tokens", "8"]
    run = _alttrain("traces", *flags, "--queries", "queries.txt", "--out", "t.jsonl")
    return Task("traces, hf", run, _queries, ends=1)


def evaluate_api(place: Place) -> Task:
    """An evaluation of a served model."""
    flags = ["--backend", "api", "--base-url", place.url, "--model", "m", "--api-concurrency", "4"]
    return Task("evaluate, server", _evaluate(*flags))


def evaluate_hf(place: Place) -> Task:
    """An evaluation of a model and its adapter on this machine."""
    base, adapter = place.model()
    flags = ["--model", str(base), "--adapter", str(adapter), "--batch-size", "4", "--dtype", "float32"]
    return Task("evaluate, hf", _evaluate(*flags))


def judge(place: Place) -> Task:
    """Judging by a served model, where the completions are there."""

    def prepare(folder: Path) -> None:
        (folder / "run").mkdir()
        shutil.copy(place.finished() / "run" / "samples.jsonl", folder / "run")

    flags = ["--backend", "api", "--base-url", place.url, "--model", "m", "--judges", "refusal", "rubric"]
    more = ["--judge-model", "j", "--judge-url", place.url, "--judge-concurrency", "4"]
    return Task("judge", _evaluate(*flags, *more), prepare)


def report(place: Place) -> Task:
    """The results of a finished run, written again over the earlier ones."""

    def prepare(folder: Path) -> None:
        shutil.copytree(place.finished() / "run", folder / "run")

    return Task("report", evaluate_api(place).run, prepare)


def push(place: Place) -> Task:
    """The card of a finished run, merged into the card on the Hub."""

    def prepare(folder: Path) -> None:
        shutil.copytree(place.finished() / "run", folder / "run")
        place.hub.readme = CARD

    def run() -> int:
        from axolotl_alttrain.eval.report.card import model_card_command
        from axolotl_alttrain.eval.run import main
        from huggingface_hub import constants

        constants.HF_HUB_OFFLINE, constants.HF_HUB_CACHE = False, ".hub"
        model_card_command.push_card = partial(model_card_command.push_card, endpoint=place.hub_url)
        return main(["card", "run", "--push", "org/name"])

    return Task("card --push", run, prepare, lambda: place.hub.readme)


TASKS: dict[str, Callable[[Place], Task]] = {
    "build": build,
    "traces-api": traces_api,
    "traces-hf": traces_hf,
    "evaluate-api": evaluate_api,
    "evaluate-hf": evaluate_hf,
    "judge": judge,
    "report": report,
    "push": push,
}


@contextmanager
def served(folder: Path) -> Iterator[Place]:
    """The servers, until the block ends."""
    with stand_in(words=40, delay=0.01) as url, serve_hub(Hub(CARD)) as (hub, hub_url):
        yield Place(folder, url, hub, hub_url)

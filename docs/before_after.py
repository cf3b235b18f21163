"""README's first picture: what the base and the trained model say to a harmful request and to its harmless twin.

    python -m docs.before_after outputs/eval --pair t-60 --seed 1995     # take the texts from an evaluation, then draw
    python -m docs.before_after                                          # draw again

``docs/pictures/before-after.json`` keeps the texts, whole and as the models wrote them; the picture cuts long answers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.prompts.probes import PROBES
from pydantic import BaseModel

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import split_steps
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.html_page import render_page
from axolotl_alttrain.storage.jsonl import read_jsonl
from docs.screenshots import Camera, Shot

FOLDER = Path(__file__).parent / "pictures"
KEPT = FOLDER / "before-after.json"
TRAINED = "the model that `make demo` trains"
LONGEST = 200  # characters of an answer in the picture
WIDE, NARROW = 1000, 440  # pixels


class Completion(BaseModel):
    """What a model wrote, and what the evaluator's offline rules call its answer."""

    thought: str
    answer: str
    judgement: str

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """Name, class and text of each step of the thought."""
        names = (("PU", "understand"), ("HA", "assess"), ("CR", "reason"))
        return [(*name, text) for name, text in zip(names, split_steps(self.thought), strict=True) if text]

    @property
    def shown(self) -> str:
        """The answer's beginning, cut between words."""
        text = " ".join(self.answer.split())
        return text if len(text) <= LONGEST else f"{text[:LONGEST].rpartition(' ')[0]} …"


class Request(BaseModel):
    """A probe with both completions."""

    id: str
    kind: str
    instruction: str
    base: Completion
    tuned: Completion


class Pair(BaseModel):
    """Both twins, and what became of all pairs of the evaluation."""

    model: str
    trained: str
    seed: int
    twin: str
    harmful: Request
    harmless: Request
    pairs: int
    told_apart: int
    both_refused: int
    both_answered: int

    def alt(self) -> str:
        """The picture in words."""
        refused, answered = self.harmful, self.harmless
        return (
            f"{self.model} before and after. '{refused.instruction}': the base model answers; the trained model thinks "
            f"in three steps, judges the request harmful and refuses. '{answered.instruction}': both answer, the "
            "trained model after judging it harmless."
        )

    def caption(self) -> str:
        """Which model this is, and how often it does what the picture shows."""
        other = self.pairs - self.told_apart - self.both_refused - self.both_answered
        return (
            f"*Real outputs of {self.model} and of {self.trained} (seed {self.seed}). "
            "The two requests are twins: they share most of their words, and only one is harmful. "
            f"Of {self.pairs} such pairs, the trained model tells {self.told_apart} apart, refuses both requests in "
            f"{self.both_refused}, and answers both in {self.both_answered}"
            f"{f'; {other} end otherwise' if other else ''}.*"
        )

    def markup(self, folder: str) -> str:
        """The picture for a page, from the page's own folder."""
        sources = [
            ("(max-width: 640px) and (prefers-color-scheme: dark)", "-narrow-dark"),
            ("(max-width: 640px)", "-narrow"),
            ("(prefers-color-scheme: dark)", "-dark"),
        ]
        lines = [f'<source media="{media}" srcset="{folder}before-after{name}.png">' for media, name in sources]
        image = f'<img alt="{self.alt()}" src="{folder}before-after.png" width="{WIDE}">'
        return f"<picture>{''.join(lines)}{image}</picture>"


def pair_of(run: Path, twin: str, model: str, trained: str, seed: int) -> Pair:
    """The twins in an evaluation's ``scored.jsonl``, and how the trained model treats all pairs.

    Raises:
        AltTrainError: The run holds no such pair.
    """
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for _, row in read_jsonl(run / "scored.jsonl"):
        rows.setdefault(row["id"], {})[row["run"]] = row
    twins: dict[str, dict[str, str]] = {}
    for name in ("probe-contrast", "probe-benign"):
        for _, probe in read_jsonl(PROBES / f"{name}.jsonl"):
            if "twin" in probe and len(rows.get(probe["id"], ())) == 2:
                twins.setdefault(probe["twin"], {})[probe["label"]] = probe["id"]
    twins = {name: pair for name, pair in twins.items() if len(pair) == 2}
    if twin not in twins:
        raise AltTrainError(
            f"{run}: no pair '{twin}' with both models' answers; the pairs are {', '.join(sorted(twins))}"
        )
    ends = [
        tuple(rows[pair[label]]["tuned"]["judgement"] for label in ("harmful", "benign")) for pair in twins.values()
    ]
    return Pair(
        model=model,
        trained=trained,
        seed=seed,
        twin=twin,
        harmful=_request(rows[twins[twin]["harmful"]]),
        harmless=_request(rows[twins[twin]["benign"]]),
        pairs=len(ends),
        told_apart=ends.count(("refusal", "compliance")),
        both_refused=ends.count(("refusal", "refusal")),
        both_answered=ends.count(("compliance", "compliance")),
    )


def _request(runs: dict[str, dict[str, Any]]) -> Request:
    said = {run: Completion.model_validate(row, extra="ignore") for run, row in runs.items()}
    row = runs["base"]
    return Request(id=row["id"], kind=row["kind"], instruction=row["instruction"], **said)


def page(pair: Pair) -> str:
    """The page that is photographed."""
    return render_page("before-after.html.j2", FOLDER, pair=pair)


def draw(pair: Pair, folder: Path) -> list[Path]:
    """Write the four pictures: wide and narrow, light and dark."""
    drawn = []
    html = folder / ".before-after.html"
    write_atomic(html, page(pair))
    try:
        with Camera(folder, folder) as camera:
            for name, width in (("", WIDE), ("-narrow", NARROW)):
                for dark in (False, True):
                    image = f"before-after{name}{'-dark' if dark else ''}.png"
                    shot = Shot(image, Path(html.name), (width, 0), dark=dark, scale=2, transparent=True)
                    drawn.append(_smaller(camera.take(shot)))
    finally:
        html.unlink()
    return drawn


def _smaller(picture: Path) -> Path:
    """The same picture with a palette: a quarter of the size."""
    from PIL import Image

    with Image.open(picture) as image:
        image.quantize(128, Image.Quantize.FASTOCTREE).save(picture, optimize=True)
    return picture


def kept() -> Pair:
    """The pair that is shown."""
    return Pair.model_validate_json(KEPT.read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.before_after", description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", type=Path, help="an evaluation of base and tuned; none: the texts kept")
    parser.add_argument("--pair", default="t-60", help="the value of 'twin' of two probes (default: %(default)s)")
    parser.add_argument("--model", default="SmolLM2-135M-Instruct", help="the base's name (default: %(default)s)")
    parser.add_argument("--trained", default=TRAINED, help="the trained model in words (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1995, help="the training's seed (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.run:
            taken = pair_of(chosen.run, chosen.pair, chosen.model, chosen.trained, chosen.seed)
            write_atomic(KEPT, taken.model_dump_json(indent=1) + "\n")
        pair = kept()
        for picture in draw(pair, FOLDER):
            print(f"written: {picture}")
        print(f"{pair.markup('docs/pictures/')}\n\n{pair.caption()}")
    except (AltTrainError, OSError) as error:
        print(f"docs.before_after: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

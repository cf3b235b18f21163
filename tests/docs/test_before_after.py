"""README's first picture: drawn from kept outputs, told truly in words, legible and small."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axolotl_alttrain.eval.prompts.probes import PROBES

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.jsonl import read_jsonl
from docs.before_after import FOLDER, LONGEST, Completion, draw, kept, page, pair_of
from tests.browser import CHROMIUM, DRIVER
from tests.conftest import ROOT


def test_the_pages_show_the_kept_pair() -> None:
    pair = kept()
    readme, index = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/index.md"))
    assert f"{pair.markup('docs/pictures/')}\n\n{pair.caption()}\n" in readme
    assert f"{pair.markup('pictures/')}\n\n{pair.caption()}\n" in index
    pictures = re.findall(r'(?:src|srcset)="docs/(pictures/[^"]+)"', readme)
    assert [name for name in pictures if (ROOT / "docs" / name).stat().st_size > 150_000] == []
    assert len(set(pictures)) == 4


def test_the_pair_is_one_of_the_probes() -> None:
    pair = kept()
    probes = {row["id"]: row for path in PROBES.glob("*.jsonl") for _, row in read_jsonl(path)}
    for request, label in ((pair.harmful, "harmful"), (pair.harmless, "benign")):
        probe = probes[request.id]
        assert (probe["instruction"], probe["label"], probe["twin"]) == (request.instruction, label, pair.twin)


def test_the_picture_has_steps_and_answers() -> None:
    html = page(kept())
    assert re.findall(r'<p class="step (\w+)"><b>(\w+)</b>', html) == [
        ("understand", "PU"), ("assess", "HA"), ("reason", "CR")
    ] * 2  # fmt: skip
    assert re.findall(r'<span class="(\w+)">(\w+)</span>', html) == [
        ("bad", "answers"), ("good", "refuses"), ("good", "answers"), ("good", "answers")
    ]  # fmt: skip


def test_a_long_answer_is_cut_between_words() -> None:
    said = Completion(thought="", answer="word\n" * 100, judgement="compliance")
    assert said.steps == []
    assert said.shown.endswith("word …")
    assert len(said.shown) <= LONGEST + 2


def scored(folder: Path, ends: dict[str, str]) -> Path:
    """The results of an evaluation in which the trained model's answers end as given; the base answers everything."""
    lines = [
        {"run": run, "id": name, "kind": "any", "instruction": name, "thought": f"{run} thinks", "answer": run,
         "judgement": end if run == "tuned" else "compliance", "further": 1}
        for name, end in ends.items() for run in ("base", "tuned")
    ]  # fmt: skip
    (folder / "scored.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_pair_of_an_evaluation(tmp_path: Path) -> None:
    run = scored(tmp_path, {"pt-030": "refusal", "pb-098": "compliance", "pt-001": "refusal", "pb-001": "refusal"})
    pair = pair_of(run, "t-60", "Small", "another", 7)
    assert (pair.harmful.id, pair.harmless.id, pair.harmful.tuned.thought) == ("pt-030", "pb-098", "tuned thinks")
    assert (pair.pairs, pair.told_apart, pair.both_refused, pair.both_answered) == (2, 1, 1, 0)
    with pytest.raises(AltTrainError, match=r"no pair 't-61' with both models' answers; the pairs are t-02, t-60"):
        pair_of(run, "t-61", "Small", "another", 7)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver")
def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    from PIL import Image

    drawn = draw(kept(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in drawn}
    for path in drawn:
        with Image.open(path) as new, Image.open(FOLDER / path.name) as stored:
            assert new.size[0] == stored.size[0]
            assert new.convert("RGBA").getpixel((0, 0))[3] < 64  # a rounded corner: the page shows through

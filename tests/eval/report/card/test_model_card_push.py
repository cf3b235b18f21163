"""A card merged and uploaded to a server in the Hub's place."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.report.card.model_card import BEGIN, END
from axolotl_alttrain.eval.report.card.model_card_command import push_card, read_run
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.run import main
from huggingface_hub import ModelCard, constants

from axolotl_alttrain.errors import AltTrainError
from tests.eval.report.card.cards import expected, values
from tests.model_hub import SHA, Hub, serve

# As Axolotl writes it beside an adapter, with a result of somebody else's and words of the owner's.
CARD = """---
library_name: peft
license: mit
base_model: org/base
model-index:
- name: my-model
  results:
  - task:
      type: text-generation
    dataset:
      name: Other
      type: org/other
    metrics:
    - type: bleu
      value: 12.5
---

# My model

Words of my own.
"""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Hub, str]]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with serve(Hub(CARD)) as (state, url):
        yield state, url


def test_push_keeps_what_stands_there_and_replaces_its_own(
    finished_run: Path, summary: dict[str, Any], hub: tuple[Hub, str]
) -> None:
    state, address = hub
    found, revisions = read_run(finished_run)
    assert push_card(found, revisions, "org/name", address) == "https://huggingface.co/org/name/commit/1"
    first = state.readme
    assert first is not None
    card = ModelCard(first)
    assert values(card) == {("org/other", "bleu"): 12.5, **expected(summary)}
    assert (card.data.base_model, card.data.license, card.data.model_name) == ("org/base", "mit", "my-model")
    assert "# My model\n\nWords of my own.\n\n" + BEGIN in first
    assert state.parents == [SHA]

    again = found.model_dump(mode="json")
    again["runs"]["tuned"]["by_set"]["probe-benign"]["rate"]["value"] = 0.125
    state.readme = first.replace(END, END + "\n\nWords below.\n")
    shutil.rmtree(constants.HF_HUB_CACHE)
    push_card(Summary.model_validate(again), revisions, "org/name", address)
    card = ModelCard(state.readme)
    assert values(card)["axolotl-alttrain/probe-benign", "over_refusal"] == 12.5
    assert len(values(card)) == len(card.data.eval_results or ()) == 5
    assert state.readme.count(BEGIN) == state.readme.count(END) == 1
    assert "Words below." in state.readme


def test_push_to_a_model_without_a_card(finished_run: Path, summary: dict[str, Any], hub: tuple[Hub, str]) -> None:
    state, address = hub
    state.readme = None
    push_card(*read_run(finished_run), "org/name", address)
    assert state.readme is not None
    assert values(ModelCard(state.readme)) == expected(summary)
    assert ModelCard(state.readme).data.model_name == "name"


def test_a_torn_section_is_not_guessed_at(finished_run: Path, hub: tuple[Hub, str]) -> None:
    state, address = hub
    state.readme = CARD + BEGIN
    with pytest.raises(
        AltTrainError, match=r"the card of org/name has no matching pair of .*; restore both or remove both"
    ):
        push_card(*read_run(finished_run), "org/name", address)
    assert state.parents == []


@pytest.mark.promise("security", "A key is in no file, log or message, not even where a server repeats it.")
def test_what_the_hub_refuses_is_one_line_without_the_token(
    finished_run: Path, hub: tuple[Hub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, address = hub
    state.refuse = True
    monkeypatch.setenv("HF_TOKEN", "hf_canary0123456789")
    with pytest.raises(AltTrainError, match=r"cannot push to org/name: .*403 Forbidden.*log in with") as caught:
        push_card(*read_run(finished_run), "org/name", address)
    assert "\n" not in str(caught.value)
    assert "[secret] does not have the rights" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_card_that_cannot_be_fetched_is_not_taken_for_none(finished_run: Path, hub: tuple[Hub, str]) -> None:
    state, address = hub
    state.broken = True
    with pytest.raises(AltTrainError, match=r"^cannot push to org/name: .*; check the network$"):
        push_card(*read_run(finished_run), "org/name", address)
    assert (state.parents, state.readme) == ([], CARD)


def test_a_model_that_is_not_there_is_one_line_with_the_step_that_makes_it(
    finished_run: Path, hub: tuple[Hub, str], tmp_path: Path
) -> None:
    summary, revisions = read_run(finished_run)
    for adapter, shown in ((str(tmp_path), str(tmp_path)), ("org/gone", "FOLDER")):
        with pytest.raises(AltTrainError) as caught:
            push_card(summary.model_copy(update={"adapter": adapter}), revisions, "org/new", hub[1])
        assert str(caught.value) == (
            f"cannot push to org/new: the Hub shows no such model; create it with 'hf upload org/new {shown} .', or "
            "log in with 'hf auth login' if it is private"
        )


def test_a_name_that_is_none_is_one_line_before_anything_is_written(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished_run / name, tmp_path)
    for name in ("not-a-repo-id", "a/b/c", "https://huggingface.co/org/name", "my org/name", ""):
        assert main(["card", str(tmp_path), "--push", name]) == 1
        problem = f"{name!r} is not a repository ID; write ORG/NAME with letters, digits, '-', '_' and '.'"
        assert capsys.readouterr() == ("", f"eval.run card: --push: {problem}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "summary.json"]


def test_offline_is_one_line(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished_run / name, tmp_path)
    assert main(["card", str(tmp_path), "--push", "org/name"]) == 1
    error = "eval.run card: cannot push to org/name: HF_HUB_OFFLINE is set; unset it to upload\n"
    assert capsys.readouterr().err == error


def test_a_hub_out_of_reach_is_one_line(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(AltTrainError, match=r"cannot push to org/name: .*; check the network$"):
        push_card(*read_run(finished_run), "org/name", address)

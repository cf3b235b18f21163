"""The model card's section: read back by the Hub's own classes, and merged into a card on a server in its place."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, RepoCard, constants

from axolotl_alttrain.errors import AltTrainError
from eval.card import merge, push_card, read_run
from eval.report.model_card import BEGIN, END, model_card, model_name
from eval.run import main
from eval.sets import specs
from tests.http_server import Handler, serving

SHA = "0123456789abcdef0123456789abcdef01234567"
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


class Hub:
    """One model repository: what the client reads of it, and what it commits."""

    def __init__(self, readme: str | None) -> None:
        self.readme = readme
        self.parents: list[str] = []
        self.refuse = False
        self.broken = False


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Hub, str]]:
    state = Hub(CARD)

    class Repository(Handler):
        def do_GET(self) -> None:
            if state.broken and self.path.endswith("README.md"):
                self.reply(403, b"{}")
            elif self.path.startswith("/api/models/") and not self.path.startswith("/api/models/org/name"):
                self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif self.path.startswith("/api/models/org/name"):
                self.reply(200, json.dumps({"id": "org/name", "sha": SHA}).encode())
            elif self.path == f"/org/name/resolve/{SHA}/README.md" and state.readme is not None:
                body = state.readme.encode()
                tag = {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": SHA}
                self.reply(200, body, tag)
            else:
                self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": SHA})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.body()
            if state.refuse:
                self.reply(403, b'{"error": "You do not have the rights"}')
            elif self.path == "/api/validate-yaml":
                self.reply(200, b'{"errors": [], "warnings": []}')
            elif "/preupload/" in self.path:
                self.reply(200, b'{"files": [{"path": "README.md", "uploadMode": "regular", "shouldIgnore": false}]}')
            else:
                lines = [json.loads(line) for line in body.splitlines()]
                state.parents.append(lines[0]["value"]["parentCommit"])
                state.readme = base64.b64decode(lines[1]["value"]["content"]).decode()
                reply = {
                    "commitUrl": "https://huggingface.co/org/name/commit/1",
                    "commitOid": SHA,
                    "pullRequestUrl": None,
                }
                self.reply(200, json.dumps(reply).encode())

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(Repository) as url:
        yield state, url


def values(card: ModelCard) -> dict[tuple[str, str], Any]:
    return {(r.dataset_type, r.metric_type): r.metric_value for r in card.data.eval_results or ()}


def expected(summary: dict[str, Any]) -> dict[tuple[str, str], float]:
    sets = summary["runs"]["tuned"]["by_set"]
    return {
        (f"axolotl-alttrain/{name}", one["measure"]): round(100 * one["rate"]["value"], 2) for name, one in sets.items()
    }


def test_the_hub_reads_the_results(finished_run: Path, summary: dict[str, Any]) -> None:
    card = ModelCard.load(finished_run / "model-card.md")
    assert values(card) == expected(summary)
    harmful = next(r for r in card.data.eval_results or () if r.metric_type == "harmful_response")
    rate = summary["runs"]["tuned"]["metrics"]["harmful_response"]
    assert harmful.metric_args == {
        "evaluator": "axolotl-alttrain",
        "n": 3,
        "interval_95": [round(100 * rate["low"], 2), round(100 * rate["high"], 2)],
        "judge": "refusal",
    }
    assert harmful.dataset_args == {"loaded": "embedded"}
    assert card.data.model_name == "adapter"


def test_two_sets_of_one_data_set_keep_their_names(summary: dict[str, Any]) -> None:
    """XSTest's halves: the Hub shows one name for both, so that the metrics say which half they are of."""
    for ours, theirs in (("probe-benign", "xstest-safe"), ("probe-harmful", "xstest-contrast")):
        for by_set in (summary["sets"], *(run["by_set"] for run in summary["runs"].values())):
            by_set[theirs] = by_set.pop(ours)
    card = ModelCard(model_card(summary, dict.fromkeys(("xstest-safe", "xstest-contrast"), SHA)))
    index = card.data.to_dict()["model-index"][0]["results"]
    (both,) = (one for one in index if one["dataset"]["type"] == "Paul/XSTest")
    assert both["dataset"]["name"] == "Paul/XSTest"
    assert [metric["name"] for metric in both["metrics"]] == [
        "XSTest, safe prompts: over-refusal, percent (lower is better)",
        "XSTest, contrast prompts: harmful responses, percent (lower is better)",
    ]


def test_an_adapter_in_the_folder_one_stands_in_has_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "my-adapter" / "run").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "my-adapter")
    for adapter, name in ((".", "my-adapter"), ("run/..", "my-adapter"), ("./run/", "run"), ("org/name", "name")):
        assert model_name({"adapter": adapter, "model": "m"}) == name


def test_the_words_name_model_settings_judge_and_versions(finished_run: Path, summary: dict[str, Any]) -> None:
    text = (finished_run / "model-card.md").read_text()
    assert "Base model base, adapter adapter. 15 prompts, greedy, at most 8 new tokens, weights float32." in text
    assert "Judges: refusal; the first makes the rates." in text
    assert f"torch {summary['packages']['torch']}" in text
    assert str(finished_run.parent) not in text  # no folders of this machine
    assert text.count(BEGIN) == text.count(END) == 1


def test_results_md_has_every_rate_with_its_interval(finished_run: Path, summary: dict[str, Any]) -> None:
    lines = (finished_run / "results.md").read_text().splitlines()
    base, tuned = (summary["runs"][run]["metrics"]["over_refusal"] for run in ("base", "tuned"))
    paired = summary["comparison"]["over_refusal"]
    row = next(line for line in lines if line.startswith("| over-refusal |"))
    shown = [f"{100 * r['value']:.1f} \\[{100 * r['low']:.1f}, {100 * r['high']:.1f}\\]" for r in (base, tuned)]
    difference = "{:+.1f} \\[{:+.1f}, {:+.1f}\\]".format(*(100 * paired[k] for k in ("difference", "low", "high")))
    assert row == f"| over-refusal | lower | 3 | {shown[0]} | {shown[1]} | {difference} | {paired['p_value']:.3f} |"
    assert [line.split(" | ")[0] for line in lines if line.startswith(("| none", "| role-play", "| multi-turn"))] == [
        "| none",
        "| role-play",
        "| multi-turn",
    ]


def test_the_command_remakes_both_files(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished_run / name, tmp_path)
    assert main(["card", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"written: {tmp_path}/results.md\nwritten: {tmp_path}/model-card.md\n"
    for name in ("results.md", "model-card.md"):
        assert (tmp_path / name).read_text() == (finished_run / name).read_text()


def test_an_unfinished_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert (
        error
        == f"eval.run card: {tmp_path}: found no summary.json; allowed: a folder that the evaluator has finished\n"
    )


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

    again = json.loads(json.dumps(found))
    again["runs"]["tuned"]["by_set"]["probe-benign"]["rate"]["value"] = 0.125
    state.readme = first.replace(END, END + "\n\nWords below.\n")
    shutil.rmtree(constants.HF_HUB_CACHE)
    push_card(again, revisions, "org/name", address)
    card = ModelCard(state.readme)
    assert values(card)["axolotl-alttrain/probe-benign", "over_refusal"] == 12.5
    assert len(values(card)) == len(card.data.eval_results or ()) == 4
    assert state.readme.count(BEGIN) == state.readme.count(END) == 1
    assert "Words below." in state.readme


OTHERS = """---
license: mit
model-index:
- name: my-model
  results:
  - task:
      type: text-generation
      name: Text Generation
    dataset:
      name: the author's own, train split
      type: GSM8K
      config: main
      split: train
    metrics:
    - type: accuracy
      value: 77.7
      name: 5-shot maj@8
    source:
      url: https://example.org/a
      name: A leaderboard
  - task:
      type: text-generation
    dataset:
      name: the test split, as we take it
      type: GSM8K
      config: main
      split: test
    metrics:
    - type: accuracy
      value: 70.1
      name: 8-shot
      args:
        n: 1319
    - type: accuracy
      value: 1.0
      args:
        evaluator: axolotl-alttrain
    source:
      url: https://example.org/b
      name: B leaderboard
  - task:
      type: text-generation
    dataset:
      name: the test split once more
      type: GSM8K
      config: main
      split: test
    metrics:
    - type: accuracy
      value: 71.2
    source:
      url: https://example.org/c
  - task:
      type: text-generation
    dataset:
      name: pushed by an earlier version
      type: axolotl-alttrain/probe-benign
    metrics:
    - type: over_refusal
      value: 2.0
  - task:
      type: text-generation
    dataset:
      name: ours, of another run
      type: org/set
    metrics:
    - type: accuracy
      value: 3.0
      args:
        evaluator: axolotl-alttrain
- name: another
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
"""


def test_only_our_own_results_are_replaced(summary: dict[str, Any]) -> None:
    """Others' stay as they are: of the same set and split, with their sources, beside ours in one entry."""
    for by_set in (summary["sets"], *(run["by_set"] for run in summary["runs"].values())):
        by_set["gsm8k"] = by_set.pop("probe-capability")
    hub = specs()["gsm8k"].hub
    text = OTHERS.replace("GSM8K", hub["id"])
    assert (hub["config"], hub["split"]) == ("main", "test")
    card = RepoCard(text)
    merge(card, summary, {"gsm8k": SHA}, "org/name")
    before, after = (RepoCard(one).data.to_dict() for one in (text, str(card)))
    train, test, again, earlier, kept = before["model-index"][0]["results"]
    assert earlier["dataset"]["type"] == "axolotl-alttrain/probe-benign"
    del test["metrics"][1]
    results = after["model-index"][0]["results"]
    assert results[:4] == [train, test, again, kept]
    assert after["model-index"][0]["name"] == "my-model"
    assert after["model-index"][1:] == before["model-index"][1:]
    ours = {(one["dataset"]["type"], m["type"]): m["value"] for one in results[4:] for m in one["metrics"]}
    wanted = expected(summary)
    wanted[hub["id"], "accuracy"] = wanted.pop(("axolotl-alttrain/gsm8k", "accuracy"))
    assert ours == wanted
    assert [len(one["metrics"]) for one in results[4:]] == [1, 1, 1]
    assert not any("source" in one for one in results[4:])

    once = str(card)
    merge(card, summary, {"gsm8k": SHA}, "org/name")
    assert str(card) == once


def test_an_empty_index_takes_the_results_and_a_broken_one_is_one_line(summary: dict[str, Any]) -> None:
    card = RepoCard("---\nmodel-index:\n- name: outputs/adapter\n  results: []\n---\n# Axolotl's\n")
    merge(card, summary, {}, "org/name")
    assert values(ModelCard(str(card))) == expected(summary)
    assert ModelCard(str(card)).data.model_name == "outputs/adapter"
    for broken in ("[text]", "text", "[{results: [{metrics: [{type: bleu}]}]}]", "7"):
        with pytest.raises(
            AltTrainError, match=r"^the card of org/name: its model-index cannot be read; allowed: http"
        ):
            merge(RepoCard(f"---\nmodel-index: {broken}\n---\n"), summary, {}, "org/name")


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
    with pytest.raises(AltTrainError, match=r"the card of org/name: found one of .* alone; allowed: both, or neither"):
        push_card(*read_run(finished_run), "org/name", address)
    assert state.parents == []


def test_what_the_hub_refuses_is_one_line(finished_run: Path, hub: tuple[Hub, str]) -> None:
    state, address = hub
    state.refuse = True
    with pytest.raises(AltTrainError, match=r"cannot push to org/name: .*403 Forbidden.*log in with") as caught:
        push_card(*read_run(finished_run), "org/name", address)
    assert "\n" not in str(caught.value)


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
            push_card({**summary, "adapter": adapter}, revisions, "org/new", hub[1])
        assert str(caught.value) == (
            f"cannot push to org/new: the Hub shows no such model; make it with 'hf upload org/new {shown} .', or log "
            "in with 'hf auth login' if it is a private one"
        )


def test_a_name_that_is_none_is_one_line_before_anything_is_written(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("summary.json", "manifest.json"):
        shutil.copy(finished_run / name, tmp_path)
    for name in ("not-a-repo-id", "a/b/c", "https://huggingface.co/org/name", "my org/name", ""):
        assert main(["card", str(tmp_path), "--push", name]) == 1
        allowed = "allowed: ORG/NAME, in letters, digits, '-', '_' and '.'"
        assert capsys.readouterr() == ("", f"eval.run card: --push: found {name!r}; {allowed}\n")
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

"""Results merged into a card: others' stay, ours are replaced."""

from __future__ import annotations

from typing import Any

import pytest
from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.report.card.model_card_command import merge
from axolotl_alttrain.eval.results.summary import Summary
from huggingface_hub import ModelCard, RepoCard

from axolotl_alttrain.errors import AltTrainError
from tests.eval.report.card.cards import SHA, expected, values

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
    text = OTHERS.replace("GSM8K", hub.id)
    assert (hub.config, hub.split) == ("main", "test")
    card = RepoCard(text)
    merge(card, Summary.model_validate(summary), {"gsm8k": SHA}, "org/name")
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
    wanted[hub.id, "accuracy"] = wanted.pop(("axolotl-alttrain/gsm8k", "accuracy"))
    assert ours == wanted
    assert [len(one["metrics"]) for one in results[4:]] == [1, 1, 1, 1]
    assert not any("source" in one for one in results[4:])

    once = str(card)
    merge(card, Summary.model_validate(summary), {"gsm8k": SHA}, "org/name")
    assert str(card) == once


def test_an_empty_index_takes_the_results_and_a_broken_one_is_one_line(summary: dict[str, Any]) -> None:
    card = RepoCard("---\nmodel-index:\n- name: outputs/adapter\n  results: []\n---\n# Axolotl's\n")
    merge(card, Summary.model_validate(summary), {}, "org/name")
    assert values(ModelCard(str(card))) == expected(summary)
    assert ModelCard(str(card)).data.model_name == "outputs/adapter"
    for broken in ("[text]", "text", "[{results: [{metrics: [{type: bleu}]}]}]", "7"):
        with pytest.raises(
            AltTrainError, match=r"^the card of org/name: its model-index cannot be read; correct it as http"
        ):
            merge(RepoCard(f"---\nmodel-index: {broken}\n---\n"), Summary.model_validate(summary), {}, "org/name")

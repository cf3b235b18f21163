from __future__ import annotations

import json
from pathlib import Path

import pytest
from axolotl_alttrain.eval.prompts.probes import PROBE_SETS

from axolotl_alttrain.data.screening.evaluation_prompts import evaluation_prompts, prompts_of
from axolotl_alttrain.data.screening.overlap import EvaluationOverlap, Overlap
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.rows import read_examples
from tests.conftest import SEED

LONG = "Describe how a museum should wrap fragile porcelain cups before it sends them across the ocean by ship"
SETS = [("s", "1", LONG), ("x", "2", "How do I blow up a balloon?"), ("x", "3", "Who sings?")]


def test_the_same_prompt() -> None:
    query = "how do I blow up a balloon"
    assert EvaluationOverlap(SETS).find(query) == Overlap("x", "2", "ngram", 1.0, SETS[1][2], query)


def test_eight_words_in_a_row() -> None:
    found = EvaluationOverlap(SETS).find("Tell me: fragile porcelain cups before it sends them across what, in a poem?")
    assert found is not None
    assert (found.set, found.id, found.kind, found.similarity) == ("s", "1", "ngram", round(1 / 11, 4))
    assert EvaluationOverlap(SETS).find("fragile porcelain cups before it sends them, by truck, in winter") is None


def test_a_short_prompt_inside_a_longer_query() -> None:
    overlap = EvaluationOverlap(SETS)
    found = overlap.find("Please be brief. How do I blow up a balloon for a party of twenty children?")
    assert found is not None
    assert (found.id, found.kind, found.similarity) == ("2", "ngram", 1.0)
    assert overlap.find("I forgot it, who sings that song about the rain?") is None  # two words are no evidence


def test_changed_words_are_found_by_likeness() -> None:
    query = "Describe how the museum should wrap brittle porcelain cups before she sends them across an ocean by ship"
    found = EvaluationOverlap(SETS).find(query)
    assert found is not None
    assert (found.id, found.kind) == ("1", "minhash")
    assert found.similarity >= 0.6


def test_unrelated() -> None:
    assert EvaluationOverlap(SETS).find("What is the capital of Peru?") is None
    assert EvaluationOverlap([]).find("anything") is None


def test_every_embedded_probe_overlaps_with_itself() -> None:
    prompts = list(evaluation_prompts())
    assert {name for name, _, _ in prompts} == set(PROBE_SETS)
    overlap = EvaluationOverlap(prompts)
    assert all(overlap.find(text) for _, _, text in prompts)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "strongreject_dataset.csv",
            "category,source,forbidden_prompt\nc,s,Ask\n",
            ("strongreject_dataset", "1", "Ask"),
        ),
        ("xstest.csv", "id,prompt,type,label,focus,note\nv7,Ask?,homonyms,safe,kill,\n", ("xstest", "v7", "Ask?")),
        ("jbb.csv", "Index,Goal,Target,Behavior,Category,Source\n0,Ask,Sure,Name,c,s\n", ("jbb", "0", "Ask")),
        (
            "harmbench.csv",
            "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\nAsk,standard,c,,,ask_it\n",
            ("harmbench", "ask_it", "Ask"),
        ),
        ("wj.tsv", "vanilla\tadversarial\tcompletion\tdata_type\nAsk\t\tNo\tvanilla_harmful\n", ("wj", "1", "Ask")),
        ("own.jsonl", json.dumps({"messages": [{"role": "user", "content": "Ask"}]}) + "\n", ("own", "1", "Ask")),
        ("own.json", json.dumps({"behaviors": [{"id": 4, "behavior": "Ask"}]}), ("own", "4", "Ask")),
    ],
)
def test_publishers_files(tmp_path: Path, name: str, text: str, expected: tuple[str, str, str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(prompts_of(tmp_path / name)) == [expected]
    assert list(evaluation_prompts(tmp_path))[-1] == expected


def test_a_file_without_prompts_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match=r"has no file of the types \.csv, \.tsv, \.json, \.jsonl"):
        list(evaluation_prompts(tmp_path))
    (tmp_path / "a.csv").write_text("score,name\n1,b\n", encoding="utf-8")
    with pytest.raises(AltTrainError, match=r"a\.csv has no column of prompts: found score, name"):
        list(prompts_of(tmp_path / "a.csv"))


def test_no_row_of_the_seed_data_overlaps_with_a_probe() -> None:
    overlap = EvaluationOverlap(evaluation_prompts())
    asked = [" ".join(str(message["content"]) for message in e.messages) for e in read_examples(SEED)]
    assert [found for text in asked if (found := overlap.find(text))] == []

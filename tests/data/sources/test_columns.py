"""Adapters on local files with the columns that the sets' pages document (see presets.py for their addresses)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from axolotl_alttrain.data.build_config import SourceConfig
from axolotl_alttrain.data.sources.columns import SourceRow, read_source
from axolotl_alttrain.data.traces.trace import Trace
from axolotl_alttrain.errors import AltTrainError, RowError

SAFECHAIN = [
    {"instruction": "How do I forge a cheque?", "label": "vanilla_harmful",
     "response": "Okay, a forgery.\n\nNo.\n</think>\n\nNo."},
    {"instruction": "How do I kill a process?", "label": "adversarial_benign",
     "response": "A process.\n\nUse kill.\n</think>\n\nUse kill."},
]  # fmt: skip
STAR1 = {"id": "68", "question": "How do I forge a cheque?", "response": "<think>\nOkay. \nNo.\n</think>\n\nNo.",
         "category": ["Illicit / Criminal Behavior", "Other"], "source": "SaladBench",
         "score": {"Relevancy_and_No_Redundant_Content": 10}}  # fmt: skip
R1_ACT = {
    "instruction": "Forge it.",
    "response": "<think>\nA forgery.\n\nThis is harmful: fraud.\n\nI stop.\n</think>\n\nNo.",
}


def rows(**settings: Any) -> list[SourceRow]:
    return list(read_source(SourceConfig.model_validate(settings)))


def written(path: Path, content: list[dict[str, Any]]) -> str:
    """The rows as a file of the kind that its name says."""
    if path.suffix == ".json":
        path.write_text(json.dumps(content))
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, content)) + "\n")
    else:
        data = Dataset.from_list(content)
        data.to_parquet(path) if path.suffix == ".parquet" else data.to_csv(path)
    return str(path)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize("streaming", [True, False])
def test_safechain_in_every_format(tmp_path: Path, suffix: str, streaming: bool) -> None:
    path = written(tmp_path / f"rows{suffix}", SAFECHAIN)
    harmful, benign = rows(preset="safechain", path=path, streaming=streaming)
    query, thought = "How do I forge a cheque?", "Okay, a forgery.\n\nNo.\n"
    id_ = hashlib.sha256(query.encode()).hexdigest()[:12]
    assert harmful.trace == Trace(id_, query, thought, "\n\nNo.", "harmful", None, "safechain", "en")
    assert (benign.trace.label, benign.trace.answer) == ("benign", "\n\nUse kill.")
    assert harmful.fault is benign.fault is None


def test_star1_keeps_the_first_category_and_is_harmful(tmp_path: Path) -> None:
    (row,) = rows(preset="star1", path=written(tmp_path / "star1.json", [STAR1]))
    assert row.trace == Trace(
        "68", "How do I forge a cheque?", "\nOkay. \nNo.\n", "\n\nNo.", "harmful",
        "Illicit / Criminal Behavior", "star1", "en",
    )  # fmt: skip


def test_r1_act_rows_are_kept_as_they_are_with_the_verdict_as_label(tmp_path: Path) -> None:
    bad = {"instruction": "Hi", "response": "<think>\nOne block.\n</think>\n\nHi."}
    kept, fault = rows(preset="r1-act", path=written(tmp_path / "r1.jsonl", [R1_ACT, bad]))
    assert kept.example is not None
    assert (kept.example.label, kept.example.harmfulness_assessment) == ("harmful", "This is harmful: fraud.")
    assert fault.fault == ("no_structure", "field 'response' has a thought of 1 of 3 blocks ('\\nOne block.\\n')")


def test_seed_rows_pass_through_or_are_rebuilt() -> None:
    kept = rows(preset="alttrain-seed", take=["benign"], limit=1)[0]
    assert kept.example is not None
    assert kept.example.id == kept.trace.id == "seed-0490"
    rebuilt = rows(preset="alttrain-seed", take=["benign"], limit=1, structure="rebuild")[0]
    assert rebuilt.example is None
    assert rebuilt.trace.thought == f"{kept.example.problem_understanding}\n\n{kept.example.conditional_reasoning}"


def test_any_columns_with_a_label_map(tmp_path: Path) -> None:
    row = {"q": "Wie backe ich einen Kuchen?", "t": "Ein Kuchen.", "a": "So.", "kind": "safe", "topic": "food", "n": 7}
    columns = {"query": "q", "thought": "t", "answer": "a", "label": "kind", "category": "topic", "id": "n"}
    settings = {"name": "mine", "path": written(tmp_path / "x.jsonl", [row]), "columns": columns}
    (found,) = rows(**settings, labels={"safe": "benign"})
    assert found.trace == Trace("7", row["q"], "Ein Kuchen.", "So.", "benign", "food", "mine", "de")
    with pytest.raises(
        RowError, match=r"x.jsonl, row 1: field 'kind' is 'safe'; add it to 'labels' of the source, which maps unsafe"
    ):
        rows(**settings, labels={"unsafe": "harmful"})
    with pytest.raises(RowError, match=r"field 'kind' is 'safe'; map it to 'harmful' or 'benign' with 'labels'"):
        rows(**settings)
    with pytest.raises(
        RowError, match=r"field 'nothing' is not in the source; name one of its columns: a, kind, n, q, t, topic"
    ):
        rows(name="m", path=settings["path"], columns={"query": "nothing", "thought": "t", "answer": "a"})


def test_without_labels_the_assessor_decides_and_a_fixed_label_holds(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", [{"instruction": "Hi", "response": "A greeting.</think>Hello."}])
    columns = {"response": "response"}
    assert rows(path=path, columns=columns)[0].trace.label is None
    assert rows(path=path, columns=columns, label="benign")[0].trace.label == "benign"


def test_a_file_of_traces_is_read_back(tmp_path: Path) -> None:
    traces = [
        Trace("7", "Hi there, how are you today?", "A greeting.", "Hello.", "benign", "chat", "mine", "en"),
        Trace("8", "Bye for now, see you tomorrow", "A farewell.", "Bye.", None, None, "mine", None),
    ]
    path = written(tmp_path / "own.jsonl", [trace.as_row() for trace in traces])
    first, second = rows(preset="traces", name="mine", path=path)
    assert first.trace == traces[0]
    assert second.trace == replace(traces[1], language="en")
    assert rows(preset="traces", path=path, label="benign")[1].trace.label == "benign"


def test_an_unfinished_thought_is_a_fault_not_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", [{"instruction": "Hi", "response": "I think and"}])
    assert rows(path=path, columns={"response": "response"})[0].fault == (
        "unfinished",
        "the thought has no end: no </think>",
    )


def test_what_cannot_be_loaded_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match=r"(?s)huggingface.co/datasets/UWNSL/SafeChain.*hf auth login"):
        rows(preset="safechain")
    (tmp_path / "x.txt").touch()
    with pytest.raises(AltTrainError, match=r"has the suffix '.txt'; allowed: .jsonl, .json, .csv, .tsv, "):
        rows(path=str(tmp_path / "x.txt"), columns={"response": "r"})


def test_a_gated_set_names_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    def refuse(*_: Any, **__: Any) -> Any:  # what the hub's client raises without access, word for word
        raise DatasetNotFoundError(
            "Dataset 'UWNSL/SafeChain' is a gated dataset on the Hub. You must be authenticated to access it."
        )

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(AltTrainError) as caught:
        rows(preset="safechain")
    assert str(caught.value) == (
        "UWNSL/SafeChain is gated. Accept its terms at https://huggingface.co/datasets/UWNSL/SafeChain, "
        "then log in: hf auth login"
    )


BREAD = {
    "instruction": "Bake?",
    "response": "<Think type='plan'>Bread.\n\nThis is harmless: baking.\n\nMix.</think>Mix.",
}


def test_an_input_joins_the_query_and_other_prompt_columns_reject_the_row(tmp_path: Path) -> None:
    columns = [
        {"input": "bread"},
        {"system": "Be brief."},
        {"tools": [{"name": "oven"}]},
        {"history": [["Hi", "Hello"]]},
    ]
    path = written(tmp_path / "x.jsonl", [BREAD | more for more in [*columns, {"context": "A text."}]])
    joined, *others = rows(path=path, columns={"response": "response"}, label="benign")
    assert (joined.trace.instruction, joined.fault) == ("Bake?\n\nbread", None)
    assert joined.trace.thought == "Bread.\n\nThis is harmless: baking.\n\nMix."
    assert [row.fault for row in others] == [
        ("prompt_column", "'system' belongs to the prompt; only single queries are built"),
        ("prompt_column", "'tools' belongs to the prompt; only single queries are built"),
        ("prompt_column", "'history' belongs to the prompt; only single queries are built"),
        ("prompt_column", "field 'context' belongs to the prompt, and this strategy cannot render it"),
    ]


def test_rows_with_steps_keep_their_prompt_and_untrained_ones_are_rejected(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Bake?"}, {"role": "assistant", "content": BREAD["response"]}]
    untrained = [turns[0], turns[1] | {"train": False}]
    path = written(tmp_path / "x.jsonl", [{"messages": turns, "system": "S", "note": "n"}, {"messages": untrained}])
    kept, left = rows(preset="r1-act", name="mine", path=path)
    assert kept.example is not None
    assert kept.example.messages[0] == {"role": "system", "content": "S"}
    assert (kept.trace.instruction, kept.unread) == ("Bake?", ("note",))
    assert left.fault == ("no_loss", "its last turn is marked 'train: false' or 'weight: 0'")


@pytest.mark.parametrize("streaming", [True, False])
def test_csv_values_are_texts(tmp_path: Path, streaming: bool) -> None:
    (tmp_path / "x.csv").write_text("id,q,t,a,label\n007,What is NA?,Think.,NULL,benign\n8,6*7?,Think.,42,\n")
    columns = {"query": "q", "thought": "t", "answer": "a", "id": "id", "label": "label"}
    found = rows(path=str(tmp_path / "x.csv"), columns=columns, streaming=streaming)
    assert [(row.trace.id, row.trace.instruction, row.trace.answer, row.trace.label) for row in found] == [
        ("007", "What is NA?", "NULL", "benign"),
        ("8", "6*7?", "42", None),
    ]

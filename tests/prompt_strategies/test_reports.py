"""What the strategy tells about rows: in its log, and in errors that name the row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axolotl.prompters import UnsupportedPrompter
from axolotl_alttrain.prompt_strategies import alttrain
from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy, load, strategy
from axolotl_alttrain.prompt_strategies.batches import COLUMNS, TokenizedRow
from datasets import Dataset, IterableDataset, enable_progress_bars, load_dataset

from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.reading.entry_keys import EntryKeys
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.rows_left import LengthRules
from axolotl_alttrain.format.template import learn_format

STRICT = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('No system turn!') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def test_a_config_that_says_nothing(smollm2: Any) -> None:
    chat = learn_format(smollm2)
    for config, entry in (
        ({}, None),
        ({"alttrain": None, "sequence_len": None, "min_sample_len": None}, {"path": None}),
    ):
        found = strategy(chat, config, entry)
        assert (found.chat, found.file, found.reader, found.renderer) == (chat, "data", RowReader(), None)
        assert (found.rules, found.sequence_len) == (LengthRules(2048, 0, None), 2048)
        assert (found.tokenizer, found.train_on_inputs, found.supports_batched) == (smollm2, False, True)
    bare = AltTrainStrategy(chat, 7)
    assert (bare.file, bare.reader, bare.rules) == ("data", RowReader(), LengthRules(7, 0, None))


def test_a_config_that_says_all(smollm2: Any, said: list[str]) -> None:
    config = {
        "sequence_len": 64,
        "min_sample_len": 8,
        "excess_length_strategy": "drop",
        "alttrain": {"understanding": "quoted", "thinking": True},
    }
    found = load(smollm2, config, {"path": Path("mine.jsonl"), "field_messages": "turns"})
    assert (found.file, found.rules, found.sequence_len) == ("mine.jsonl", LengthRules(64, 8, "drop"), 64)
    assert isinstance(found.prompter, UnsupportedPrompter)
    assert found.reader == RowReader(EntryKeys.of({"field_messages": "turns"}), "quoted")
    assert (found.renderer, said) == (None, [])


@pytest.mark.parametrize("turns", ["last", "all", None])
def test_reasoning_rows_have_a_renderer(smollm2: Any, said: list[str], turns: str | None) -> None:
    found = strategy(learn_format(smollm2), {"alttrain": {"reasoning_turns": turns}}, {"path": "mine"}, reasoning=True)
    assert found.renderer is not None
    assert (found.renderer.reader, found.renderer.reasoning, found.renderer.off) == (found.reader, True, None)
    assert found.renderer.on is not None
    assert found.renderer.on.every == (turns == "all")
    assert [f"mine: {note}" for note in found.renderer.notes] == said
    assert len(said) == 1
    left_out = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho", "train": False}]}
    assert found._tokenize_rows([left_out], [4]) == [TokenizedRow([], 5, ())]
    rows = [{"problem": f"1+{n}?", "reasoning": "One.", "solution": "2", "score": 1} for n in range(2)]
    several = found._tokenize_rows([rows[0], left_out, rows[1]], [4, 5, 6])
    assert [(read.number, read.unread) for read in several] == [(5, ("score",)), (6, ()), (7, ("score",))]
    assert several == [
        *found._tokenize_rows(rows[:1], [4]),
        TokenizedRow([], 6, ()),
        *found._tokenize_rows(rows[1:], [6]),
    ]
    assert several[0].turns != several[2].turns


def test_a_row_that_the_template_rejects_is_named(smollm2: Any, row: dict[str, Any]) -> None:
    found = load(smollm2, {"chat_template": "jinja", "chat_template_jinja": STRICT}, {"path": "mine"})
    with pytest.raises(RowError) as caught:
        found.tokenize_prompt({name: [value] for name, value in row.items()} | {"system": ["Be kind."]}, [4])
    assert str(caught.value) == (
        "mine, row 5: field 'system' does not fit the model: the chat template cannot render the turns system, user "
        "(No system turn!); change its roles or their order"
    )
    assert caught.value.__suppress_context__
    with pytest.raises(RowError, match=r"^mine: field 'answer' is empty; write a string$"):
        found.tokenize_prompt(row | {"answer": ""})
    with pytest.raises(RowError, match=r"^mine, row 4: field 'answer' is empty; write a string$"):
        found.tokenize_prompt(row | {"answer": ""}, [3])


LOOP = STRICT.replace(
    "{{ raise_exception('No system turn!') }}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
)


@pytest.mark.parametrize(("numbers", "place"), [([0], "mine, row 1"), (None, "mine")])
def test_a_row_that_the_template_does_not_finish_is_named(
    smollm2: Any, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, numbers: Any, place: str
) -> None:
    from axolotl_alttrain.format.probing import render_limits

    found = load(smollm2, {"chat_template": "jinja", "chat_template_jinja": LOOP}, {"path": "mine"})
    monkeypatch.setattr(render_limits, "SECONDS", 0.2)
    with pytest.raises(AltTrainError) as caught:
        found.tokenize_prompt({name: [value] for name, value in row.items()} | {"system": ["Be kind."]}, numbers)
    assert str(caught.value) == (
        f"{place}: the chat template has not finished after 0.2 seconds; correct its loops, or set 'chat_template:' to "
        "another template"
    )


def test_what_is_not_trained_is_told_once(
    smollm2: Any, row: dict[str, Any], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alttrain, "BATCH_ROWS", 1)  # so that the first batch has no values to infer types from
    thought = "Bread.\n\nThis is harmless: baking.\n\nMix."
    last = {"role": "assistant", "reasoning_content": thought, "content": "Mix."}
    turns = [{"role": "user", "content": "Bake?"}]
    rows = [
        {"messages": [*turns, last | {"train": False}], "score": 2, "note": "x"},
        {"messages": [*turns, last | {"train": True}], "score": 1, "note": "x"},
        {"messages": [*turns, last | {"train": None}], "score": None, "note": "x"},
        {"messages": [*turns, last | {"train": None}], "score": 3, "note": "x"},
    ]
    tokenized = load(smollm2, {}, {"path": "mine"}).wrap_dataset(Dataset.from_list(rows))
    assert len(tokenized) == 3
    assert tokenized.features == {name: COLUMNS[name] for name in ("input_ids", "attention_mask", "labels")}
    assert said == [
        "mine: Neither trained nor in the prompt: note (3 rows), score (2 rows).",
        "mine: Left out because the last turn is marked 'train: false' or 'weight: 0': 1 row.",
    ]
    said.clear()
    load(smollm2, {}, {"path": "mine"}).wrap_dataset(Dataset.from_list([row]))
    assert said == []
    for left_out in (0, 2):
        with pytest.raises(AltTrainError, match=r"^mine has no rows to train; add at least one example$"):
            load(smollm2, {}, {"path": "mine"}).wrap_dataset(Dataset.from_list(rows).select([0] * left_out))
    assert said == [
        "mine: Left out because the last turn is marked 'train: false' or 'weight: 0': 2 rows.",
    ]


def test_rows_at_the_limit_and_beyond(smollm2: Any, row: dict[str, Any], said: list[str]) -> None:
    data = Dataset.from_list([row, row | {"answer": "No. " * 20}, row])
    short, longest = (len(load(smollm2, {}).tokenize_prompt(one)["input_ids"]) for one in data.select([0, 1]))
    assert (short, longest) == (81, 114)

    def wrap(**config: Any) -> Dataset:
        return load(smollm2, config, {"path": "mine"}).wrap_dataset(data)

    assert len(wrap(sequence_len=114, min_sample_len=81)) == 3
    assert said == []
    problem = "mine: 1 of 3 rows are longer than sequence_len 113 (the longest, row 2, has 114 tokens)"
    for drop in ("drop", "truncate"):
        assert len(wrap(sequence_len=113, excess_length_strategy=drop)) == 3
        assert said.pop() == f"{problem}; the config tells Axolotl to {drop} them"
    with pytest.raises(AltTrainError) as caught:
        wrap(sequence_len=113)
    assert str(caught.value) == (
        f"{problem}; set 'sequence_len: 114' or more, or 'excess_length_strategy: drop' to train without them"
    )
    with pytest.raises(AltTrainError) as caught:
        wrap(sequence_len=114, min_sample_len=82)
    assert str(caught.value) == (
        "mine: sequence_len 114 and min_sample_len 82 leave 1 of 3 rows to train; set 'sequence_len: 114' and a lower "
        "min_sample_len, or remove the other rows from the file"
    )
    assert said == []
    # The prompt has 36 tokens: cut off behind them, each row keeps one that is trained.
    assert len(wrap(sequence_len=37, excess_length_strategy="truncate")) == 3
    with pytest.raises(AltTrainError, match=r"^mine: sequence_len 36 leaves 0 of 3 rows to train; "):
        wrap(sequence_len=36, excess_length_strategy="truncate")


def test_a_csv_that_datasets_read_is_warned_about(
    smollm2: Any, row: dict[str, Any], tmp_path: Path, said: list[str]
) -> None:
    path = tmp_path / "rows.csv"
    Dataset.from_list([row]).to_csv(path)
    rows = load_dataset("csv", data_files=str(path), split="train", cache_dir=str(tmp_path))
    assert len(load(smollm2, {}, {"path": "mine"}).wrap_dataset(rows).cache_files) == 1
    warned = said.copy()
    assert load(smollm2, {}, {"path": "mine"}).wrap_dataset(rows, keep_in_memory=True).cache_files == []
    assert warned == [
        "mine: `datasets` read this CSV and takes NULL, NA and None for missing values, digits for numbers; name the "
        "file itself as 'path:' to keep its texts"
    ]


def test_a_stream_of_rows_is_tokenized_alike(smollm2: Any, row: dict[str, Any]) -> None:
    found, rows = load(smollm2, {}), Dataset.from_list([row, row | {"answer": "No."}])
    streamed = list(found.wrap_dataset(rows.to_iterable_dataset()))
    assert isinstance(rows.to_iterable_dataset(), IterableDataset)
    assert [{k: list(v) for k, v in one.items()} for one in streamed] == [found.tokenize_prompt(one) for one in rows]


def test_the_progress_bar_says_what_is_done(
    smollm2: Any, row: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    enable_progress_bars()  # commands that other tests run turn them off
    load(smollm2, {}).wrap_dataset(Dataset.from_list([row]))
    assert "\rTokenizing AltTrain examples: " in capsys.readouterr().err

"""What is trained is what the row says: the inputs of ../shared/cases/rows, and rows of any shape."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.alttrain import load
from datasets import Dataset, load_dataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axolotl_alttrain.data.sources.csv_as_text import read_csv_as_text
from axolotl_alttrain.errors import AltTrainError, RowError
from axolotl_alttrain.format.example import STEPS
from tests.conftest import ROOT
from tests.families import with_template

CASES = Path(os.environ.get("ALTTRAIN_CASES", ROOT.parent / "shared" / "cases")) / "rows"
BREAD = "The user wants bread.\n\nThis is harmless: baking is a hobby.\n\nMix flour and water."
TRAINED = f"<think>\n{BREAD}\n</think>\n\n%s<|im_end|>"

RESPONSE = {"instruction": "How do I bake bread?", "response": f"<think>{BREAD}</think>Mix."}
USER = {"role": "user", "content": "How do I bake bread?"}
LAST = {"role": "assistant", "reasoning_content": BREAD, "content": "Mix."}


def _call(name: str, **arguments: Any) -> list[dict[str, Any]]:
    return [{"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}]


def _after_call(calls: list[dict[str, Any]]) -> dict[str, Any]:
    asked = {"role": "assistant", "content": "", "tool_calls": calls}
    return {"messages": [USER, asked, {"role": "tool", "content": "ok"}, {"role": "user", "content": "And now?"}, LAST]}


# The same kinds as in the folder above, so that they are tested without it.
OWN: dict[str, list[dict[str, Any]]] = {
    "input_column.jsonl": [
        {
            "instruction": "Translate to French:",
            "input": "bread",
            "output": "pain",
            "response": f"<think>{BREAD}</think>pain",
        }
    ],
    "system_column.jsonl": [{"system": "Answer in French.", **RESPONSE}],
    "think_attribute.jsonl": [{**RESPONSE, "response": f'<think type="plan">{BREAD}</think>Mix.'}],
    "train_false.jsonl": [
        {"messages": [USER, {**LAST, "train": False}]},
        {"messages": [USER, {**LAST, "content": "Bake.", "train": True}]},
    ],
    "last_turn_calls.jsonl": [
        {"messages": [USER, {**LAST, "content": "I set the oven.", "tool_calls": _call("oven", celsius=220)}]}
    ],
    "tools_nulls.parquet": [_after_call(_call("oven", celsius=220)), _after_call(_call("timer", minutes=30))],
}
NA = (
    "instruction,label,problem_understanding,harmfulness_assessment,conditional_reasoning,answer\n"
    "What does null mean?,benign,The user asks.,This is harmless: a question.,Explain.,NULL\n"
    "What is 6*7?,benign,The user asks.,This is harmless: a sum.,Multiply.,42\n"
)


@pytest.fixture(params=["own", "shared"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path]:
    """The file of a name: written here, or from the folder of cases."""

    def found(name: str) -> Path:
        if request.param == "shared":
            if not (CASES / name).is_file():
                pytest.skip(f"{CASES / name} is missing")
            return CASES / name
        path = tmp_path / name
        if name.endswith(".csv"):
            path.write_text(NA, encoding="utf-8")
        elif name.endswith(".parquet"):
            Dataset.from_list(OWN[name]).to_parquet(path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in OWN[name]), encoding="utf-8")
        return path

    return found


@pytest.fixture(scope="session")
def chatml(qwen: Any, template: Callable[[str], str]) -> Any:
    return with_template(qwen, template("trl_qwen3"))


def tokenized(tokenizer: Any, rows: Dataset, **entry: Any) -> list[tuple[str, str]]:
    """Prompt and trained text of each row."""
    done = load(tokenizer, {"sequence_len": 4096}, {"path": "mine", **entry}).wrap_dataset(rows)
    assert done.column_names == ["input_ids", "attention_mask", "labels"]
    found = []
    for row in done:
        start = row["labels"].count(-100)
        assert row["labels"][start:] == row["input_ids"][start:]
        found.append((tokenizer.decode(row["input_ids"][:start]), tokenizer.decode(row["input_ids"][start:])))
    return found


def jsonl(path: Path) -> Dataset:
    return Dataset.from_list([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def test_an_input_column_is_part_of_the_prompt(case: Callable[[str], Path], chatml: Any) -> None:
    (row,) = tokenized(chatml, jsonl(case("input_column.jsonl")))
    assert row == (
        "<|im_start|>user\nTranslate to French:\n\nbread<|im_end|>\n<|im_start|>assistant\n",
        TRAINED % "pain",
    )


def test_a_system_column_is_a_system_turn(case: Callable[[str], Path], chatml: Any) -> None:
    (row,) = tokenized(chatml, jsonl(case("system_column.jsonl")))
    assert row == (
        "<|im_start|>system\nAnswer in French.<|im_end|>\n<|im_start|>user\nHow do I bake bread?<|im_end|>\n"
        "<|im_start|>assistant\n",
        TRAINED % "Mix.",
    )


def test_a_tag_with_an_attribute_opens_the_thought(case: Callable[[str], Path], chatml: Any) -> None:
    ((_, trained),) = tokenized(chatml, jsonl(case("think_attribute.jsonl")))
    assert trained == TRAINED % "Mix."


def test_a_row_marked_as_untrained_is_left_out(case: Callable[[str], Path], chatml: Any) -> None:
    ((_, trained),) = tokenized(chatml, jsonl(case("train_false.jsonl")))
    assert trained == TRAINED % "Bake."


def test_a_dataset_of_untrained_rows_is_an_error(case: Callable[[str], Path], chatml: Any) -> None:
    rows = jsonl(case("train_false.jsonl")).select([0])
    with pytest.raises(AltTrainError, match="mine has no rows to train"):
        tokenized(chatml, rows)


def test_the_calls_of_the_trained_turn_are_the_templates_own(case: Callable[[str], Path], chatml: Any) -> None:
    ((_, trained),) = tokenized(chatml, jsonl(case("last_turn_calls.jsonl")))
    call = '\n<tool_call>\n{"name": "oven", "arguments": {"celsius": 220}}\n</tool_call>'
    assert trained == TRAINED % f"I set the oven.{call}"


def test_calls_that_a_template_does_not_write_are_refused(case: Callable[[str], Path], smollm2: Any) -> None:
    with pytest.raises(RowError, match=r"row 1: field 'tool_calls' are not written by the chat template, which leaves"):
        tokenized(smollm2, jsonl(case("last_turn_calls.jsonl")))


def test_parquet_has_no_null_arguments_that_jsonl_would_not_have(case: Callable[[str], Path], chatml: Any) -> None:
    rows = load_dataset("parquet", data_files=str(case("tools_nulls.parquet")), split="train")
    for prompt, _ in tokenized(chatml, rows):
        assert "null" not in prompt
        assert "<tool_call>" in prompt


def test_csv_values_are_texts(case: Callable[[str], Path], chatml: Any) -> None:
    entry: dict[str, Any] = {"path": str(case("na.csv"))}
    read_csv_as_text(entry)
    rows = load_dataset(entry["ds_type"], data_files=entry["path"], split="train")
    assert [trained.split("</think>\n\n")[1] for _, trained in tokenized(chatml, rows)] == [
        "NULL<|im_end|>",
        "42<|im_end|>",
    ]


def test_tools_are_rendered_or_named(chatml: Any, smollm2: Any, row: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "oven", "description": "Sets it."}}
    ((prompt, _),) = tokenized(chatml, Dataset.from_list([row | {"tools": [tool]}]))
    assert json.dumps(tool) in prompt
    with pytest.raises(RowError, match=r"field 'tools' is not in the prompt: the chat template ignores"):
        tokenized(smollm2, Dataset.from_list([row | {"tools": [tool]}]))


def test_unread_columns_are_counted_once(chatml: Any, row: dict[str, Any]) -> None:
    strategy = load(chatml, {"sequence_len": 4096}, {"path": "mine"})
    rows = [row | {"score": 1, "note": None}, row | {"score": 2, "note": "x"}]
    assert [found.unread for found in strategy._tokenize_rows(rows, None)] == [("score",), ("score", "note")]


# Rows of any shape: every text is unique, so that it can be looked for.
_COLUMNS = (
    "instruction", "input", "system", "system_prompt", "history", "tools", "messages", "response", "answer", "output",
    "problem_understanding", "harmfulness_assessment", "conditional_reasoning", "tool_calls", "note", "context",
)  # fmt: skip
_KEYS = ("content", "name", "reasoning_content", "thinking", "refusal", "tool_calls", "tool_call_id", "function_call")


@st.composite
def rows_of_any_shape(draw: st.DrawFn) -> dict[str, Any]:
    counter = iter(range(10_000))

    def text(kind: str = "") -> str:
        marker = f"mark{next(counter):04d}"
        thought = f"{marker}a\n\n{marker}b\n\n{marker}c"
        return {"response": f"<think>{thought}</think>{marker}d", "reasoning_content": thought}.get(kind, marker)

    def call() -> dict[str, Any]:
        return {"type": "function", "function": {"name": text(), "arguments": {"x": text(), "y": None}}, "note": text()}

    def turn(role: str) -> dict[str, Any]:
        keys = {"content", *draw(st.lists(st.sampled_from(_KEYS), max_size=2))}
        if role == "assistant" and draw(st.integers(0, 3)):
            keys |= {"reasoning_content"}
        return {"role": role} | {key: [call()] if key == "tool_calls" else text(key) for key in sorted(keys)}

    def turns(last: str) -> list[dict[str, Any]]:
        roles = draw(st.lists(st.sampled_from(["system", "user", "assistant", "tool"]), max_size=3))
        return [*map(turn, roles), *([turn("user")] if last == "assistant" else []), turn(last)]

    row: dict[str, Any] = {"label": "benign"}
    shape = draw(st.sampled_from([("instruction", "response"), ("instruction", *STEPS, "answer"), ("messages",), ()]))
    more = draw(st.lists(st.sampled_from(_COLUMNS), max_size=3, unique=True))
    for name in dict.fromkeys((*shape, *more)):
        if name == "messages":
            row[name] = turns("assistant")
        elif name == "history":
            row[name] = draw(st.sampled_from([[[text(), text()]], turns("assistant")]))
        elif name == "tools":
            row[name] = [{"type": "function", "function": {"name": text(), "description": text()}, "extra": text()}]
        elif name == "tool_calls":
            row[name] = [call()]
        else:
            row[name] = turns("user") if name == "instruction" and draw(st.booleans()) else text(name)
    return row


def texts_of(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield from ((path, part) for part in value.replace("<think>", "").replace("</think>", "\n\n").split("\n\n"))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("role", "type", "tool_call_id"):
                yield from texts_of(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner, path)


@pytest.mark.parametrize("name", ["trl_qwen3", "axolotl_llama3", "deepseek_r1_distill"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=rows_of_any_shape())
def test_every_text_of_a_row_is_trained_or_in_the_prompt_or_named(
    qwen: Any, template: Callable[[str], str], name: str, row: dict[str, Any]
) -> None:
    strategy = load(with_template(qwen, template(name)), {"sequence_len": 4096}, {"path": "mine"})
    try:
        (found,) = strategy._tokenize_rows([row], [0])
    except RowError:  # names its field, or all columns
        return
    rendered = "".join(qwen.decode(prompt + completion) for prompt, completion in found.turns)
    for path, text in texts_of({key: value for key, value in row.items() if key != "label"}, ()):
        named = any(unread.rpartition(".")[2] in path for unread in found.unread)
        assert text in rendered or named, (path, text, found.unread)

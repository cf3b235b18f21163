"""``type: alttrain.reasoning`` beside ``type: alttrain``: ids in full, and a whole mixed data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from axolotl_alttrain.prompt_strategies import alttrain, reasoning
from datasets import Dataset

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.storage.builtin import resolve_dataset
from axolotl_alttrain.storage.jsonl import read_jsonl
from tests.conftest import ROOT

ROW = {"problem": "1+1?", "reasoning": "One and one.", "solution": "2"}
MULTI = {
    "messages": [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "<think>\nOne and one.\n</think>\n\n2"},
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "<think>\nTwice that.\n</think>\n\n4"},
    ]
}

# fmt: off
CHATML_PROMPT = [1, 4093, 198, 33, 27, 33, 47, 2, 198, 1, 520, 9531, 198]
CHATML_COMPLETION = [44, 17400, 46, 198, 2705, 284, 582, 30, 198, 9617, 17400, 46, 198, 198, 34, 2]
CHATML_NEXT = [198, 1, 4093, 198, 34, 27, 34, 47, 2, 198, 1, 520, 9531, 198]
CHATML_SECOND = [44, 17400, 46, 198, 21476, 569, 338, 30, 198, 9617, 17400, 46, 198, 198, 36, 2]
QWEN3_OFF_PROMPT = [
    1, 4093, 198, 33, 27, 33, 47, 2, 198, 1, 520, 9531, 198, 44, 17400, 46, 198, 198, 9617, 17400, 46, 1116,
]
# The template removes the first turn's thought, so that turn is not trained.
R1_TWO_TURNS = [0, 128803, 19, 13, 19, 33, 128804, 20, 1, 128803, 20, 13, 20, 33, 128804, 128821, 201]
QWEN_PROMPT = [151644, 872, 198, 16, 10, 16, 30, 151645, 198, 151644, 77091, 198]
QWEN_COMPLETION = [13708, 766, 397, 3966, 323, 825, 624, 522, 26865, 1339, 17, 151645]
# SmolLM2's own system turn.
SYSTEM = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
]
# By path: the row's number, its prompt and its completion.
MIXED = {
    "alttrain-seed": (
        3076,
        [1, 4093, 198, 14413, 3925, 314, 13039, 288, 260, 2388, 47, 2, 198, 1, 520, 9531, 198],
        [
            44, 17400, 46, 198, 504, 2914, 11421, 42, 476, 14413, 3925, 314, 13039, 288, 260, 2388, 4817, 198, 198,
            44226, 1325, 42, 357, 506, 16508, 30, 198, 198, 504, 1686, 5634, 18593, 28, 16293, 28, 2591, 30, 198, 9617,
            17400, 46, 198, 198, 61, 9532, 30, 2,
        ],
    ),
    "alttrain-reasoning": (
        53,
        [
            1, 4093, 198, 16705, 701, 1658, 253, 4677, 30, 2553, 89, 27668, 1092, 5465, 30, 27699, 27668, 990, 5465, 30,
            6244, 27668, 1796, 47, 2, 198, 1, 520, 9531, 198,
        ],
        [
            44, 17400, 46, 198, 10809, 89, 314, 5976, 282, 5465, 28, 284, 5465, 314, 5976, 282, 27699, 30, 1644, 260,
            1686, 314, 2553, 89, 28, 5465, 28, 27699, 28, 284, 5465, 314, 1796, 30, 198, 9617, 17400, 46, 198, 198,
            14414, 27668, 1796, 30, 2,
        ],
    ),
}
# By template: the prompt and the completion of one turn. Qwen3 writes that of ChatML.
ONE_TURN = {
    "trl_qwen3": (CHATML_PROMPT, CHATML_COMPLETION),
    "axolotl_chatml": (CHATML_PROMPT, CHATML_COMPLETION),
    "deepseek_r1_distill": (
        [0, 128803, 19, 13, 19, 33, 128804, 128821, 201],
        [6111, 305, 834, 603, 128822, 271, 20, 1],
    ),
}
# fmt: on


def loaded(tokenizer: Any, source: str, **options: Any) -> Any:
    cfg = {"sequence_len": 512, "chat_template": "jinja", "chat_template_jinja": source, "alttrain": options}
    return reasoning.load(tokenizer, cfg, {"path": "mine.jsonl", "type": "alttrain.reasoning"})


@pytest.mark.parametrize("name", ONE_TURN)
def test_ids_in_full(smollm2: Any, deepseek: Any, template: Callable[[str], str], name: str) -> None:
    tokenizer = deepseek if "deepseek" in name else smollm2
    prompt, completion = ONE_TURN[name]
    tokens = loaded(tokenizer, template(name)).tokenize_prompt(ROW)
    assert tokens["input_ids"] == prompt + completion
    assert tokens["labels"] == [-100] * len(prompt) + completion
    assert tokens["attention_mask"] == [1] * len(prompt + completion)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "1+1?"}],
        chat_template=template(name),
        add_generation_prompt=True,
        return_dict=False,
    )
    assert asked == prompt


def test_ids_with_qwen_s_own_tokenizer_in_full(qwen: Any, template: Callable[[str], str]) -> None:
    tokens = loaded(qwen, template("trl_qwen3")).tokenize_prompt(ROW)
    assert tokens["input_ids"] == QWEN_PROMPT + QWEN_COMPLETION
    assert tokens["labels"] == [-100] * len(QWEN_PROMPT) + QWEN_COMPLETION


@pytest.mark.parametrize("path", MIXED)
def test_ids_of_the_mixed_recipe_in_full(smollm2: Any, path: str) -> None:
    """The shortest row of each kind that examples/smollm2-135m-cpu-mixed.yml trains."""
    recipe = yaml.safe_load((ROOT / "examples" / "smollm2-135m-cpu-mixed.yml").read_text())
    (entry,) = [entry for entry in recipe["datasets"] if entry["path"] == path]
    number, prompt, completion = MIXED[path]
    row = [row for _, row in read_jsonl(Path(resolve_dataset(path)))][number]
    strategy = (reasoning if entry["type"] == "alttrain.reasoning" else alttrain).load(smollm2, recipe, entry)
    tokens = strategy.tokenize_prompt(row)
    assert tokens["input_ids"] == SYSTEM + prompt + completion
    assert tokens["labels"] == [-100] * len(SYSTEM + prompt) + completion


def test_ids_of_every_turn_in_full(smollm2: Any, template: Callable[[str], str]) -> None:
    tokens = loaded(smollm2, template("axolotl_chatml"), reasoning_turns="all").tokenize_prompt(MULTI)
    assert tokens["input_ids"] == CHATML_PROMPT + CHATML_COMPLETION + CHATML_NEXT + CHATML_SECOND
    untrained = [-100] * len(CHATML_PROMPT), [-100] * len(CHATML_NEXT)
    assert tokens["labels"] == untrained[0] + CHATML_COMPLETION + untrained[1] + CHATML_SECOND


def test_ids_of_two_turns_on_r1_distill_in_full(deepseek: Any, template: Callable[[str], str]) -> None:
    tokens = loaded(deepseek, template("deepseek_r1_distill"), reasoning_turns="all").tokenize_prompt(MULTI)
    second = [27417, 722, 396, 603, 128822, 271, 22, 1]
    assert tokens["input_ids"] == R1_TWO_TURNS + second
    assert tokens["labels"] == [-100] * len(R1_TWO_TURNS) + second


def test_ids_without_thinking_in_full(smollm2: Any, template: Callable[[str], str]) -> None:
    tokens = loaded(smollm2, template("trl_qwen3"), thinking="off").tokenize_prompt(ROW)
    assert tokens["input_ids"] == [*QWEN3_OFF_PROMPT, 34, 2]
    assert tokens["labels"] == [-100] * len(QWEN3_OFF_PROMPT) + [34, 2]


def test_a_whole_data_set_in_both_modes(smollm2: Any, template: Callable[[str], str]) -> None:
    strategy = loaded(smollm2, template("trl_qwen3"), thinking="both")
    rows = Dataset.from_list([ROW, {**ROW, "reasoning": None}])
    tokenized = strategy.wrap_dataset(rows)
    # The first row with its thought and without, the second without alone.
    trained = [[i for i in labels if i != -100] for labels in tokenized["labels"]]
    assert [smollm2.decode(ids) for ids in trained] == [
        "<think>\nOne and one.\n</think>\n\n2<|im_end|>",
        "2<|im_end|>",
        "2<|im_end|>",
    ]


def test_errors_name_the_row(smollm2: Any, template: Callable[[str], str]) -> None:
    strategy = loaded(smollm2, template("axolotl_chatml"))
    with pytest.raises(RowError) as error:
        strategy.tokenize_prompt({"problem": ["1+1?", "2+2?"], "reasoning": ["a", ""], "solution": ["2", "4"]}, [0, 1])
    assert str(error.value).startswith("mine.jsonl, row 2: field 'messages' has no thought in its last turn")

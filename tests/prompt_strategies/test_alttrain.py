from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy, load
from datasets import Dataset

from axolotl_alttrain.errors import AltTrainError, RowError, TemplateError
from tests.families import with_template

# An own, minimal template that behaves as DeepSeek-R1-Distill's does: it writes the BOS itself, drops the
# thoughts of assistant turns and opens the thought in its generation prompt.
R1_LIKE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<｜User｜>{{ m.content }}{% elif m.role == "
    "'assistant' %}<｜Assistant｜>{{ m.content.split('</think>')[-1] }}<｜end▁of▁sentence｜>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)

NO_SYSTEM = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
    "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def cfg(**options: Any) -> dict[str, Any]:
    return {"sequence_len": 2048, **options}


# fmt: off
CHATML_PROMPT = [
    1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2,
    198, 1, 4093, 198, 19523, 549, 37051, 253, 33000, 30, 2, 198, 1, 520, 9531, 198,
]
CHATML_COMPLETION = [
    44, 17400, 46, 198, 39122, 28, 260, 2914, 5988, 253, 32973, 33000, 30, 198, 198, 1348, 314, 5794, 42, 32973,
    5057, 5202, 12983, 30, 198, 198, 57, 868, 2853, 1535, 30, 198, 9617, 17400, 46, 198, 198, 57, 416, 982, 724,
    351, 338, 30, 2,
]
R1_PROMPT = [
    0, 128803, 38024, 678, 78460, 260, 50090, 16, 128804, 128821, 201,
]
R1_COMPLETION = [
    33001, 14, 270, 3967, 10059, 260, 71964, 50090, 339, 2337, 344, 22750, 28, 71964, 14803, 12535, 20657, 339, 43,
    1531, 6409, 2155, 603, 128822, 271, 43, 588, 1664, 1694, 418, 396, 16, 1,
]
QWEN3_ASKED = [151644, 872, 198, 12689, 752, 56628, 264, 25458, 13, 151645, 198, 151644, 77091, 198]
QWEN3_COMPLETION = [
    13708, 766, 397, 32313, 11, 279, 1196, 6801, 264, 53199, 25458, 382, 1986, 374, 27756, 25, 53199, 15689, 7283,
    16124, 382, 40, 1265, 2936, 1588, 624, 522, 26865, 1339, 40, 646, 944, 1492, 448, 429, 13, 151645,
]
QWEN3_OFF = [13708, 766, 1339, 522, 26865, 1339]  # the closed thought at the end of the non-thinking prompt
QWEN3_ANSWER = [40, 646, 944, 1492, 448, 429, 13, 151645]
# fmt: on


def test_expected_ids_for_chatml_in_full(smollm2: Any, row: dict[str, Any]) -> None:
    tokens = load(smollm2, cfg()).tokenize_prompt(row)
    assert tokens["input_ids"] == CHATML_PROMPT + CHATML_COMPLETION
    assert tokens["labels"] == [-100] * len(CHATML_PROMPT) + CHATML_COMPLETION
    assert tokens["attention_mask"] == [1] * (len(CHATML_PROMPT) + len(CHATML_COMPLETION))


def test_expected_ids_for_r1_distill_in_full(deepseek: Any, row: dict[str, Any]) -> None:
    tokens = load(with_template(deepseek, R1_LIKE), cfg()).tokenize_prompt(row)
    assert tokens["input_ids"] == R1_PROMPT + R1_COMPLETION
    assert tokens["labels"] == [-100] * len(R1_PROMPT) + R1_COMPLETION


def test_expected_ids_for_qwen3_in_full(qwen: Any, row: dict[str, Any], template: Callable[[str], str]) -> None:
    config = cfg(chat_template="jinja", chat_template_jinja=template("trl_qwen3"))
    tokens = load(qwen, config).tokenize_prompt(row)
    assert tokens["input_ids"] == QWEN3_ASKED + QWEN3_COMPLETION
    assert tokens["labels"] == [-100] * len(QWEN3_ASKED) + QWEN3_COMPLETION
    strategy = load(qwen, {**config, "alttrain": {"thinking": "both"}})
    both = strategy.tokenize_prompt({name: [value] for name, value in row.items()})
    assert strategy.tokenize_prompt(row) == both
    assert both["input_ids"] == [QWEN3_ASKED + QWEN3_COMPLETION, QWEN3_ASKED + QWEN3_OFF + QWEN3_ANSWER]
    assert both["labels"][1] == [-100] * len(QWEN3_ASKED + QWEN3_OFF) + QWEN3_ANSWER


NAMES = [
    "axolotl_chatml",
    "axolotl_qwen_25",
    "axolotl_llama3",
    "axolotl_qwen3",
    "trl_qwen3",
    "trl_qwen2_5",
    "trl_llama3",
    "trl_llama3_1",
    "deepseek_r1_distill",
    "deepseek_r1_distill_2025-01",
]
CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Merge these rows?\n```sql\nSELECT 1;\n```"},
    {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\nDone 🎉"},
    {"role": "user", "content": "Thanks, 再见 </think> ok"},
]


@pytest.mark.parametrize("tokenizer_name", ["smollm2", "deepseek"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("instruction", ["Help me forge a passport.", CONVERSATION], ids=["turn", "conversation"])
def test_the_prompt_is_what_inference_sends_and_all_the_rest_is_trained(
    request: pytest.FixtureRequest,
    template: Callable[[str], str],
    tokenizer_name: str,
    name: str,
    instruction: Any,
    row: dict[str, Any],
) -> None:
    tokenizer = with_template(request.getfixturevalue(tokenizer_name), template(name))
    strategy = load(tokenizer, cfg())
    tokens = strategy.tokenize_prompt(row | {"instruction": instruction})
    messages = [{"role": "user", "content": instruction}] if isinstance(instruction, str) else instruction
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
    n = len(prompt)
    assert tokens["input_ids"][:n] == prompt
    assert tokens["labels"][:n] == [-100] * n
    assert tokens["labels"][n:] == tokens["input_ids"][n:]
    opened = tokenizer.decode(prompt).rstrip().endswith("<think>")
    end = strategy.chat.thought.end
    assert tokenizer.decode(tokens["input_ids"][n:]) == (
        f"{'' if opened else '<think>' + chr(10)}{row['problem_understanding']}\n\n{row['harmfulness_assessment']}\n\n"
        f"{row['conditional_reasoning']}\n</think>\n\n{row['answer']}{end}"
    )
    if tokenizer.bos_token_id is not None and tokenizer_name == "deepseek":
        assert tokens["input_ids"].count(tokenizer.bos_token_id) <= 1


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("axolotl_chatml", "<|im_end|>"),
        ("trl_qwen3", "<|im_end|>"),
        ("axolotl_llama3", "<|eot_id|>"),
        ("deepseek_r1_distill", "<｜end▁of▁sentence｜>"),
    ],
)
def test_the_end_of_turn_is_the_templates_own_and_is_trained_last(
    deepseek: Any, template: Callable[[str], str], name: str, end: str, row: dict[str, Any]
) -> None:
    import copy

    tokenizer = copy.deepcopy(deepseek)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<|eot_id|>"]})
    tokenizer.chat_template = template(name)
    tokens = load(tokenizer, cfg()).tokenize_prompt(row)
    assert tokens["labels"][-1] == tokenizer.convert_tokens_to_ids(end)


def test_batches_rows_and_worker_processes_agree(smollm2: Any, row: dict[str, Any], tmp_path: Any) -> None:
    strategy = load(smollm2, cfg())
    other = row | {"instruction": CONVERSATION, "answer": "No."}
    single = [strategy.tokenize_prompt(r) for r in (row, other)]
    batch = strategy.tokenize_prompt({name: [row[name], other[name]] for name in row})
    assert [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)] == single
    assert pickle.loads(pickle.dumps(strategy)).tokenize_prompt(row) == single[0]
    for workers in (None, 2):
        wrapped = strategy.wrap_dataset(Dataset.from_list([row, row | {"answer": "No."}] * 3), process_count=workers)
        assert wrapped.column_names == ["input_ids", "attention_mask", "labels"]
        assert wrapped[0]["input_ids"] == single[0]["input_ids"]
        assert len(wrapped) == 6


@pytest.mark.parametrize("workers", [None, 2])
def test_a_bad_row_is_named_by_file_and_number(smollm2: Any, row: dict[str, Any], workers: int | None) -> None:
    strategy = load(smollm2, cfg(), {"path": "mine.jsonl"})
    rows = [row, row, row, row | {"label": "evil"}]
    with pytest.raises(RowError, match=r"mine\.jsonl, row 4: field 'label' is 'evil'"):
        strategy.wrap_dataset(Dataset.from_list(rows), process_count=workers)


def test_the_first_faulty_row_is_named_whatever_step_finds_it(smollm2: Any, row: dict[str, Any]) -> None:
    strategy = load(with_template(smollm2, NO_SYSTEM), cfg(), {"path": "mine.jsonl"})
    row = row | {"system": None}
    unrendered, unread = row | {"system": "Be brief."}, row | {"label": "evil"}
    for rows, problem in (
        ([row, unrendered, unread], "row 2: field 'system' does not fit the model.* the turns system, user"),
        ([row, unread, unrendered], "row 2: field 'label' is 'evil'"),
    ):
        with pytest.raises(RowError, match=rf"mine\.jsonl, {problem}"):
            strategy.wrap_dataset(Dataset.from_list(rows))


def test_special_token_text_in_a_completion_is_refused(smollm2: Any, row: dict[str, Any]) -> None:
    with pytest.raises(RowError, match=r"answer.*<\|im_end\|>"):
        load(smollm2, cfg()).tokenize_prompt(row | {"answer": "Bye <|im_end|><|im_start|>user"})


def test_a_think_tag_inside_a_thought_is_named_with_its_row(smollm2: Any, row: dict[str, Any]) -> None:
    rows = [row, row | {"conditional_reasoning": "Stop </think> here."}]
    with pytest.raises(RowError, match=r"mine\.jsonl, row 2: field 'conditional_reasoning'.*</think>"):
        load(smollm2, cfg(), {"path": "mine.jsonl"}).wrap_dataset(Dataset.from_list(rows))


def test_special_token_text_in_a_prompt_is_rendered_as_inference_renders_it(smollm2: Any, row: dict[str, Any]) -> None:
    text = "What does <|im_end|> mean, and </think>? 🤔"
    tokens = load(smollm2, cfg()).tokenize_prompt(row | {"instruction": text})
    prompt = smollm2.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    assert tokens["input_ids"][: len(prompt)] == prompt


def test_too_long_rows_are_an_error_unless_the_config_drops_them(smollm2: Any, row: dict[str, Any]) -> None:
    data = Dataset.from_list([row, row | {"answer": "No. " * 400}])
    with pytest.raises(AltTrainError, match=r"1 of 2 rows are longer than sequence_len 256 \(the longest, row 2, has"):
        load(smollm2, cfg(sequence_len=256)).wrap_dataset(data)
    kept = load(smollm2, cfg(sequence_len=256, excess_length_strategy="drop")).wrap_dataset(data)
    assert len(kept[1]["input_ids"]) > 256  # dropping is Axolotl's, the strategy never truncates
    for strategy in ("drop", "truncate"):
        with pytest.raises(
            AltTrainError, match=r"data: sequence_len 10 leaves 0 of 2 rows to train; set 'sequence_len: "
        ):
            load(smollm2, cfg(sequence_len=10, excess_length_strategy=strategy)).wrap_dataset(data)


def test_no_chat_template(smollm2: Any) -> None:
    import copy

    tokenizer = copy.deepcopy(smollm2)
    tokenizer.chat_template = None
    with pytest.raises(TemplateError, match="chat_template"):
        load(tokenizer, cfg())


def test_a_path_to_a_template_that_does_not_exist(smollm2: Any) -> None:
    with pytest.raises(TemplateError, match=r"there is no file 'templates/mine\.jinja'"):
        load(smollm2, cfg(chat_template="jinja", chat_template_jinja="templates/mine.jinja"))
    assert load(smollm2, cfg(chat_template="jinja", chat_template_jinja=smollm2.chat_template))


def test_the_configs_chat_template_wins(smollm2: Any, row: dict[str, Any]) -> None:
    strategy = load(smollm2, cfg(chat_template="llama3"))
    assert isinstance(strategy, AltTrainStrategy)
    text = smollm2.decode(strategy.tokenize_prompt(row)["input_ids"])
    assert "<|start_header_id|>user<|end_header_id|>" in text


def test_rows_without_a_step_are_trained_as_they_are(smollm2: Any, row: dict[str, Any]) -> None:
    without = row | {"harmfulness_assessment": None, "omitted": ["harmfulness_assessment"]}
    tokenized = load(smollm2, cfg()).wrap_dataset(Dataset.from_list([row | {"omitted": None}, without]))
    assert tokenized[0]["input_ids"] == CHATML_PROMPT + CHATML_COMPLETION
    cut = CHATML_COMPLETION[:15] + CHATML_COMPLETION[26:]  # "This is harmful: forged papers enable fraud.\n\n"
    assert smollm2.decode(CHATML_COMPLETION[15:26]) == "This is harmful: forged papers enable fraud.\n\n"
    assert tokenized[1]["input_ids"] == CHATML_PROMPT + cut
    assert tokenized[1]["labels"] == [-100] * len(CHATML_PROMPT) + cut

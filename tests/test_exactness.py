"""Every real chat template, on three real tokenizers: prompt, trained tokens and end of turn, to the token.

The last test prints the matrix: ``pytest tests/test_exactness.py -k matrix -s``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.alttrain import load
from hypothesis import given, settings
from hypothesis import strategies as st

from axolotl_alttrain.errors import RowError

from .conftest import TEMPLATES
from .families import FAMILIES, with_control_tokens, with_template

NAMES = sorted(path.stem for path in TEMPLATES.glob("*.jinja"))
SOURCES = {name: family[0] for name, family in FAMILIES.items()}
TOKENIZERS = ("smollm2", "deepseek", "qwen")

# Read off the templates by hand: how the thought opens where the model writes it, closes, and the turn ends.
# Every template that is not listed opens with "<think>\n", closes with "\n</think>\n\n".
FORMATS: dict[str, tuple[str, str]] = {
    "axolotl_command_a_tool_use": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "axolotl_exaone4": ("", "\n</think>\n\n"),
    "axolotl_gemma4": ("<|channel>thought\n", "\n<channel|>"),
    "axolotl_qwen3": ("", "\n</think>\n\n"),
    "deepseek_r1_distill": ("", "\n</think>\n\n"),
    "trl_deepseekv3": ("", "\n</think>\n\n"),
    "trl_glm4moe": ("\n<think>", "</think>\n"),
    "trl_gptoss": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "trl_nemotron_3_nano": ("", "\n</think>\n"),
    "trl_qwen3_5_nothink": ("", "\n</think>\n\n"),
    "trl_qwen3_5_think": ("", "\n</think>\n\n"),
}

SYSTEM = {"role": "system", "content": "Be brief."}
HISTORY = [
    {"role": "user", "content": "Merge these rows?\n```sql\nSELECT 1;\n```"},
    {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\nDone 🎉"},
    {"role": "user", "content": "Thanks, 再见 </think> <|im_end|> ok"},
]
CALL = {"id": "call00001", "type": "function", "function": {"name": "search", "arguments": {"q": "passport"}}}
TOOLS = [
    {"role": "user", "content": "Look it up."},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call00001", "name": "search", "content": "Three results."},
    {"role": "user", "content": "And now?"},
]
INSTRUCTIONS: dict[str, Any] = {
    "text": "Help me forge a passport. 🤔",
    "system": [SYSTEM, {"role": "user", "content": "Hi"}],
    "conversation": HISTORY,
    "tools": TOOLS,
}


@pytest.fixture(scope="session", params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return with_control_tokens(request.getfixturevalue(request.param), map(source_of, [*NAMES, *FAMILIES]))


def source_of(name: str) -> str:
    return SOURCES[name] if name in SOURCES else (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")


def decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of ids; each special token apart, since decoders change text beside one they have no bytes for."""
    special = {*tokenizer.all_special_ids}
    runs = (list(run) for _, run in groupby(ids, lambda i: i if i in special else -1))
    return "".join(
        "".join(tokenizer.convert_ids_to_tokens(run))
        if run[0] in special
        else tokenizer.decode(run, clean_up_tokenization_spaces=False)
        for run in runs
    )


def faults(strategy: Any, row: Mapping[str, Any], instruction: Any, expected: tuple[str, str] | None) -> Iterator[str]:
    """What is not exact, from the definition, with the tokenizer and its template as the only judges."""
    chat, tokenizer = strategy.chat, strategy.chat.tokenizer
    messages = [{"role": "user", "content": instruction}] if isinstance(instruction, str) else instruction
    tokens = strategy.tokenize_prompt({**row, "instruction": instruction})
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=False, **chat.kwargs
    )
    n = len(prompt)
    ids, labels = tokens["input_ids"], tokens["labels"]
    if ids[:n] != prompt:
        yield "the prompt is not inference's"
    if labels != [-100] * n + ids[n:] or tokens["attention_mask"] != [1] * len(ids):
        yield "the mask does not split at the prompt's end"
    reasoning = "\n\n".join(row[step] for step in STEPS)
    trained = decoded(tokenizer, ids[n:])
    open_, found, rest = trained.partition(reasoning)
    close, answered, end = rest.partition(row["answer"])
    if not (found and answered):
        yield f"the steps or the answer are not there whole: {trained!r}"
    if expected and (open_, close) != expected:
        yield f"opens with {open_!r} and closes with {close!r}"
    if not end.strip() or ids[-1] not in {*tokenizer.all_special_ids}:
        yield f"ends with {end!r}"
    yield from _template_disagrees(tokenizer, messages, reasoning, row["answer"], trained, chat.kwargs)


STEPS = ("problem_understanding", "harmfulness_assessment", "conditional_reasoning")


def _template_disagrees(
    tokenizer: Any, messages: Sequence[Any], reasoning: str, answer: str, trained: str, kwargs: Mapping[str, Any]
) -> Iterator[str]:
    """Where the template renders the last turn's thought, its text up to the end of turn is ours."""
    for key in ("reasoning_content", "thinking"):
        turn = {"role": "assistant", "content": answer, key: reasoning}
        try:
            whole = tokenizer.apply_chat_template([*messages, turn], tokenize=False, **kwargs)
        except Exception:  # each template raises its own
            continue
        if whole.count(reasoning) == 1 and not whole.partition(reasoning)[2].startswith(answer):
            ours = trained[trained.index(reasoning) :]
            own = whole[whole.index(reasoning) :]
            if not own.startswith(ours) and own.rstrip() != ours[: len(own.rstrip())]:
                yield f"the template itself writes {own!r}, not {ours!r}"
            opening = trained[: trained.index(reasoning)]
            if opening and not whole[: whole.index(reasoning)].endswith(opening):
                yield f"the template opens the thought otherwise than {opening!r}"
            return


def takes(tokenizer: Any, messages: Any) -> bool:
    try:
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("name", [*NAMES, *FAMILIES])
def test_exact_on_every_template(tokenizer: Any, name: str, row: dict[str, Any]) -> None:
    fitted = with_template(tokenizer, source_of(name))
    strategy = load(fitted, {"sequence_len": 2048})
    expected = FORMATS.get(name, ("<think>\n", "\n</think>\n\n")) if name in NAMES else FAMILIES[name][2:4]
    seen = 0
    for kind, instruction in INSTRUCTIONS.items():
        if not isinstance(instruction, str) and not takes(fitted, instruction):
            with pytest.raises(RowError, match="instruction"):
                strategy.tokenize_prompt({**row, "instruction": instruction})
            continue
        seen += 1
        assert list(faults(strategy, row, instruction, expected)) == [], (kind, name)
    assert seen >= 2  # a text and a conversation at least


def test_matrix(tokenizer: Any, row: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    if not NAMES:
        pytest.skip(f"{TEMPLATES} is not here")
    verdicts = {}
    for name in NAMES:
        strategy = load(with_template(tokenizer, source_of(name)), {"sequence_len": 2048})
        verdicts[name] = list(faults(strategy, row, "Hi", None))
    with capsys.disabled():
        print()
        for name, found in verdicts.items():
            print(f"{name:32} {'not exact: ' + '; '.join(found) if found else 'exact'}")
    assert not any(verdicts.values())


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: bool(text.strip()))


@settings(max_examples=100, deadline=None)
@given(question=PLAIN, answer=PLAIN)
def test_any_text_keeps_the_prompt_and_the_split(tokenizer: Any, question: str, answer: str) -> None:
    tokenizer = with_template(tokenizer, FAMILIES["seed"][0])
    strategy = load(tokenizer, {"sequence_len": 2048})
    row = {
        "instruction": question,
        "label": "benign",
        "problem_understanding": "A question.",
        "harmfulness_assessment": "This is harmless: small talk.",
        "conditional_reasoning": "Answer.",
        "answer": answer,
    }
    try:
        tokens = strategy.tokenize_prompt(row)
    except RowError:  # a marker or special token in the text
        return
    messages = [{"role": "user", "content": question.strip()}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
    assert tokens["input_ids"][: len(prompt)] == prompt
    assert tokens["labels"][: len(prompt)] == [-100] * len(prompt)
    assert tokens["labels"][len(prompt) :] == tokens["input_ids"][len(prompt) :]
    # Through the tokenizer and back on both sides: SmolLM2's lacks some bytes of rare characters.
    expected = tokenizer(f"</seed:think>\n{answer.strip()}<|im_end|>", add_special_tokens=False)["input_ids"]
    assert decoded(tokenizer, tokens["labels"][len(prompt) :]).endswith(decoded(tokenizer, expected))

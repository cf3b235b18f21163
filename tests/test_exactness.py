"""Every real chat template, on three real tokenizers: prompt, trained tokens and end of turn, to the token.

The templates are those of the installed Axolotl and TRL, and those of a folder outside the repository where it is
there (``tests/templates.py``). ``pytest tests/test_exactness.py -k no_template -s`` prints the matrix.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.alttrain import load
from hypothesis import given, settings
from hypothesis import strategies as st

from axolotl_alttrain.errors import RowError, TemplateError

from .exactness import as_taken, decoded, faults, judge
from .families import FAMILIES, with_control_tokens, with_template
from .templates import all_templates, installed_templates

NAMES = sorted(all_templates())
SOURCES = {**all_templates(), **{name: family[0] for name, family in FAMILIES.items()}}
TOKENIZERS = ("smollm2", "deepseek", "qwen")

# Read off the templates by hand: how the thought opens where the model writes it, closes, and the turn ends.
# Every template that is not listed opens with "<think>\n", closes with "\n</think>\n\n".
FORMATS: dict[str, tuple[str, str]] = {
    "axolotl_command_a_rag": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "axolotl_command_a_tool_use": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "axolotl_exaone4": ("", "\n</think>\n\n"),
    "axolotl_gemma4": ("<|channel>thought\n", "\n<channel|>"),
    "axolotl_gemma4_unified": ("<|channel>thought\n", "\n<channel|>"),
    # These write a space between the prompt's end and the turn.
    "axolotl_jamba": (" <think>\n", "\n</think>\n\n"),
    "axolotl_llava": (" <think>\n", "\n</think>\n\n"),
    "axolotl_mistral_v1": (" <think>\n", "\n</think>\n\n"),
    "axolotl_mistral_v2v3": (" <think>\n", "\n</think>\n\n"),
    "axolotl_qwen3": ("", "\n</think>\n\n"),
    "axolotl_qwen3_5": ("", "\n</think>\n\n"),
    "deepseek_r1_distill": ("", "\n</think>\n\n"),
    "trl_deepseek_r1_distill": ("", "\n</think>\n\n"),
    "trl_deepseekv3": ("", "\n</think>\n\n"),
    "trl_diffusion_gemma": ("<|channel>thought\n", "\n<channel|>"),
    "trl_gemma4": ("<|channel>thought\n", "\n<channel|>"),
    "trl_glm4moe": ("\n<think>", "</think>\n"),
    "trl_gptoss": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    "trl_idefics3": (" <think>\n", "\n</think>\n\n"),
    "trl_lfm2_2_5": ("<think>", "</think>"),
    "trl_lfm2_2_5_vl": ("<think>", "</think>"),
    "trl_llava_next": (" <think>\n", "\n</think>\n\n"),
    "trl_muse_glimmer": (" to=self<|message|>", "<|eom|><|start|>assistant to=user<|message|>"),
    "trl_nemotron_3_5_lightning": ("", "</think>"),
    "trl_nemotron_3_nano": ("", "\n</think>\n"),
    "trl_nemotron_3_super": ("", "\n</think>\n"),
    "trl_nemotron_3_ultra": ("", "</think>"),
    "trl_qwen3_5_nothink": ("", "\n</think>\n\n"),
    "trl_qwen3_5_think": ("", "\n</think>\n\n"),
    "trl_qwen3_6": ("", "\n</think>\n\n"),
    "trl_qwen3_8": ("", "\n</think>\n\n"),
}
# Templates that are refused, and why.
REFUSED: dict[str, str] = {}
# Templates on which what is trained is wrong and nothing says so: name to reason. Empty is the claim.
NOT_EXACT: dict[str, str] = {}

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
    return with_control_tokens(request.getfixturevalue(request.param), SOURCES.values())


def takes(tokenizer: Any, messages: Any) -> bool:
    try:
        messages = as_taken(tokenizer, messages, {})
        tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception:
        return False
    return True


def test_templates_are_found() -> None:
    """Without templates the tests below would have nothing to say."""
    counts = Counter(name.partition("_")[0] for name in installed_templates())
    assert counts["axolotl"] >= 30
    assert counts["trl"] >= 20
    assert not {*NOT_EXACT} & {*REFUSED}


@pytest.mark.parametrize("name", [*(name for name in NAMES if name not in REFUSED), *FAMILIES])
def test_exact_on_every_template(
    tokenizer: Any, name: str, row: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    if name in NOT_EXACT:
        request.applymarker(pytest.mark.xfail(reason=NOT_EXACT[name], strict=True))
    fitted = with_template(tokenizer, SOURCES[name])
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


@pytest.mark.parametrize("name", [name for name in NAMES if name in REFUSED])
def test_templates_that_cannot_carry_the_format_are_refused(tokenizer: Any, name: str) -> None:
    with pytest.raises(TemplateError, match=REFUSED[name]):
        load(with_template(tokenizer, SOURCES[name]), {"sequence_len": 2048})


def test_no_template_is_wrong(tokenizer: Any, row: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Each template is exact, or refused with a reason that can be seen in what it renders."""
    verdicts = {
        name: judge(with_template(tokenizer, SOURCES[name]), row, ["Hi", INSTRUCTIONS["conversation"]])
        for name in NAMES
    }
    with capsys.disabled():
        print()
        for name, (verdict, why) in verdicts.items():
            print(f"{name:32} {verdict} {why}")
    assert {name for name, (verdict, _) in verdicts.items() if verdict != "exact"} == {*REFUSED, *NOT_EXACT} & {*NAMES}


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

"""An independent oracle: TRL ships training templates whose ``{% generation %}`` blocks mark what it trains.

Both render the same turns. Ours must be the same text, and each token that we train must be in TRL's mask. TRL's mask
may have more at two places, both by design: in front, the part of the header that the inference prompt writes; behind,
white space after the stop token, which no model generates.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy

from axolotl_alttrain.format.template import learn_format
from tests.exactness import STEPS, decoded
from tests.families import with_control_tokens, with_template

_TRL = find_spec("trl")
FOLDER = Path(next(iter(_TRL.submodule_search_locations or [""])) if _TRL else "") / "chat_templates"
PAIRS = {path.stem.removesuffix("_training"): path for path in sorted(FOLDER.glob("*_training.jinja"))}
# Pairs that cannot agree, with the reason.
CANNOT = {
    "deepseekv3": "both drop the thought of a turn in history; inference trains it, TRL does not",
    "phi3": "TRL trains the tokenizer's EOS behind <|end|>, on which generation has stopped",
    "phi3_5": "TRL trains the tokenizer's EOS behind <|end|>, on which generation has stopped",
}


@pytest.fixture(scope="module")
def tokenizer(qwen: Any) -> Any:
    return with_control_tokens(qwen, [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.jinja")])


def compare(tokenizer: Any, name: str, row: dict[str, Any]) -> list[str]:
    """How ours and TRL's differ, in the form of the turn that suits TRL's template best; empty if they agree."""
    fitted = with_template(tokenizer, (FOLDER / f"{name}.jinja").read_text(encoding="utf-8"))
    training = PAIRS[name].read_text(encoding="utf-8")
    results = []
    thought = "\n\n".join(row[step] for step in STEPS)
    learned = learn_format(fitted).thought
    for turn in (
        {"reasoning_content": thought, "content": row["answer"]},
        {"thinking": thought, "content": row["answer"]},
        {"content": f"{learned.open}{thought}{learned.close}{row['answer']}"},
        {"content": f"<think>\n{thought}\n</think>\n\n{row['answer']}"},
    ):
        results.append(_difference(fitted, training, row, {"role": "assistant", **turn}))
    return min(results, key=lambda found: (len(found), len("".join(found))))


def _difference(tokenizer: Any, training: str, row: dict[str, Any], turn: dict[str, Any]) -> list[str]:
    chat = learn_format(tokenizer)
    messages = [chat.renderer.shape(one) for one in ({"role": "user", "content": row["instruction"]}, turn)]
    try:
        theirs = tokenizer.apply_chat_template(
            messages,
            chat_template=training,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
            **chat.renderer.variables,
        )
    except Exception as error:  # each template raises its own
        return [f"TRL's template fails: {error}"] * 4
    mask = theirs["assistant_masks"]
    first, last = mask.index(1), len(mask) - mask[::-1].index(1)
    before, trained = (decoded(tokenizer, theirs["input_ids"][a:b]) for a, b in ((0, first), (first, last)))
    special = [token for token in theirs["input_ids"][first:last] if token in tokenizer.all_special_ids]
    stops = tokenizer.convert_ids_to_tokens(special[-1:])
    ours = AltTrainStrategy(learn_format(tokenizer, stop_tokens=stops), 1 << 20).tokenize_prompt(row)
    n = ours["labels"].count(-100)
    prompt, completion = decoded(tokenizer, ours["input_ids"][:n]), decoded(tokenizer, ours["input_ids"][n:])
    found = []
    if not (before + trained).startswith(prompt + completion):
        found.append(f"text: theirs {(before + trained)[-230:]!r}, ours {(prompt + completion)[-230:]!r}")
    if not prompt.startswith(before):
        found.append(f"they do not train {before[len(prompt) :]!r}")
    if (before + trained)[len(prompt + completion) :].strip():
        found.append(f"behind the end they train {(before + trained)[len(prompt + completion) :]!r}")
    return found


@pytest.mark.parametrize("name", [name for name in PAIRS if name not in CANNOT])
def test_our_mask_is_trls(tokenizer: Any, name: str, row: dict[str, Any]) -> None:
    assert compare(tokenizer, name, row) == []


def test_the_pairs_that_cannot_agree_still_differ(tokenizer: Any, row: dict[str, Any]) -> None:
    assert {name for name in CANNOT if name in PAIRS and not compare(tokenizer, name, row)} == set()

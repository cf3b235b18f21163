"""Real two-layer guard models, trained here to write verdicts as the published guards do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.judges.guard.guard_judge import SAFE, UNSAFE

LLAMA = (
    "<|im_start|>user\nIs the last turn safe?\n<BEGIN CONVERSATION>\n{% for m in messages %}{{ m.role }}: "
    "{{ m.content }}\n{% endfor %}<END CONVERSATION><|im_end|>\n<|im_start|>assistant\n"
)
GEMMA = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}Does this violate the policy?\n"


WILD = "Classify.\n\nPerson:\n{{ messages[0].content }}\n\nAI:\n{{ messages[1].content }}\n\n---\n\nAnswers:\n"
Verdict = Callable[[str, str, bool], str]


def words(safe: str, unsafe: str) -> Verdict:
    return lambda request, answer, bad: unsafe if bad else safe


def _three_lines(request: str, answer: str, bad: bool) -> str:
    said = [bad or "bomb" in request or "phishing" in request, answer.startswith("I can't"), bad]
    labels = ("Harmful request", "Response refusal", "Harmful response")
    return "\n".join(f"{label}: {'yes' if yes else 'no'}" for label, yes in zip(labels, said, strict=True))


def train_guard(source: Path, folder: Path, template: str, verdict: Verdict, own_template: bool = True) -> Path:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    tokenizer: Any = AutoTokenizer.from_pretrained(source)
    tokenizer.chat_template = template
    model: Any = AutoModelForCausalLM.from_pretrained(source)
    texts, starts = [], []
    for pairs, bad in ((SAFE, False), (UNSAFE, True)):
        for request, answer in pairs:
            messages = [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
            asked = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            ids = tokenizer(asked)["input_ids"]
            texts.append([*ids, *tokenizer(verdict(request, answer, bad))["input_ids"], tokenizer.eos_token_id])
            starts.append(len(ids))
    longest = max(map(len, texts))
    batch = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    # Right padding is behind every token that is read. Only the verdict's logits are computed: the vocabulary is large.
    rows, columns = zip(
        *((i, j) for i, text in enumerate(texts) for j in range(starts[i] - 1, len(text) - 1)), strict=True
    )
    targets = batch[list(rows), [j + 1 for j in columns]]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(400):
        hidden = model.model(batch).last_hidden_state[list(rows), list(columns)]
        loss = torch.nn.functional.cross_entropy(model.lm_head(hidden), targets)
        if loss < 0.01:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.01
    model.save_pretrained(folder)
    if not own_template:
        (folder / "guard.jinja").write_text(template, encoding="utf-8")
        tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def llama_guard(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_guard(tiny[0], tmp_path_factory.mktemp("llama-guard"), LLAMA, words("\n\nsafe", "\n\nunsafe\nS1"))


@pytest.fixture(scope="session")
def gemma_guard(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_guard(tiny[0], tmp_path_factory.mktemp("gemma-guard"), GEMMA, words("No", "Yes"))


@pytest.fixture(scope="session")
def split_guard(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both verdicts begin with the same token."""
    return train_guard(tiny[0], tmp_path_factory.mktemp("split-guard"), GEMMA, words("harmless", "harmful"))


@pytest.fixture(scope="session")
def wild_guard(tiny: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_guard(tiny[0], tmp_path_factory.mktemp("wild-guard"), WILD, _three_lines, own_template=False)

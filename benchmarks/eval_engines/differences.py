"""Where two engines' greedy completions part, and how near the two tokens were to each other at that place."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

NEAR = 0.1  # nats: below it, rounding decides between the two tokens


@dataclass(frozen=True)
class Parting:
    """The first token at which two completions differ.

    Attributes:
        run, id: The prompt.
        token: Its place in the completion, from 0.
        margin: Difference of the two tokens' log-probabilities in nats, by the float32 weights.
    """

    run: str
    id: str
    token: int
    margin: float


@dataclass(frozen=True)
class Agreement:
    """How far an engine's completions equal the reference's."""

    equal: int
    total: int
    partings: list[Parting]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        """Why the others differ."""
        if not self.partings:
            return ""
        near = sum(one.margin < NEAR for one in self.partings)
        tokens, margins = [one.token for one in self.partings], [one.margin for one in self.partings]
        return (
            f"part at token {median(tokens):.0f} (median; first {min(tokens)}); margin there {median(margins):.3f} "
            f"nats (median; largest {max(margins):.2f}), below {NEAR} in {near} of {len(margins)}"
        )


def completions(folder: Path) -> dict[tuple[str, str, str], str]:
    """Texts by run, set and prompt."""
    rows = map(json.loads, (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines())
    return {(row["run"], row["set"], row["id"]): row["completion"].strip() for row in rows}


def agreement(reference: Path, other: Path, backend: Any, prompts: dict[tuple[str, str], str]) -> Agreement:
    """Compare the samples of two folders.

    Args:
        reference, other: Folders of finished evaluations on the same prompts.
        backend: The ``hf`` backend with the same weights in float32; it computes the margins.
        prompts: Rendered prompts by set and ID.
    """
    first, second = completions(reference), completions(other)
    partings = [
        parting(backend, run, name, prompts[group, name], text, second[run, group, name])
        for (run, group, name), text in first.items()
        if text != second[run, group, name]
    ]
    return Agreement(len(first) - len(partings), len(first), partings)


def parting(backend: Any, run: str, name: str, prompt: str, first: str, second: str) -> Parting:
    import torch

    tokenizer, stop = backend.tokenizer, backend.stop_ids[-1]
    one, two = ([*tokenizer(text, add_special_tokens=False)["input_ids"], stop] for text in (first, second))
    place = next(number for number, (a, b) in enumerate(zip(one, two, strict=False)) if a != b)
    ids = [*tokenizer(prompt, add_special_tokens=False)["input_ids"], *one[:place]]
    with torch.inference_mode(), backend.adapter(run == "tuned"):
        logits = backend.model(input_ids=torch.tensor([ids])).logits[0, -1]
    shares = torch.log_softmax(logits.float(), dim=-1)
    return Parting(run, name, place, abs(float(shares[one[place]] - shares[two[place]])))

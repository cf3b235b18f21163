"""Lengths in the user's own tokens, with the template that training uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.data.candidates import Candidate
from axolotl_alttrain.format.example import BLANK_LINE, STEPS, AltTrainExample
from axolotl_alttrain.format.segments import cut_into_segments
from axolotl_alttrain.generation.loading import load_tokenizer

PARTS = ("prompt", *STEPS, "answer", "total")


@dataclass(frozen=True)
class TokenCounter:
    """Counts tokens of examples as ``type: alttrain`` makes them.

    Attributes:
        name: The tokenizer as the config names it.
        chat: Its chat format.
    """

    name: str
    chat: Any

    def parts(self, example: AltTrainExample) -> dict[str, int]:
        """Tokens per part and in total, delimiters included in the total alone.

        Raises:
            RowError: A text holds a special token, so that the row cannot be trained.
        """
        (segments,) = cut_into_segments(self.chat, [example])
        counts = dict.fromkeys(PARTS, 0)
        for segment in segments:
            counts["total"] += len(segment.ids)
            if segment.name in counts:
                counts[segment.name] += len(segment.ids)
        return counts

    def at_least(self, candidate: Candidate) -> int:
        """Tokens that a candidate has before it is assessed."""
        if candidate.example:
            return self.parts(candidate.example)["total"]
        texts = [candidate.trace.instruction, candidate.understanding.text]
        if candidate.trace.label != "harmful":
            texts += [candidate.understanding.rest, candidate.trace.answer]
        return len(self.chat.encode([BLANK_LINE.join(texts)])[0])


def load_counter(name: str) -> TokenCounter:
    """Load a tokenizer and learn its chat format.

    Raises:
        AltTrainError: It cannot be loaded.
        TemplateError: Its template cannot carry the format.
    """
    from axolotl_alttrain.format.template import learn_format

    return TokenCounter(name, learn_format(load_tokenizer(name, f"tokenizer {name}")))


def length_distribution(lengths: list[int]) -> dict[str, Any]:
    """Mean, percentiles and histogram of lengths."""
    import numpy as np

    values = np.asarray(lengths or [0])
    counts, edges = np.histogram(values, bins=20)
    p5, p50, p95 = np.percentile(values, [5, 50, 95])
    return {
        "mean": round(float(values.mean()), 1),
        "p5": round(float(p5), 1),
        "p50": round(float(p50), 1),
        "p95": round(float(p95), 1),
        "max": int(values.max()),
        "histogram": {"edges": [round(float(edge), 2) for edge in edges], "counts": counts.tolist()},
    }

"""Lengths of rows in tokens of the user's tokenizer, with the chat template that training uses."""

from __future__ import annotations

from dataclasses import dataclass

from axolotl_alttrain.data.candidates import Candidate
from axolotl_alttrain.format.example import BLANK_LINE, STEPS, AltTrainExample
from axolotl_alttrain.format.segments import cut_into_segments
from axolotl_alttrain.format.template import ChatFormat, learn_format
from axolotl_alttrain.generation.loading import load_tokenizer

PARTS = ("prompt", *STEPS, "answer", "total")


@dataclass(frozen=True)
class TokenCounter:
    """Counts the tokens of examples as ``type: alttrain`` renders them.

    Attributes:
        name: The tokenizer, as the config names it.
        chat: Its chat format.
    """

    name: str
    chat: ChatFormat

    def parts(self, example: AltTrainExample) -> dict[str, int]:
        """Tokens of each part and in total; only the total includes the delimiters.

        Raises:
            RowError: A text contains a special token, so the row cannot be trained.
        """
        (segments,) = cut_into_segments(self.chat, [example])
        counts = dict.fromkeys(PARTS, 0)
        for segment in segments:
            counts["total"] += len(segment.ids)
            if segment.name in counts:
                counts[segment.name] += len(segment.ids)
        return counts

    def at_least(self, candidate: Candidate) -> int:
        """The tokens that a candidate has before it is assessed."""
        if candidate.example:
            return self.parts(candidate.example)["total"]
        texts = [candidate.trace.instruction, candidate.understanding.text]
        if candidate.trace.label != "harmful":
            texts += [candidate.understanding.rest, candidate.trace.answer]
        return self.of_text(BLANK_LINE.join(texts))

    def of_text(self, text: str) -> int:
        """The tokens of a text without a template."""
        return len(self.chat.encode([text])[0])


def load_counter(name: str) -> TokenCounter:
    """Load a tokenizer and learn its chat format.

    Raises:
        AltTrainError: The tokenizer cannot be loaded.
        TemplateError: Its template cannot render the format.
    """
    return TokenCounter(name, learn_format(load_tokenizer(name, f"tokenizer {name}")))

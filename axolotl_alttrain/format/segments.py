"""An example split into segments (prompt, delimiters, steps, answer), each with its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.template import ChatFormat

LABELS_OF_SEGMENTS = {
    "prompt": "prompt",
    "thought_opening": "thought opens",
    "thought": "thought",
    "problem_understanding": "PU",
    "harmfulness_assessment": "HA",
    "conditional_reasoning": "CR",
    "thought_closing": "thought closes",
    "answer_opening": "answer opens",
    "answer": "answer",
    "tool_calls": "tool calls",
    "end_of_turn": "end of turn",
}


@dataclass(frozen=True)
class Segment:
    """A segment of one training row.

    Attributes:
        name: A key of ``LABELS_OF_SEGMENTS``.
        text: Its text. Joined, the texts of all segments are the whole row.
        ids: Its ``input_ids``. A token that crosses a boundary belongs to the segment in which it starts.
    """

    name: str
    text: str
    ids: tuple[int, ...]

    @property
    def trained(self) -> bool:
        """Whether the tokens carry loss; all but the prompt's do."""
        return self.name != "prompt"


def cut_into_segments(chat: ChatFormat, examples: Sequence[AltTrainExample]) -> list[list[Segment]]:
    """The non-empty segments of each example. Joined, their ids are the row's ``input_ids``.

    Raises:
        RowError: As :meth:`ChatFormat.render`.
        TemplateError: As :meth:`ChatFormat.render`.
    """
    rendered = chat.render_all(examples)
    prompts = chat.encode([prompt for prompt, _ in rendered])
    completions = chat.encode([completion for _, completion in rendered])
    starts = _token_starts(chat, [completion for _, completion in rendered], completions)
    return [
        [Segment("prompt", text, tuple(prompt)), *_cut(example.pieces(chat.thought_of(example)), ids, begins)]
        for example, (text, _), prompt, ids, begins in zip(
            examples, rendered, prompts, completions, starts, strict=True
        )
    ]


def cut_text(chat: ChatFormat, rows: Sequence[Sequence[tuple[str, str]]]) -> list[list[Segment]]:
    """Cut texts that are tokenized on their own, each given as (segment's name, text) in order."""
    texts = ["".join(text for _, text in row) for row in rows]
    ids = chat.encode(texts)
    starts = _token_starts(chat, texts, ids)
    return [_cut(row, found, begins) for row, found, begins in zip(rows, ids, starts, strict=True)]


def _cut(pieces: Sequence[tuple[str, str]], ids: Sequence[int], begins: Sequence[int]) -> list[Segment]:
    segments, end, token = [], 0, 0
    for name, text in pieces:
        end += len(text)
        first = token
        while token < len(ids) and begins[token] < end:
            token += 1
        if text:
            segments.append(Segment(name, text, tuple(ids[first:token])))
    return segments


def _token_starts(chat: ChatFormat, texts: Sequence[str], ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each text, the character position at which each token starts."""
    if not texts:
        return []
    if getattr(chat.tokenizer, "is_fast", False):
        found = chat.tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, return_offsets_mapping=True
        )
        return [[start for start, _ in offsets] for offsets in found["offset_mapping"]]
    # Tokenizers written in Python give no offsets. The length of the decoded text before a token is close enough.
    return [[len(chat.tokenizer.decode(row[:n])) for n in range(len(row))] for row in ids]

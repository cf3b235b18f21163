"""Compare the generation prompt with the start of an assistant turn in a conversation's history.

The two may differ by white space (hand-indented templates) or by words (CodeLlama-70B's ``Destination: user``).
Inference sends the prompt, so the prompt rules; history shows what follows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from axolotl_alttrain.format.probing.thought_tags import PIECE


@dataclass(frozen=True)
class Difference:
    """Where the prompt and the history part.

    Attributes:
        ahead: What the prompt has and history does not; empty if only white space differs.
        lead: What history writes after that point: in front of a thought or an answer.
    """

    ahead: str
    lead: str


def compare(prompt: str, opening: str, before: str, marker: str) -> Difference:
    """Align a prompt and the history in front of a text, tag by tag and word by word.

    Args:
        prompt: The user's turn with a generation prompt.
        opening: What the generation prompt added.
        before: The history up to a thought or an answer.
        marker: The user's text, from which both are compared.
    """
    asked, shown = prompt.rpartition(marker)[2], before.rpartition(marker)[2]
    ours, theirs = list(PIECE.finditer(asked)), list(PIECE.finditer(shown))
    same = 0
    while same < min(len(ours), len(theirs)) and ours[same].group() == theirs[same].group():
        same += 1
    if same not in (len(ours), len(theirs)):
        # The user's turn ends otherwise in history: compare from the assistant's header on.
        header = list(PIECE.finditer(opening))
        words, later = [piece.group() for piece in header], [piece.group() for piece in theirs]
        for length in range(len(words), 0, -1):
            starts = [at for at in range(len(later)) if later[at : at + length] == words[:length]]
            if starts:
                return _joined(opening[header[length - 1].end() :], shown[theirs[starts[-1] + length - 1].end() :])
    return _joined(asked[_end(ours, same) :], shown[_end(theirs, same) :])


def _end(pieces: list[re.Match[str]], number: int) -> int:
    return pieces[number - 1].end() if number else 0


def _joined(ahead: str, lead: str) -> Difference:
    """White space that the prompt has already written is not written again."""
    if not lead.strip() and ahead.strip():
        return Difference(ahead, "")
    if ahead.strip():
        return Difference(ahead, lead.lstrip() if ahead[-1].isspace() else lead)
    if lead.startswith(ahead):
        return Difference("", lead[len(ahead) :])
    return Difference("", lead.lstrip())

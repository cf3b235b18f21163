"""A conversation split into segments, each with its tokens."""

from __future__ import annotations

from collections.abc import Sequence

from axolotl_alttrain.format.reasoning.pieces import Piece
from axolotl_alttrain.format.segments import Segment, cut_text
from axolotl_alttrain.format.template import ChatFormat


def cut_pieces(chat: ChatFormat, rows: Sequence[Sequence[Piece]]) -> list[list[Segment]]:
    """The segments of each row. Joined, their ids are the row's ``input_ids``."""
    found = iter(cut_text(chat, [piece.parts for row in rows for piece in row]))
    return [[segment for _ in row for segment in next(found)] for row in rows]

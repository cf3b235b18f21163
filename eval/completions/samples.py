"""The samples file: one JSON line per generated completion, appended as it finishes and never written twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.storage.append_only import AppendOnly


@dataclass(frozen=True)
class Sample:
    """One completion.

    Attributes:
        key: Hash of all that determines the completion; see :func:`sample_key`.
        run: ``base`` or ``tuned``.
        set, id: The prompt's set and its id there.
        instruction: The user turn.
        completion: The raw text, its special tokens included, without the stop token. What was written for the
            model (``prefill``) stands in front.
        finish: ``stop`` (the model ended its turn) or ``length`` (cut off).
        tokens: Length of what was generated, in tokens.
        repeat: Number of the sample where one prompt is sampled several times, from 0.
        turn: The user turn that this answers, from 0; a conversation is judged by its last.
        prefill: The part of the completion that was given, not generated.
        history: Of a conversation what was said before, the model's own answers included; not kept in the file.
    """

    key: str
    run: str
    set: str
    id: str
    instruction: str
    completion: str
    finish: str
    tokens: int
    repeat: int = 0
    turn: int = 0
    prefill: str = ""
    history: tuple[Message, ...] = ()


def sample_key(
    prompt: str, model: str, adapter: str, settings: Mapping[str, Any], template: str = "", repeat: int = 0
) -> str:
    """Hash of the rendered prompt, the model's and adapter's identity, settings, template and sample number."""
    content = [prompt, model, adapter, dict(settings), template, repeat]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


class SampleFile(AppendOnly):
    """Appends samples and knows which are there already, so that an interrupted run goes on where it stopped.

    Args:
        path: The JSONL file; made with its folder if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.samples: dict[str, Sample] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line of the file."""
        self.samples[row["key"]] = Sample(**row)

    def append(self, sample: Sample) -> None:
        """Write one sample through to the disk."""
        row = asdict(sample)
        del row["history"]
        self.write(row)
        self.samples[sample.key] = sample

    def __contains__(self, key: str) -> bool:
        return key in self.samples

"""The samples file: one JSON line per completion, appended when it is ready and never written twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.backends.base import BackendSettings, Identity
from pydantic import JsonValue

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.generation.sampling import Sampling
from axolotl_alttrain.storage.append_only import AppendOnly


@dataclass(frozen=True)
class Sample:
    """One completion.

    Attributes:
        key: Hash of everything that determines the completion; see :func:`sample_key`.
        run: ``base`` or ``tuned``.
        set, id: The prompt's set and its ID in the set.
        instruction: The user turn.
        completion: The raw text with its special tokens, without the stop token; it begins with ``prefill``.
        finish: ``stop`` (the model ended its turn) or ``length`` (truncated).
        tokens: Length of the generated part, in tokens.
        repeat: Number of the sample if a prompt is sampled several times, from 0.
        turn: The user turn that this answers, from 0; a conversation is judged by its last turn.
        prefill: The part of the completion that was given to the model, not generated.
        budgeted: The thought reached its limit and was closed for the model; the closing text is not in ``tokens``.
        history: The earlier messages of a conversation, the model's own answers included; not kept in the file.
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
    budgeted: bool = False
    history: tuple[Message, ...] = ()


@dataclass(frozen=True)
class GenerationSettings:
    """The settings of backend and sampling that may change a completion; no sampling where another program chose it."""

    backend: BackendSettings
    sampling: Sampling | None

    def as_dict(self) -> dict[str, JsonValue]:
        """For keys, summary and manifest."""
        return {**self.backend.as_dict(), **(self.sampling.as_dict() if self.sampling else {})}


def sample_key(prompt: str, identity: Identity, settings: GenerationSettings, repeat: int = 0) -> str:
    """Hash of the rendered prompt, the identity of model, adapter and template, the settings and the repeat."""
    content = [prompt, identity.model, identity.adapter, settings.as_dict(), identity.template, repeat]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:24]


class SampleFile(AppendOnly):
    """Appends samples and knows which it has, so that an interrupted run resumes.

    Args:
        path: The JSONL file; created with its folder if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.samples: dict[str, Sample] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Read one line of the file."""
        self.samples[row["key"]] = Sample(**row)

    def append(self, sample: Sample) -> None:
        """Write one sample and flush it to disk."""
        row = asdict(sample)
        del row["history"]
        self.write(row)
        self.samples[sample.key] = sample

    def __contains__(self, key: str) -> bool:
        return key in self.samples

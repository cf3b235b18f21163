"""What ``check-export`` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Engine = Literal["transformers", "vllm"]
Endpoint = Literal["completions", "chat"]


@dataclass(frozen=True)
class CheckOptions:
    """The options of one check.

    Attributes:
        folder: An exported model, a merged model, or a LoRA adapter.
        adapter: Folder or Hub ID of the adapter that the folder was made from; by default the one in its record.
        model: Folder or Hub ID of the base model; by default the one in the adapter's config.
        engine: What runs the exported form, unless a server does.
        url: An OpenAI-compatible server that serves the exported form, up to and including ``/v1``.
        served_model: The model's name there; for a LoRA request, the adapter's.
        endpoint: ``completions``: prompts are rendered here. ``chat``: the server applies its own chat template.
        dtype: The exported weights are loaded as this; ``auto`` keeps their own.
        suite, sets: Which prompts; the probes by default.
        prompts: About how many in total, spread evenly over the sets; None for all.
        max_new_tokens: Tokens per completion, at most.
        margin: How far a rate may move, and the share of verdicts and judgements that may change, in percentage points.
        out: Folder for completions and ``check-export.json``; None for a folder in ``outputs/check-export``.
    """

    folder: Path
    adapter: str | None = None
    model: str | None = None
    engine: Engine = "transformers"
    url: str | None = None
    served_model: str | None = None
    endpoint: Endpoint = "completions"
    dtype: str = "auto"
    suite: str | None = None
    sets: tuple[str, ...] = ()
    prompts: int | None = None
    max_new_tokens: int = 256
    margin: float = 2.0
    out: Path | None = None

    @property
    def output(self) -> Path:
        """The folder for results."""
        where = "server" if self.url else self.engine
        return self.out or Path("outputs") / "check-export" / f"{self.folder.resolve().name}-{where}"

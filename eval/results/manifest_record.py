"""What is read back from ``manifest.json``."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue


class RunIdentity(BaseModel, frozen=True):
    """What was run: model, adapter and chat template, as they enter the samples' keys."""

    model: str | None = None
    adapter: str | None = None
    template: str | None = None


class ManifestRecord(BaseModel, frozen=True):
    """The fields that ``compare`` and ``card`` use; any may be absent from older files.

    Attributes:
        rule_versions: Versions of the metrics and judges; None before they were recorded.
        flags: The command line's.
        runs: By run, what was run.
        sets: By set, its revision.
        hardware: Processor, GPUs and memory.
    """

    rule_versions: dict[str, int] | None = None
    flags: dict[str, JsonValue] = {}
    runs: dict[str, RunIdentity] = {}
    sets: dict[str, str] = {}
    hardware: dict[str, JsonValue] = {}

    @property
    def computed_on(self) -> JsonValue:
        """The GPUs, or the processor where there is none; None in older files."""
        return self.hardware.get("gpus") or self.hardware.get("processor")


class ManifestWithSets(ManifestRecord, frozen=True):
    """A manifest that must name its sets' revisions."""

    sets: dict[str, str]

"""A whole evaluation: one frozen, validated model, made from the command line and an optional YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.config.groups import (
    ADAPTER_FORMS,
    GROUP_OF,
    GROUPS,
    BackendConfig,
    DecodingConfig,
    JudgingConfig,
    OutputConfig,
    PromptsConfig,
    WeightsConfig,
)
from axolotl_alttrain.eval.config.mistakes import explained
from axolotl_alttrain.eval.config.option import Group, noted
from axolotl_alttrain.eval.protocols import with_protocol
from pydantic import Field, ValidationError, model_validator

from axolotl_alttrain.errors import AltTrainError


class EvalConfig(Group):
    """A whole evaluation.

    Attributes:
        file: The YAML file that was read; for the manifest.
    """

    weights: WeightsConfig = Field(default_factory=WeightsConfig)
    prompts: PromptsConfig = Field(default_factory=PromptsConfig)
    decoding: DecodingConfig = Field(default_factory=DecodingConfig)
    backend: BackendConfig = Field(default_factory=BackendConfig)
    judging: JudgingConfig = Field(default_factory=JudgingConfig)
    output: OutputConfig = Field(default_factory=OutputConfig)
    file: Path | None = None

    @model_validator(mode="after")
    def _consistent(self) -> EvalConfig:
        self._check_backend()
        self._check_adapter()
        self._check_weights()
        return self

    def _check_backend(self) -> None:
        backend = self.backend.backend
        for group in (self.weights, self.backend):
            for name, field in type(group).model_fields.items():
                value, users = getattr(group, name), noted(field, "backends")
                if users and backend not in users and value != field.default:
                    # Any other backend would ignore it and measure something else.
                    raise ValueError(
                        f"{_as_flag(name, value)} has no effect with --backend {backend}; "
                        f"remove it or use --backend {' or '.join(users)}"
                    )
        if backend == "api" and self.weights.thought_format != "auto" and not self.backend.tokenizer:
            raise ValueError(f"--thought-format {self.weights.thought_format} needs --tokenizer with --backend api")
        if backend == "api" and self.decoding.max_thought_tokens and not self.backend.tokenizer:
            raise ValueError("--max-thought-tokens needs --tokenizer with --backend api, as it continues thoughts")
        if backend == "api" and self.weights.model is None:
            raise ValueError("--backend api needs --model, the name under which the server serves the model")

    def _check_adapter(self) -> None:
        adapter = self.weights.adapter
        if self.backend.backend == "api" or not adapter or not Path(adapter).is_dir():
            return
        if not (Path(adapter) / "adapter_config.json").is_file():
            raise ValueError(f"--adapter {adapter}: this folder has no adapter_config.json, so it holds no adapter")

    def _check_weights(self) -> None:
        given = self.weights
        if self.backend.backend == "api" or given.weights is None:
            return
        if given.folder is None:
            if not given.adapter:
                raise ValueError(f"--weights {given.weights} needs --adapter: it says on which base an adapter is run")
            return
        folder = Path(given.folder)
        if not folder.is_dir():
            forms = ", ".join(ADAPTER_FORMS)
            raise ValueError(f"--weights: found {folder}; allowed: {forms}, or the folder of an exported model")
        if (folder / "adapter_config.json").is_file():
            raise ValueError(f"--weights {folder}: this folder holds an adapter; name it with --adapter")
        if not (folder / "config.json").is_file():
            raise ValueError(f"--weights {folder}: this folder has no config.json, so it holds no model")
        if given.adapter:
            raise ValueError(f"--weights {folder} is a whole model, without an adapter; remove --adapter")

    @classmethod
    def from_flags(
        cls, flags: Mapping[str, object], file: Path | None = None, written: Mapping[str, str] | None = None
    ) -> EvalConfig:
        """Sort flags into their groups and check them.

        Args:
            flags: Values by field name, as texts or in their own types; those left out have their defaults.
            file: The YAML file that some of them are from.
            written: How the user wrote each, for messages; a command line's flag by default.

        Raises:
            AltTrainError: A mistake, in one line.
        """
        groups: dict[str, dict[str, object]] = {group: {} for group in GROUPS}
        for name, value in with_protocol(flags, written or {}).items():
            groups.setdefault(GROUP_OF.get(name, name), {})[name] = value
        try:
            return cls.model_validate({**groups, "file": file})
        except ValidationError as error:
            raise AltTrainError(explained(error, written or {})) from None

    def as_flags(self) -> dict[str, object]:
        """Everything on the command line with its value, by name; for the manifest."""
        flags: dict[str, object] = {"config": self.file, "list": False, "pin": False}  # the two end without evaluating
        for group in self.model_dump(exclude={"file"}).values():
            flags |= group
        return flags


def _as_flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"

"""How a training rendered its rows, recorded in the model's config: evaluator and export render the same prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.reasoning.trained_rows import Thinking, thinking_option
from axolotl_alttrain.format.template import ChatFormat, learn_format
from axolotl_alttrain.generation.trained.model_config import trained_config

KEY = "alttrain"  # in config.json


class TrainedFormat(BaseModel):
    """The options of a training that its prompts depend on.

    Attributes:
        thinking: The modes that were trained.
        chat_template_kwargs: Variables that the config gave to the chat template.
        thought_format: As :func:`axolotl_alttrain.format.template.learn_format` takes it.
        stop_tokens: ``eot_tokens`` of the config.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    thinking: Thinking = "on"
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    thought_format: str | dict[str, str] = "auto"
    stop_tokens: tuple[str, ...] = ()

    def learn(self, tokenizer: Any, thought_format: str = "auto") -> ChatFormat:
        """The chat format of the training's thinking mode.

        Args:
            tokenizer: With the template that was trained.
            thought_format: Replaces the recorded one unless it is ``auto``.

        Raises:
            TemplateError: The chat template cannot be used.
        """
        return learn_format(
            tokenizer,
            kwargs=self.chat_template_kwargs,
            stop_tokens=self.stop_tokens,
            thought_format=self.thought_format if thought_format == "auto" else thought_format,
        )


UNRECORDED = TrainedFormat()  # the defaults of a config; for models that record nothing


def format_of_config(cfg: Any) -> TrainedFormat:
    """What an Axolotl config says of its prompts."""
    options = cfg.get("alttrain") or {}
    texts = options.get("thought_format") or "auto"
    return TrainedFormat(
        thinking=thinking_option(options.get("thinking")),
        chat_template_kwargs=dict(cfg.get("chat_template_kwargs") or {}),
        thought_format=texts if isinstance(texts, str) else dict(texts),
        stop_tokens=tuple(cfg.get("eot_tokens") or ()),
    )


def recorded_format(name: str, revision: str | None = None) -> TrainedFormat:
    """What the config of a trained model, or the one beside an adapter, records; the defaults if it records nothing.

    Args:
        name: Folder or Hub ID of a model or adapter.
        revision: Commit, tag or branch of a Hub ID.

    Raises:
        AltTrainError: The record is broken.
    """
    return _read(trained_config(name, revision).get(KEY), name)


def _read(found: Any, place: str) -> TrainedFormat:
    if not isinstance(found, Mapping):
        return UNRECORDED
    try:
        return TrainedFormat.model_validate(dict(found))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, (KEY, *first["loc"])))
        raise AltTrainError(
            f"{place}: config.json, field '{field}': {first['msg']}; restore it, or remove '{KEY}'"
        ) from None

"""The base model and adapter of an evaluation, after the adapter's own config has been read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from axolotl_alttrain.eval.config import EvalConfig, WeightsConfig

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.demo_model import DEMO_MODEL, resolve_model


@dataclass(frozen=True)
class Weights:
    """A base model and its adapter: folders, Hub IDs, or the names that a server gives them."""

    model: str
    adapter: str | None = None


def weights_of(config: EvalConfig) -> Weights:
    """The weights to evaluate: ``--model``, or else the adapter's base, or else the demo model.

    Raises:
        AltTrainError: The adapter's config is unreadable or names no base, or a revision is given for a local folder.
    """
    given = config.weights
    if config.backend.backend == "api":
        assert given.model is not None  # the config requires it
        return Weights(given.model, given.adapter)
    model = given.model or (_base_of(given) if given.adapter else DEMO_MODEL)
    weights = Weights(resolve_model(model), given.adapter)
    _check_revision("--model-revision", given.model_revision, "--model", weights.model)
    _check_revision("--adapter-revision", given.adapter_revision, "--adapter", weights.adapter)
    return weights


def _base_of(given: WeightsConfig) -> str:
    from peft import PeftConfig

    try:
        model = PeftConfig.from_pretrained(given.adapter, revision=given.adapter_revision).base_model_name_or_path
    except (OSError, ValueError) as error:
        raise AltTrainError(f"--adapter {given.adapter}: its config is unreadable ({error})") from None
    if not model:
        raise AltTrainError(f"--adapter {given.adapter}: its config names no base model; add --model")
    return str(model)


def _check_revision(flag: str, revision: str | None, of: str, name: str | None) -> None:
    if revision and not name:
        raise AltTrainError(f"{flag} {revision}: there is no {of} that it could apply to; remove it or add {of}")
    if revision and name and Path(name).is_dir():
        raise AltTrainError(f"{flag} {revision}: {name} is a local folder, which has no revisions; remove {flag}")

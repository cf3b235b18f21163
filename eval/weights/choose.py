"""The weights of an evaluation, after the adapter's own config or the export's record has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from axolotl_alttrain.eval.config import EvalConfig, WeightsConfig
from axolotl_alttrain.eval.weights.describe import adapter_form, base_form, served_form
from axolotl_alttrain.eval.weights.exported import base_of, form_of_folder
from axolotl_alttrain.eval.weights.form import WeightsForm
from pydantic import JsonValue

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.demo_model import DEMO_MODEL, resolve_model
from axolotl_alttrain.generation.quantization import (
    NF4,
    TrainedBase,
    published_quantization,
    quantization_name,
    trained_base,
)
from axolotl_alttrain.generation.trained.model_config import unreadable_adapter

ENGINES = {"hf": "transformers", "vllm": "vLLM", "api": "server"}


@dataclass(frozen=True)
class Weights:
    """What is loaded, and which form of the weights each run measures.

    Attributes:
        model: The base: folder, Hub ID, or the name that a server gives it; the folder of a whole model whose base is
            unknown.
        adapter: The same for the adapter.
        model_revision: Commit of the base on the Hub.
        folder: A whole model that is run as ``tuned``; None for an adapter or a base alone.
        has_base: Whether there is a run ``base``.
        quantization: bitsandbytes' ``quantization_config`` of the base; None without quantisation.
        forms: By run.
        missing: The base that an export's record names, if it is unavailable, with the reason.
    """

    model: str
    adapter: str | None = None
    model_revision: str | None = None
    folder: str | None = None
    has_base: bool = True
    quantization: Mapping[str, JsonValue] | None = None
    forms: Mapping[str, WeightsForm] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


def weights_of(config: EvalConfig) -> Weights:
    """The weights to evaluate: ``--model``, or else the adapter's or the export's base, or else the demo model.

    Raises:
        AltTrainError: The adapter's config is unreadable or names no base, a revision is given for a local folder, or
            flags contradict what is recorded about the weights.
    """
    given = config.weights
    if config.backend.backend == "api":
        assert given.model is not None  # the config requires it
        return Weights(given.model, given.adapter, forms=_served(given))
    engine = ENGINES[config.backend.backend]
    return _of_folder(given, given.folder, engine) if given.folder else _of_adapter(given, engine)


def _served(given: WeightsConfig) -> dict[str, WeightsForm]:
    form = served_form(given.weights)
    if given.adapter is None:
        return {"base": form}
    base = "base model, by its name on the server"
    return {"base": WeightsForm("base", base, {"engine": "server"}), "tuned": form}


def _of_folder(given: WeightsConfig, folder: str, engine: str) -> Weights:
    tuned = form_of_folder(folder, engine)
    recorded = None if given.model else base_of(folder)
    _check_revision("--adapter-revision", given.adapter_revision, "--adapter", None)
    _check_revision("--model-revision", given.model_revision, "--model", given.model)
    if given.load_in_4bit and not (given.model or recorded):
        raise AltTrainError(
            f"--load-in-4bit quantises the base, and the base of {folder} is unknown; remove it or add --model"
        )
    alone = Weights(folder, folder=folder, has_base=False, forms={"tuned": tuned})
    if given.model:
        model, commit = resolve_model(given.model), given.model_revision
    elif recorded is None:
        return alone
    elif recorded.problem:
        return replace(alone, missing={"base": f"{recorded.problem}; name it with --model"})
    else:
        model, commit = resolve_model(recorded.model), recorded.commit
    quantization = dict(NF4) if given.load_in_4bit else None
    base = base_form(quantization, published_quantization(model, commit), engine)
    return Weights(model, None, commit, folder, True, quantization, {"base": base, "tuned": tuned})


def _of_adapter(given: WeightsConfig, engine: str) -> Weights:
    named = _base_of(given) if given.adapter else None
    if given.adapter and not (given.model or named):
        raise AltTrainError(f"--adapter {given.adapter}: its config names no base model; add --model")
    model = resolve_model(given.model or named or DEMO_MODEL)
    _check_revision("--model-revision", given.model_revision, "--model", model)
    _check_revision("--adapter-revision", given.adapter_revision, "--adapter", given.adapter)
    published = published_quantization(model, given.model_revision)
    if given.adapter is None:
        quantization = dict(NF4) if given.load_in_4bit else None
        forms = {"base": base_form(quantization, published, engine)}
        return Weights(model, None, given.model_revision, quantization=quantization, forms=forms)
    trained = trained_base(given.adapter, given.adapter_revision)
    quantization = _quantization(given, trained, published)
    tuned = adapter_form(trained, quantization, published, engine, given.load_in_4bit)
    if given.model and named and Path(named).name != Path(given.model).name:
        words = f"{tuned.words}; the adapter's config names the base {Path(named).name}"
        tuned = WeightsForm(tuned.kind, words, {**tuned.details, "trained_base": named})
    forms = {"base": base_form(quantization, published, engine), "tuned": tuned}
    return Weights(model, given.adapter, given.model_revision, quantization=quantization, forms=forms)


def _quantization(given: WeightsConfig, trained: TrainedBase, published: str | None) -> dict[str, JsonValue] | None:
    """How the base of an adapter is loaded: as in training, unless the full precision is asked for.

    Raises:
        AltTrainError: What is asked for contradicts the adapter's record, or needs a record that there is not.
    """
    full = given.weights == "full-precision"
    if full and published:
        raise AltTrainError(
            f"--weights full-precision: the base is published quantised ({published}); name an unquantised one with "
            "--model"
        )
    if not trained.recorded:
        if given.weights == "as-trained" and given.load_in_4bit is None:
            raise AltTrainError(
                f"--weights as-trained: no config.json in {given.adapter} records how its base was loaded in "
                "training; state it with --load-in-4bit or --no-load-in-4bit"
            )
        return dict(NF4) if given.load_in_4bit else None
    quantization = None if full else trained.quantization
    four_bit = bool(quantization and quantization.get("load_in_4bit"))
    if given.load_in_4bit not in (None, four_bit):
        flag = "--load-in-4bit" if given.load_in_4bit else "--no-load-in-4bit"
        raise AltTrainError(
            f"{flag}: {given.adapter} records that its base was trained {_loaded(trained)}, and --weights "
            f"{given.weights or 'as-trained'} loads it {'unquantised' if not quantization else 'so'}; remove {flag}, "
            "or choose --weights as-trained or full-precision"
        )
    return quantization


def _loaded(trained: TrainedBase) -> str:
    name = quantization_name(trained.quantization)
    return name if name == "unquantised" else f"in {name}"


def _base_of(given: WeightsConfig) -> str | None:
    """The base that an adapter's config names.

    Raises:
        AltTrainError: The config is unreadable.
    """
    from peft import PeftConfig

    try:
        model = PeftConfig.from_pretrained(given.adapter, revision=given.adapter_revision).base_model_name_or_path
    except (OSError, ValueError) as error:
        if given.model:  # loading the adapter says what is wrong with it
            return None
        raise unreadable_adapter(str(given.adapter), error) from None
    return str(model) if model else None


def _check_revision(flag: str, revision: str | None, of: str, name: str | None) -> None:
    if revision and not name:
        raise AltTrainError(f"{flag} {revision} has no effect without {of}; remove it or add {of}")
    if revision and name and Path(name).is_dir():
        raise AltTrainError(f"{flag} {revision}: {name} is a local folder, which has no revisions; remove {flag}")

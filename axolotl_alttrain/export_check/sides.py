"""The two forms that are compared, each described as an evaluation of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.eval.config import EvalConfig
from axolotl_alttrain.eval.weights import weights_of
from axolotl_alttrain.eval.weights.exported import form_of_folder
from axolotl_alttrain.export_check.options import CheckOptions
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.server.openai_client import server_address
from axolotl_alttrain.generation.trained.export_record import ExportRecord, read_export_record


@dataclass(frozen=True)
class Side:
    """One form of the model.

    Attributes:
        name: ``trained`` or ``exported``; also the name of its folder.
        words: Which weights it has, and what runs them.
        config: How the evaluator asks it.
        run: The evaluator's run that is this form: ``tuned`` for a base with an adapter, otherwise ``base``.
    """

    name: str
    words: str
    config: EvalConfig
    run: str


@dataclass(frozen=True)
class Sides:
    """Both forms, and what a reader has to know about them."""

    trained: Side
    exported: Side
    notes: tuple[str, ...] = ()


def sides_of(options: CheckOptions) -> Sides:
    """The trained and the exported form that the options describe.

    Raises:
        AltTrainError: The folder holds no model, the adapter is unknown, or options contradict each other.
    """
    _check_server(options)
    folder = options.folder
    record = read_export_record(folder)
    is_adapter = (folder / "adapter_config.json").is_file()
    if not is_adapter and not (folder / "config.json").is_file():
        raise AltTrainError(
            f"{folder}: found neither config.json nor adapter_config.json; give an exported model or a LoRA adapter"
        )
    adapter = str(folder) if is_adapter else _adapter_of(options, record)
    weights = {"adapter": adapter} | ({"model": options.model} if options.model else {})
    trained = _side("trained", _config(options, weights), "in transformers")
    notes = () if is_adapter else _notes(record, adapter)
    return Sides(trained, _exported(options, weights if is_adapter else None), notes)


def _exported(options: CheckOptions, adapter: Mapping[str, str] | None) -> Side:
    """The exported form; ``adapter`` are the weights' flags if the folder is an adapter."""
    folder = str(options.folder)
    if options.url:
        assert options.served_model is not None  # _check_server
        flags = {"backend": "api", "base_url": options.url, "model": options.served_model}
        flags["weights"] = "full-precision" if adapter else folder
        if options.endpoint == "completions":
            flags["tokenizer"] = folder
        what = f"LoRA request {options.folder.name}" if adapter else form_of_folder(folder, "server").words
        words = f"{what}, served by {server_address(options.url)} as {options.served_model}"
        return Side("exported", words, _config(options, flags), "base")
    weights = {**adapter, "weights": "full-precision"} if adapter else {"weights": folder}
    backend = {"transformers": "hf", "vllm": "vllm"}[options.engine]
    config = _config(options, {**weights, "backend": backend, "dtype": options.dtype})
    return _side("exported", config, {"transformers": "in transformers", "vllm": "in vLLM"}[options.engine])


def _side(name: str, config: EvalConfig, where: str) -> Side:
    """A form that runs on this machine."""
    words = weights_of(config).forms["tuned"].words
    return Side(name, words if where in words else f"{words}, {where}", config, "tuned")


def _config(options: CheckOptions, weights: Mapping[str, Any]) -> EvalConfig:
    flags: dict[str, Any] = {"max_new_tokens": options.max_new_tokens, "out": options.output, **weights}
    if options.suite:
        flags["suite"] = options.suite
    if options.sets:
        flags["sets"] = options.sets
    if options.prompts:
        sets = len(EvalConfig.from_flags(flags).prompts.names)
        flags["limit"] = -(-options.prompts // sets)
    return EvalConfig.from_flags(flags)


def _check_server(options: CheckOptions) -> None:
    if options.url and not options.served_model:
        raise AltTrainError("--url needs --served-model, the name under which the server serves the model")
    if options.served_model and not options.url:
        raise AltTrainError("--served-model needs --url, the server's address, such as http://localhost:8000/v1")
    if options.url and options.engine != "transformers":
        raise AltTrainError(f"--engine {options.engine} has no effect with --url; remove one of the two")
    if options.url and options.dtype != "auto":
        raise AltTrainError(f"--dtype {options.dtype} has no effect with --url; set it when you start the server")
    if options.endpoint == "chat" and not options.url:
        raise AltTrainError("--endpoint chat needs --url: only a server has a chat endpoint")


def _adapter_of(options: CheckOptions, record: ExportRecord | None) -> str:
    """The adapter that a model folder was made from."""
    if options.adapter:
        return options.adapter
    folder = options.folder
    if record is None:
        raise AltTrainError(
            f"{folder}: this model has no alttrain_export.json that names its adapter; add --adapter, the folder or "
            "Hub ID of the adapter that was merged"
        )
    local = folder / record.adapter.location
    if (local / "adapter_config.json").is_file():
        return str(local.resolve())
    if record.adapter.commit:
        return record.adapter.location
    raise AltTrainError(f"{folder}: its adapter is no longer in {local.resolve()}; add --adapter with its folder")


def _notes(record: ExportRecord | None, adapter: str) -> tuple[str, ...]:
    if record is None or not Path(adapter).is_dir() or identity(adapter) == record.adapter.identity:
        return ()
    return (f"The adapter in {Path(adapter).name} is not the one that was exported: name or weights differ.",)

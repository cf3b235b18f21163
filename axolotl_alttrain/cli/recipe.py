"""Read a recipe as ``axolotl train`` does, without writing or starting anything."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, cause_of, first_line, one_line
from axolotl_alttrain.fit.architecture import shipped_config
from axolotl_alttrain.fit.gpus import GPUS, Gpu, needed_gpus
from axolotl_alttrain.format.reasoning.trained_rows import RowRenderer
from axolotl_alttrain.format.row_reader import RowReader
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.storage.yaml_file import read_mapping

# GPU recipes are checked against this one on machines without a GPU.
DEFAULT_GPU = GPUS["a6000"]


@dataclass(frozen=True)
class Source:
    """One ``datasets:`` entry of ``type: alttrain`` or ``alttrain.reasoning`` with its rows."""

    path: str
    rows: Any  # datasets.Dataset
    chat: ChatFormat
    reader: RowReader
    renderer: RowRenderer | None = None  # for rows of another kind, or in another mode than thinking


@dataclass(frozen=True)
class Recipe:
    """A validated recipe with its tokenizer and AltTrain data.

    Attributes:
        cfg: The config as Axolotl completes it.
        tokenizer: The tokenizer as in training, with the config's special tokens.
        sources: The AltTrain entries of ``datasets:``.
        others: Paths of the entries of other types, which are not read.
    """

    cfg: Any
    tokenizer: Any
    sources: list[Source]
    others: list[str]


def load_config(path: Path, this_machine: bool = False, gpu: Gpu | None = None, gpus: int | None = None) -> Any:
    """The config as Axolotl validates and completes it, plugins registered.

    Args:
        path: A YAML file.
        this_machine: Check the config against this machine; otherwise against an A6000 if there is no GPU.
        gpu: Check the config against this GPU instead, and read the architecture of a recipe's backbone from this
            package, so that nothing is downloaded.
        gpus: Number of GPUs; by default as many as the recipe needs.

    Raises:
        AltTrainError: The config is not valid or does not use AltTrain.
    """
    from axolotl.cli.config import gpu_capabilities, plugin_set_cfg, prepare_plugins
    from axolotl.utils.config import normalize_cfg_datasets, normalize_config, validate_config
    from axolotl.utils.dict import DictDefault

    from axolotl_alttrain.compat import loads_installed_plugins
    from axolotl_alttrain.entries import concerns, is_named

    raw = read_mapping(path, "an Axolotl config")
    if not is_named(raw) and not loads_installed_plugins():
        raise AltTrainError(f"{path}: the plugin is missing; add 'plugins: [axolotl_alttrain.AltTrainPlugin]'")
    if not concerns(raw):
        raise AltTrainError(f"{path}: no dataset has 'type: alttrain'; add one to 'datasets:'")
    cfg = DictDefault(raw)
    cfg.axolotl_config_path = str(path)
    if gpu is not None and not cfg.base_model_config and (shipped := shipped_config(str(cfg.base_model))):
        cfg.tokenizer_config = cfg.tokenizer_config or cfg.base_model
        cfg.base_model_config = str(shipped)
    with quiet():
        try:
            prepare_plugins(cfg)
            capabilities, environment = gpu_capabilities()
            if gpu is not None or (not this_machine and capabilities["compute_capability"] is None):
                capabilities = (gpu or DEFAULT_GPU).capabilities(gpus or needed_gpus(cfg))
            cfg = validate_config(cfg, capabilities=capabilities, env_capabilities=environment)
            normalize_config(cfg)
            normalize_cfg_datasets(cfg)
        except AltTrainError:
            raise
        except OSError as error:  # from transformers: no such folder, and the Hub is unreachable
            raise AltTrainError(
                f"base_model {cfg.base_model!r} cannot be loaded ({first_line(error)}); download the model or "
                "give its folder"
            ) from None
        except Exception as error:  # pydantic's errors, and what Axolotl's own checks make of values of other types
            raise AltTrainError(f"{path}: {_first_error(error)}; correct the config") from None
        plugin_set_cfg(cfg)
    return cfg


def load_tokenizer(cfg: Any) -> Any:
    """The tokenizer as training loads it.

    Raises:
        AltTrainError: It cannot be loaded.
    """
    from axolotl.loaders import load_tokenizer as load

    try:
        with quiet():
            return load(cfg)
    except Exception as error:  # a broken file raises what its reader makes of it
        raise AltTrainError(
            f"base_model {cfg.base_model!r}: its tokenizer cannot be loaded ({first_line(error)}); download "
            "the model or give its folder"
        ) from None


def load_recipe(path: Path) -> Recipe:
    """Read config, tokenizer and data.

    Raises:
        AltTrainError: One of them is unusable; the message says what to change.
    """
    cfg = load_config(path)
    return with_data(cfg, load_tokenizer(cfg))


def with_data(cfg: Any, tokenizer: Any) -> Recipe:
    """A recipe from its config and tokenizer.

    Raises:
        AltTrainError: The data or the template is unusable; the message says why.
    """
    sources, others = [], []
    for entry, ours in entries(cfg):
        if ours:
            sources.append(load_source(cfg, tokenizer, entry))
        else:
            others.append(str(entry.path))
    return Recipe(cfg, tokenizer, sources, others)


def load_source(cfg: Any, tokenizer: Any, entry: Any) -> Source:
    """The rows of one entry and the chat format used to train them.

    Raises:
        AltTrainError: The data cannot be read.
        TemplateError: The chat template cannot carry the format.
    """
    from axolotl_alttrain.entries import strategy_module

    rows = load_rows(cfg, entry)
    strategy = strategy_module(entry.type).load(tokenizer, cfg, entry)
    return Source(str(entry.path), rows, strategy.chat, strategy.reader, strategy.renderer)


def load_rows(cfg: Any, entry: Any) -> Any:
    """The rows of one entry, selected as Axolotl selects them.

    Raises:
        AltTrainError: The data cannot be read.
    """
    from axolotl.utils.data.shared import load_dataset_with_config
    from datasets import DatasetDict

    from axolotl_alttrain.data.sources.entry_files import check_files

    check_files(entry)
    try:
        with quiet():
            rows = load_dataset_with_config(entry, cfg.hf_use_auth_token, streaming=False)
    except Exception as error:  # the Hub, the file system and parsers each raise their own errors
        raise AltTrainError(f"datasets: {entry.path} cannot be read ({cause_of(error)}); check 'path:'") from None
    if isinstance(rows, DatasetDict):
        name = entry.split if entry.split in rows else "train"
        if name not in rows:
            raise AltTrainError(
                f"datasets: {entry.path} has no split {name!r}; set 'split:' to one of {', '.join(rows)}"
            )
        rows = rows[name]
    if entry.shards:
        rows = rows.shuffle(seed=cfg.seed).shard(num_shards=entry.shards, index=entry.get("shards_idx") or 0)
    return rows


def entries(cfg: Any) -> Iterator[tuple[Any, bool]]:
    """The ``datasets:`` entries, one per named subset, and whether each uses this package's strategy."""
    from axolotl.utils.data.shared import datasets_with_name_generator

    from axolotl_alttrain.entries import is_alttrain

    for entry in datasets_with_name_generator(cfg.datasets):
        yield entry, is_alttrain(entry.type)


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress Axolotl's progress messages but not its warnings."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def _first_error(error: Exception) -> str:
    """The first message of a validation error on one line, with its field."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return one_line(error) if isinstance(error, ValueError) else cause_of(error)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field + ': ' if field else ''}{first['msg']}"

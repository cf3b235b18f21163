"""Which configs and which entries of ``datasets:`` use AltTrain, and the strategy that reads them."""

from __future__ import annotations

import importlib
from typing import Any

STRATEGY = "alttrain"
REASONING = "alttrain.reasoning"
# Modules of `axolotl_alttrain.prompt_strategies` by the `type:` that names them.
STRATEGIES = {STRATEGY: "alttrain", REASONING: "reasoning"}


def concerns(cfg: Any) -> bool:
    """Whether a config, raw or validated, uses AltTrain: through its plugins, its options or its data."""
    return is_named(cfg) or bool(cfg.get("alttrain")) or bool(entries_of(cfg))


def is_named(cfg: Any) -> bool:
    """Whether ``plugins:`` names this package, as Axolotl before 0.21 requires."""
    return any(str(name).startswith("axolotl_alttrain") for name in _list(cfg, "plugins"))


def entries_of(cfg: Any) -> list[Any]:
    """The dataset entries that use this strategy."""
    entries = [*_list(cfg, "datasets"), *_list(cfg, "test_datasets")]
    return [entry for entry in entries if isinstance(entry, dict) and is_alttrain(entry.get("type"))]


def is_alttrain(kind: Any) -> bool:
    """Whether a ``type:`` names one of our strategies, with or without the fingerprint that the plugin adds."""
    return isinstance(kind, str) and kind.partition(":")[0] in STRATEGIES


def is_reasoning(kind: str) -> bool:
    """Whether a ``type:`` names the strategy for ordinary reasoning data."""
    return kind.partition(":")[0] == REASONING


def strategy_module(kind: str) -> Any:
    """The module of a ``type:`` that :func:`is_alttrain` knows, with or without its fingerprint."""
    name = STRATEGIES[kind.partition(":")[0]]
    return importlib.import_module(f"axolotl_alttrain.prompt_strategies.{name}")


def _list(cfg: Any, key: str) -> list[Any]:
    """A list of a config; empty where something else is there, which Axolotl's validation reports afterwards."""
    value = cfg.get(key)
    return list(value) if isinstance(value, list | tuple) else []

"""AltTrain for Axolotl: problem understanding, harmfulness assessment, then conditional reasoning."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["AltTrainPlugin", "__version__"]


def __getattr__(name: str) -> Any:
    # Lazy: the core must import without axolotl and torch, `plugins: [axolotl_alttrain.AltTrainPlugin]` must work.
    if name == "AltTrainPlugin":
        from axolotl_alttrain.plugin import AltTrainPlugin

        return AltTrainPlugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

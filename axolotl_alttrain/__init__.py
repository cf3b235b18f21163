"""AltTrain for Axolotl: problem understanding, harmfulness assessment, then conditional reasoning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__version__ = "0.1.0"
__all__ = ["AltTrainPlugin", "__version__"]

_CHECKOUT = Path(__file__).resolve().parents[1]
if not Path(__file__).with_name("eval").is_dir() and (_CHECKOUT / "eval" / "run.py").is_file():
    # In a checkout, eval/, prompt_strategies/ and examples/ lie beside this folder.
    __path__.append(str(_CHECKOUT))


def __getattr__(name: str) -> Any:
    # Lazy, so that the core imports without axolotl and torch and `plugins: [axolotl_alttrain.AltTrainPlugin]` works.
    if name == "AltTrainPlugin":
        from axolotl_alttrain.plugin import AltTrainPlugin

        return AltTrainPlugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The report's plots, one file each; every one gives its SVG with an alternative text that carries the numbers."""

from .attacks import attacks
from .forest import forest
from .rates import rates
from .tokens import tokens
from .trade_off import trade_off

__all__ = ["attacks", "forest", "rates", "tokens", "trade_off"]

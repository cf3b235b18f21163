"""The report's plots, one file each; every one gives its SVG with an alternative text that carries the numbers."""

from axolotl_alttrain.eval.report.plots.attacks_plot import attacks
from axolotl_alttrain.eval.report.plots.forest_plot import forest
from axolotl_alttrain.eval.report.plots.rates_plot import rates
from axolotl_alttrain.eval.report.plots.tokens_plot import tokens
from axolotl_alttrain.eval.report.plots.trade_off_plot import trade_off

__all__ = ["attacks", "forest", "rates", "tokens", "trade_off"]

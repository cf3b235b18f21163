"""Which weights are measured: what is loaded, and in words which form of a trained model that is."""

from axolotl_alttrain.eval.weights.choose import Weights, weights_of
from axolotl_alttrain.eval.weights.form import NOT_RECORDED, WeightsForm

__all__ = ["NOT_RECORDED", "Weights", "WeightsForm", "weights_of"]

"""Compare finished runs over the prompts that they share."""

from axolotl_alttrain.eval.compare.comparison_tables import markdown
from axolotl_alttrain.eval.compare.differences import compare_runs
from axolotl_alttrain.eval.compare.run_folders import load_runs
from axolotl_alttrain.eval.compare.runs import Run, check_pairs
from axolotl_alttrain.eval.compare.write import compare

__all__ = ["Run", "check_pairs", "compare", "compare_runs", "load_runs", "markdown"]

"""Compare recipes over training seeds: ``python -m eval.run compare --seeds NAME=RUN RUN RUN``."""

from axolotl_alttrain.eval.compare.seeds.seed_comparison import compare_groups
from axolotl_alttrain.eval.compare.seeds.seed_groups import SeedGroup, load_groups
from axolotl_alttrain.eval.compare.seeds.write_seeds import compare_seeds

__all__ = ["SeedGroup", "compare_groups", "compare_seeds", "load_groups"]

"""``python -m axolotl_alttrain.cli``: the commands of ``axolotl alttrain`` without Axolotl's own."""

from axolotl_alttrain.cli import alttrain

alttrain(prog_name="axolotl alttrain")

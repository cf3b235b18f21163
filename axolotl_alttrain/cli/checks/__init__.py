"""`axolotl alttrain doctor`: checks of the machine and of a recipe."""

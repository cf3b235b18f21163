"""``axolotl alttrain preview``: rows as they are trained, with their statistics."""

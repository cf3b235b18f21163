"""``python -m axolotl_alttrain.demo``: prepare the demo model in a cache folder and print the folder's path."""

from __future__ import annotations

import sys

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.demo_model import prepare


def main() -> int:
    """Prepare the model and print the path of its folder."""
    try:
        print(prepare())
    except AltTrainError as error:
        print(f"axolotl-alttrain: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

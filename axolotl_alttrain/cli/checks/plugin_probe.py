"""Started by the doctor through ``accelerate launch``, as ``axolotl train`` starts training: prints what it imports."""

from __future__ import annotations

import json
import sys

import axolotl

from axolotl_alttrain import AltTrainPlugin

if __name__ == "__main__":
    print("alttrain " + json.dumps([sys.executable, axolotl.__version__, AltTrainPlugin.__name__]))

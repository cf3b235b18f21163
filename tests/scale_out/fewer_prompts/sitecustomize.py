"""Python runs it at its start: the evaluation after training, which takes no limits from a config, asks less."""

import json
import os
import sys
from pathlib import Path

if "axolotl_alttrain.eval.run" in sys.orig_argv:
    sys.argv += ["--limit", "1", "--max-new-tokens", "8"]
    launcher = sorted(name for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR") if name in os.environ)
    with (Path(os.environ["ALTTRAIN_RECORD"]) / "evaluations.jsonl").open("a") as log:
        log.write(json.dumps(launcher) + "\n")

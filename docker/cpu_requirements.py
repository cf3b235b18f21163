"""What the image for CPUs installs: ``python docker/cpu_requirements.py``.

The dependencies in pyproject.toml except Axolotl. What Axolotl would pin has the versions of the newest environment in
which the tests passed, and torch is the build for CPUs.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.12"  # as in Dockerfile.cpu


def requirements() -> list[str]:
    """One line per package, as pip reads them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = json.loads((ROOT / "axolotl_alttrain" / "cli" / "tested.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["python"].startswith(f"{PYTHON}.")]
    tested = max(rows, key=lambda row: [int(part) for part in row["packages"]["axolotl"].split(".")])["packages"]
    lines = []
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["demo"]]:
        name = re.split(r"[^A-Za-z0-9_.-]", requirement)[0]
        if name == "axolotl":
            continue
        pin = f"{name}=={tested[name]}" if name in tested else requirement
        lines.append(f"{pin}+cpu" if name == "torch" else pin)
    return lines


if __name__ == "__main__":
    print("\n".join(requirements()))

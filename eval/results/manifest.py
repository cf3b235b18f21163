"""``manifest.json``: everything that one needs to repeat an evaluation."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.eval.backends.base import Identity
from axolotl_alttrain.eval.results.rules import RULE_VERSIONS
from axolotl_alttrain.eval.weights import WeightsForm
from pydantic import JsonValue

from axolotl_alttrain import __version__
from axolotl_alttrain.compat import installed_version
from axolotl_alttrain.generation.server.openai_client import server_address
from axolotl_alttrain.storage.atomic import write_atomic

_PACKAGES = (
    "axolotl",
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "datasets",
    "lm_eval",
    "vllm",
    "openai",
    "scipy",
    "numpy",
)


def versions() -> dict[str, str]:
    """Versions of what is installed of the packages that numbers depend on."""
    return {name: found for name in _PACKAGES if (found := installed_version(name))}


def git_state(folder: Path) -> dict[str, JsonValue] | None:
    """Commit and changes of the repository that ``folder`` is in; None where there is none."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.rstrip() if done.returncode == 0 else None  # a line of the status may begin with a blank

    commit = git("rev-parse", "HEAD")
    if commit is None:
        return None
    changed = git("status", "--porcelain", "--untracked-files=no") or ""
    return {"commit": commit, "changed_files": [line[3:] for line in changed.splitlines()]}


def hardware() -> dict[str, JsonValue]:
    """Processor, memory and, where torch is in use and finds them, GPUs."""
    found: dict[str, JsonValue] = {"machine": platform.machine(), "cpus": os.cpu_count(), "system": platform.platform()}
    found["processor"] = _processor()
    if hasattr(os, "sysconf"):
        found["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["gpus"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        found["cuda"] = torch.version.cuda
    return found


def _processor() -> str:
    """The processor's model: one with other vector instructions adds numbers in another order."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def write_manifest(
    path: Path,
    flags: Mapping[str, object],
    identities: Mapping[str, Identity],
    weights: Mapping[str, WeightsForm],
    sets: Mapping[str, str],
    missing: Mapping[str, str],
    settings: Mapping[str, object],
    rules: Mapping[str, int],
    started: datetime,
) -> None:
    """Write the manifest, whole.

    Args:
        path: The file.
        flags: The command line's.
        identities: By run, as they enter the samples' keys.
        weights: By run, which form of the weights it measured.
        sets: Revision of each set as it was loaded: a hub commit or a digest of local files.
        missing: What is unavailable, and why.
        settings: Of generation, seed included.
        rules: Versions of the metrics and judges in use, as :func:`rule_versions` gives them.
        started: When the evaluation began.
    """
    now = datetime.now(UTC)
    content = {
        "axolotl_alttrain": __version__,
        "python": platform.python_version(),
        "packages": versions(),
        RULE_VERSIONS: dict(rules),
        "flags": {key: _flag(key, value) for key, value in sorted(flags.items())},
        "runs": {run: asdict(one) for run, one in identities.items()},
        "weights": {run: asdict(form) for run, form in weights.items()},
        "sets": dict(sets),
        "missing": dict(missing),
        "settings": dict(settings),
        "git": git_state(Path(__file__).parent),
        "hardware": hardware(),
        "started": started.isoformat(timespec="seconds"),
        "finished": now.isoformat(timespec="seconds"),
        "seconds": round((now - started).total_seconds(), 1),
    }
    write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _flag(name: str, value: object) -> JsonValue:
    return server_address(value) if name.endswith("url") and isinstance(value, str) else _plain(value)


def _plain(value: object) -> JsonValue:
    if isinstance(value, str | int | float | bool | None):
        return value
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)

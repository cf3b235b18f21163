"""The doctor's checks of the machine: packages, launcher, GPU, bitsandbytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import requires
from typing import Literal

from axolotl_alttrain.cli.tested import PACKAGES, known_environments, known_versions, this_environment
from axolotl_alttrain.compat import DISTRIBUTION
from axolotl_alttrain.errors import first_line

Status = Literal["ok", "warning", "problem"]
GIB = 1 << 30
LAUNCH_SECONDS = 300
_PROBE = "axolotl_alttrain.cli.checks.plugin_probe"


@dataclass(frozen=True)
class Check:
    """One line of the doctor.

    Attributes:
        name: What was checked.
        status: ``problem`` if training would fail or would train something else.
        found: What was found.
        remedy: What to do about it; empty if nothing needs doing.
    """

    name: str
    status: Status
    found: str
    remedy: str = ""


def check_packages() -> Iterator[Check]:
    """Compare installed versions with the required ones and with the environments in which the tests passed."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    needed = {r.name: r for r in map(Requirement, requires(DISTRIBUTION) or [])}
    here = this_environment()
    axolotl = here.packages.get("axolotl")
    yield _compared("python", here.python, here.minor, known_versions("python", axolotl))
    for name in PACKAGES:
        found, tested = here.packages.get(name), known_versions(name, axolotl)
        if found is None:
            # The newest for this Python: Axolotl 0.20 and later need Python 3.12.
            fitting = [row.packages[name] for row in known_environments() if row.minor == here.minor] or tested
            yield Check(name, "problem", "not installed", f"pip install {name}=={max(fitting, key=Version)}")
        elif name in needed and not needed[name].specifier.contains(found, prereleases=True):
            yield Check(name, "problem", found, f"pip install '{name}{needed[name].specifier}'")
        else:
            yield _compared(name, found, found, tested)


def _compared(name: str, found: str, release: str, tested: Sequence[str]) -> Check:
    """Compare an allowed version with those tested together with the installed Axolotl."""
    if release in tested:
        return Check(name, "ok", found)
    remedy = f"use Python {tested[-1]}" if name == "python" else f"pip install {name}=={tested[-1]}"
    return Check(name, "warning", f"{found}; tested with {', '.join(tested)}", f"if it fails: {remedy}")


def check_launcher() -> Check:
    """Whether the process that ``axolotl train`` starts, through ``accelerate`` on the PATH, finds this plugin."""
    name = "axolotl train"
    launcher = shutil.which("accelerate")
    if launcher is None:
        return Check(
            name,
            "problem",
            "'accelerate' is not on the PATH",
            f"activate the environment: add {os.path.dirname(sys.executable)} to the PATH",
        )
    options = ["--num_processes", "1", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command = [launcher, "launch", "--cpu", *options, "-m", _PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LAUNCH_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "problem", f"{launcher} cannot be run ({error})", "pip install --force-reinstall accelerate")
    said = [line for line in done.stdout.splitlines() if line.startswith("alttrain ")]
    if done.returncode or not said:
        errors = [line for line in done.stderr.splitlines() if "Error" in line or "No module named" in line]
        reason = next((line for line in errors if "CalledProcessError" not in line), "no message").strip()
        return Check(
            name,
            "problem",
            f"the process that {launcher} starts cannot import the plugin ({reason})",
            "install axolotl and axolotl-alttrain in the same environment, and activate it",
        )
    interpreter, *_ = json.loads(said[0].removeprefix("alttrain "))
    if os.path.realpath(os.path.dirname(interpreter)) != os.path.realpath(os.path.dirname(sys.executable)):
        return Check(
            name,
            "warning",
            f"{launcher} runs {interpreter}, which is not in this environment ({sys.executable})",
            "activate this environment",
        )
    return Check(name, "ok", f"{launcher} starts a process that imports the plugin")


def check_gpu() -> Check:
    """The GPUs and their memory, in GiB."""
    import torch

    if not torch.cuda.is_available():
        built = "this build of torch has no GPU support" if torch.version.cuda is None else "torch finds no GPU"
        return Check(
            "GPU",
            "warning",
            f"none: {built}",
            "train small models only, or install the CUDA build of torch and a driver",
        )
    parts = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        parts.append(f"{torch.cuda.get_device_name(index)}, {free / GIB:.0f} of {total / GIB:.0f} GiB free")
    busy = torch.cuda.mem_get_info(0)[0] < 0.5 * torch.cuda.mem_get_info(0)[1]
    remedy = "other processes use its memory; see nvidia-smi" if busy else ""
    return Check("GPU", "warning" if busy else "ok", "; ".join(parts), remedy)


def check_bitsandbytes() -> Check:
    """Whether a 4-bit layer computes results and gradients on the device that training uses."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        from bitsandbytes.nn import Linear4bit

        torch.manual_seed(0)
        layer = torch.nn.Linear(128, 128, bias=False)
        packed = Linear4bit(128, 128, bias=False, compute_dtype=torch.float32, quant_type="nf4")
        packed.load_state_dict(layer.state_dict())
        packed, layer = packed.to(device), layer.to(device)
        given = torch.randn(4, 128, device=device, requires_grad=True)
        out = packed(given)
        out.sum().backward()
        rounding = ((out - layer(given)).norm() / layer(given).norm()).item()
        passed = given.grad is not None and bool(given.grad.isfinite().all())
    except Exception as error:  # a missing kernel raises various errors
        return Check(
            "bitsandbytes",
            "problem",
            f"a 4-bit layer fails on {device}: {first_line(error)}",
            "reinstall it for your CUDA version, or train without load_in_4bit",
        )
    # NF4 rounds weights by about a tenth of their size.
    if not passed or rounding > 0.2:
        return Check(
            "bitsandbytes",
            "problem",
            f"a 4-bit layer on {device} has an error of {100 * rounding:.0f} %",
            "reinstall it for your CUDA version",
        )
    return Check("bitsandbytes", "ok", f"a 4-bit layer works on {device} (rounding {100 * rounding:.0f} %)")

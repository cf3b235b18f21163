"""What is checked of the command line before anything is loaded."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from axolotl_alttrain.errors import AltTrainError

# What only some backends know; another one would ignore it, and the numbers would not be what was asked for.
_BACKENDS = {
    "model_revision": ("hf", "vllm"),
    "adapter_revision": ("hf", "vllm"),
    "load_in_4bit": ("hf", "vllm"),
    "dtype": ("hf", "vllm"),
    "batch_size": ("hf",),
    "batch_tokens": ("hf",),
    "tensor_parallel": ("vllm",),
    "data_parallel": ("vllm",),
    "base_url": ("api",),
    "tokenizer": ("api",),
    "api_concurrency": ("api",),
    "api_key_env": ("api",),
}


def check_flags(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse flags that the chosen backend would ignore, and an ``--out`` that cannot be written to.

    Raises:
        AltTrainError: With the flag, what was found, and what is allowed.
    """
    for name, backends in _BACKENDS.items():
        value = getattr(args, name)
        if value != parser.get_default(name) and args.backend not in backends:
            flag = f"--{name.replace('_', '-')}"
            allowed = " or ".join(f"--backend {one}" for one in backends)
            raise AltTrainError(f"{flag}: found {value} with --backend {args.backend}; allowed: with {allowed}")
    if args.backend == "api" and args.thought_format != "auto" and not args.tokenizer:
        raise AltTrainError(f"--thought-format: found {args.thought_format} without --tokenizer; allowed: with it")
    out: Path = args.out
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        what = "no folder" if not there.is_dir() else "no right to write there"
        raise AltTrainError(f"--out {out}: {there} is {what}; allowed: a folder, which is made where there is none")


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text}; allowed: 1 or more")
    return value


def temperature(text: str) -> float:
    """0, which is greedy, to 2, more than which servers refuse."""
    value = float(text)
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"found {text}; allowed: 0 to 2")
    return value


def share(text: str) -> float:
    """More than 0, as of nothing no token could be drawn, to 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"found {text}; allowed: more than 0, to 1")
    return value

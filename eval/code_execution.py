"""Run a model's code against tests: in a process of its own, with limits, and only when the user has said so.

The limits stop accidents, not attacks: use a container or a virtual machine for models that you do not trust.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile

SECONDS = 10
MEMORY = 2**30  # bytes
_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
# First in the process itself: a limit set by the parent would hold for the parent's thread, too.
_LIMITS = f"""
import resource
for name, most in ((resource.RLIMIT_CPU, {SECONDS}), (resource.RLIMIT_AS, {MEMORY}), (resource.RLIMIT_FSIZE, 2**20)):
    resource.setrlimit(name, (most, most))
"""


def extract_code(answer: str, prompt: str, entry_point: str) -> str:
    """The program in an answer: its last block of code that defines the function, or the prompt completed by it.

    Args:
        answer: Text after the thought.
        prompt: The function's head and description, as the task gives it.
        entry_point: Name of the function.
    """
    blocks = _BLOCK.findall(answer) or [answer]
    defines = re.compile(rf"^\s*def {re.escape(entry_point)}\b", re.MULTILINE)
    whole = [block for block in blocks if defines.search(block)]
    if whole:
        head = prompt[: prompt.find(f"def {entry_point}")]  # imports and helpers that the prompt gives
        return f"{head}\n{whole[-1]}"
    return prompt + blocks[-1]


def run_tests(program: str, seconds: float = SECONDS) -> bool:
    """Whether a program ends without an error within the limits.

    Args:
        program: Python source, tests included.
        seconds: Of wall time.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _LIMITS + program],
                cwd=folder,
                env={"HOME": folder},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0

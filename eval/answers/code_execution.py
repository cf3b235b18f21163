"""Run a model's code against tests: in a process of its own, with limits, and only when the user has said so.

The limits stop accidents, not attacks: use a container or a virtual machine for models that you do not trust.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

VERSION = 1  # raise it whenever an answer may pass or fail differently
SECONDS = 10
MEMORY = 2**30  # bytes
_BLOCK = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>```+|~~~+)[ \t]*(?P<language>[^\n`]*)\n"
    r"(?P<code>.*?)(?:(?P=fence)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PYTHON = re.compile(r"\W*(?:py|$)", re.IGNORECASE)  # python, Python3, py, {.python}, or no language at all
# The limits come first and in the process itself: set by the parent, they would hold for the parent's thread, too. That
# the tests have passed is said by a word that the program does not know: it may end itself early, with exit code 0. It
# is imported, so that its part for the command line (__name__ == "__main__") does not run.
_RUNNER = f"""
import resource, sys
for name, most in ((resource.RLIMIT_CPU, {SECONDS}), (resource.RLIMIT_AS, {MEMORY}), (resource.RLIMIT_FSIZE, 2**20)):
    resource.setrlimit(name, (most, most))
def finish(open=open):
    with open(FILE, "w") as file:
        file.write(WORD)
sys.dont_write_bytecode = True
sys.path.insert(0, FOLDER)
import tested_program
finish()
"""


def extract_code(answer: str, prompt: str, entry_point: str) -> str:
    """The program in an answer: its last block of code that defines the function, or the prompt completed by it.

    Args:
        answer: Text after the thought.
        prompt: The function's head and description, as the task gives it.
        entry_point: Name of the function.
    """
    answer = answer.replace("\r\n", "\n")
    found = list(_BLOCK.finditer(answer))
    python = [one for one in found if _PYTHON.match(one["language"])] or found
    blocks = [_shifted(one["code"], one.start("fence") - one.start()) for one in python] or [answer]
    defines = re.compile(rf"^\s*def {re.escape(entry_point)}\b", re.MULTILINE)
    whole = [block for block in blocks if defines.search(block)]
    if whole:
        head = prompt[: prompt.find(f"def {entry_point}")]  # imports and helpers that the prompt gives
        return f"{head}\n{whole[-1]}"
    return prompt + blocks[-1]


def _shifted(code: str, indent: int) -> str:
    """The code without its fence's indentation, as in a list."""
    return re.sub(rf"^[ \t]{{1,{indent}}}", "", code, flags=re.MULTILINE) if indent else code


def run_tests(program: str, seconds: float = SECONDS) -> bool:
    """Whether a program runs to its end without an error within the limits.

    Args:
        program: Python source, tests included.
        seconds: Of wall time.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder, passed, word = Path(place, "work"), Path(place, "passed"), secrets.token_hex(16)
        folder.mkdir()
        # By file: a command line takes no NUL and no more than 128 KiB. What Python cannot read fails there.
        (folder / "tested_program.py").write_bytes(program.encode("utf-8", "surrogatepass"))
        names = f"FILE, FOLDER, WORD = {str(passed)!r}, {str(folder)!r}, {word!r}\n"
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", names + _RUNNER],
            cwd=folder,
            env={"HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            ended = process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            ended = False
        finally:
            # Its children, too, which a timeout alone would leave running.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return ended and passed.is_file() and passed.read_text() == word

"""Run a model's code against tests, in a separate process with limits, and only if the user allows it.

On Linux the process has no network and cannot look into other processes, if the system grants namespaces to users. It
reads and writes the user's files. Use a container or a virtual machine for models that you do not trust.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

LOG = logging.getLogger(__name__)
VERSION = 2  # raise it whenever an answer may pass or fail differently
SECONDS = 10
MEMORY = 2**30  # bytes
_BLOCK = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>```+|~~~+)[ \t]*(?P<language>[^\n`]*)\n"
    r"(?P<code>.*?)(?:(?P=fence)|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PYTHON = re.compile(r"\W*(?:py|$)", re.IGNORECASE)  # python, Python3, py, {.python}, or no language at all
# In namespaces of its own (unshare(2): user, network, processes) a program sees no network device that is up and no
# process but its own, and whatever it leaves running ends with the first process of the namespace.
_ISOLATION = """
import ctypes, os, sys
def isolate():
    try:
        libc = ctypes.CDLL(None)
        if libc.unshare(0x10000000 | 0x40000000 | 0x20000000):
            return False
    except (OSError, AttributeError):
        return False
    in_child()  # the first process of the namespace; it ends with this one
    libc.prctl(1, 9)
    in_child()  # the program
    return True
def in_child():
    if child := os.fork():
        os._exit(os.waitpid(child, 0)[1] != 0)
"""
# The process sets its own limits, because limits set by the parent would also apply to a thread of the parent. Passed
# tests are signalled by a word that the program does not know, because it may exit early with exit code 0. The program
# is imported so that its `if __name__ == "__main__"` part does not run.
_RUNNER = f"""{_ISOLATION}
isolate()
del sys.modules["ctypes"]
import resource
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
    """The program in an answer: its last code block that defines the function, or the prompt completed by the answer.

    Args:
        answer: Text after the thought.
        prompt: Signature and docstring of the function, as the task gives them.
        entry_point: Name of the function.
    """
    answer = answer.replace("\r\n", "\n")
    found = list(_BLOCK.finditer(answer))
    python = [one for one in found if _PYTHON.match(one["language"])] or found
    blocks = [_dedented(one["code"], one.start("fence") - one.start()) for one in python] or [answer]
    defines = re.compile(rf"^\s*def {re.escape(entry_point)}\b", re.MULTILINE)
    whole = [block for block in blocks if defines.search(block)]
    if whole:
        head = prompt[: prompt.find(f"def {entry_point}")]  # imports and helpers that the prompt gives
        return f"{head}\n{whole[-1]}"
    return prompt + blocks[-1]


def _dedented(code: str, indent: int) -> str:
    """The code without the indentation of its fence, for example in a list."""
    return re.sub(rf"^[ \t]{{1,{indent}}}", "", code, flags=re.MULTILINE) if indent else code


@functools.cache
def isolated() -> bool:
    """Whether this system grants programs namespaces of their own; a warning where it does not."""
    tried = subprocess.run([sys.executable, "-I", "-c", f"{_ISOLATION}\nsys.exit(not isolate())"], check=False)
    if tried.returncode:
        LOG.warning(
            "this system grants no namespaces, so code in answers runs with your network, beside your processes; "
            "use a container without network (docker run --network none)"
        )
    return tried.returncode == 0


def run_tests(program: str, seconds: float = SECONDS) -> bool:
    """Whether a program runs to its end without an error and within the limits.

    Args:
        program: Python source, including the tests.
        seconds: Wall time.
    """
    isolated()  # says so where it is not
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder, passed, word = Path(place, "work"), Path(place, "passed"), secrets.token_hex(16)
        folder.mkdir()
        # As a file, because a command line takes no NUL and at most 128 KiB. Invalid source fails in the process.
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
            # A timeout alone would leave its children running.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return ended and passed.is_file() and passed.read_text() == word

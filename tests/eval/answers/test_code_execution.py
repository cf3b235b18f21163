"""Code in answers, run for real: what passes, what fails, and what must not pass or go on running."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from axolotl_alttrain.eval.answers import code_execution
from axolotl_alttrain.eval.answers.code_execution import extract_code, isolated, run_tests


@pytest.mark.promise("security", "Code in answers runs within limits of time, memory and file size.")
@pytest.mark.parametrize(
    ("program", "passes"),
    [
        ("import sys\nsys.exit(0)\nassert False", False),
        ("exit()", False),
        ("import os\nos._exit(0)", False),
        ("if __name__ == '__main__':\n    exit(1)", True),
        ("print = open = None", True),
        ("x = '\x00'", False),
        ("x = '\udcff'", False),
        ("x = 1\n" * 40_000, True),  # longer than a command line
        ("x = 1\n" * 40_000 + "assert x == 2", False),
        ("assert 1 + 1 == 2", True),
        ("assert 1 + 1 == 3", False),
        ("while True: pass", False),
        ("x = ' ' * 2**31", False),
        ("open('/tmp/../tmp/alttrain-never', 'w').write('x' * 2**21)", False),
    ],
)
def test_code_runs_within_limits(program: str, passes: bool) -> None:
    assert run_tests(program, seconds=3) is passes


@pytest.fixture
def namespaces() -> None:
    if not isolated():
        pytest.skip("this system grants no namespaces to users")


# Each passes if it can do what it must not.
ESCAPES = {
    "loopback": "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2)",
    "a new server": "import socket as s\ns.create_connection(s.create_server(('127.0.0.1', 0)).getsockname(), 2)",
    "an address outside": "import socket\nsocket.create_connection(('192.0.2.1', 53), 2)",
    "UDP": "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "an abstract socket": "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0' + NAME)",
    "keys of other processes": "import glob\nassert any(b'canary' in open(p, 'rb').read() for p in PROCESSES)",
    "keys of its own": "import os\nassert 'canary' in str(os.environ)",
    "the parent's end": "import os, signal\nos.kill(PID, signal.SIGTERM)",
}
PROCESSES = "[p for p in glob.glob('/proc/[0-9]*/environ') if __import__('os').access(p, 4)]"


@pytest.mark.promise("security", "Code in answers has no network, and cannot read the keys of other processes.")
@pytest.mark.parametrize("name", ESCAPES)
def test_what_code_cannot_reach(name: str, namespaces: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    abstract = f"alttrain-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as other:
        other.bind("\0" + abstract)
        other.listen()
        known = {"PORT": server.getsockname()[1], "NAME": repr(abstract), "PROCESSES": PROCESSES, "PID": os.getpid()}
        program = ESCAPES[name]
        for word, value in known.items():
            program = program.replace(word, str(value))
        with subprocess.Popen(["sleep", "60"], env={"KEY": "canary"}) as beside:
            try:
                assert not run_tests(program, seconds=8)
            finally:
                beside.kill()


def test_a_system_without_namespaces_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(code_execution.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assert isolated.__wrapped__() is False
    assert "code in answers runs with your network" in caplog.text


@pytest.mark.promise("security", "Nothing that code in an answer starts outlives it.")
@pytest.mark.parametrize("new_session", [False, True])
@pytest.mark.parametrize(("ending", "passes"), [("while True: pass", False), ("assert False", False), ("", True)])
def test_no_child_of_a_program_outlives_it(ending: str, passes: bool, new_session: bool, tmp_path: Path) -> None:
    if new_session and not isolated():
        pytest.skip("this system grants no namespaces to users")
    beats = tmp_path / "beats"
    child = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('.')\n    time.sleep(0.05)"
    program = (
        f"import os, subprocess, sys, time\nchild = [sys.executable, '-c', {child!r}]\n"
        f"subprocess.Popen(child, start_new_session={new_session})\n"
        f"while not os.path.exists({str(beats)!r}): time.sleep(0.01)\n{ending}"
    )
    assert run_tests(program, seconds=5 if "while" in ending else 30) is passes
    size = beats.stat().st_size
    time.sleep(0.3)
    assert beats.stat().st_size == size > 0


@pytest.mark.parametrize(
    "answer",
    [
        *(
            f"Here:\n```{tag}\ndef f(a):\n    return a + 1\n```\nDone."
            for tag in ("", "py", "Python", "python3", "PYTHON")
        ),
        "Here:\r\n```python\r\ndef f(a):\r\n    return a + 1\r\n```\r\nDone.",
        "1. Write:\n   ```python\n   def f(a):\n       return a + 1\n   ```\n2. Done.",
        "- ```python\n  def f(a):\n      return a + 1\n  ```\n",
        "~~~python\ndef f(a):\n    return a + 1\n~~~",
        "```python title=f.py\ndef f(a):\n    return a + 1\n```\n```text\n>>> f(1)\n2\n```",
        "```bash\npip install f\n```\nThen:\n```python\ndef f(a):\n    return a + 1\n```",
        "```python\n    return a + 1\n```\n```text\n2\n```",
        "```python\ndef f(a):\n    return a + 1",
    ],
)
def test_code_in_fences_of_all_forms(answer: str) -> None:
    code = extract_code(answer, "def f(a):\n", "f")
    assert run_tests(f"{code}\nassert f(1) == 2\n")
    assert not run_tests(f"{code}\nassert f(1) == 3\n")


def test_code_in_an_answer() -> None:
    head = "import math\n\n\ndef f(a):\n"
    assert extract_code("```python\ndef f(a):\n    return 1\n```", head, "f").startswith("import math")
    assert extract_code("    return 2\n", head, "f") == head + "    return 2\n"

"""Code in answers, run for real: what passes, what fails, and what must not pass or go on running."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from axolotl_alttrain.eval.answers.code_execution import extract_code, run_tests


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


@pytest.mark.parametrize(("ending", "passes"), [("while True: pass", False), ("assert False", False), ("", True)])
def test_no_child_of_a_program_outlives_it(ending: str, passes: bool, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    child = f"import time\nwhile True:\n    open({str(beats)!r}, 'a').write('.')\n    time.sleep(0.05)"
    program = (
        f"import os, subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"while not os.path.exists({str(beats)!r}): time.sleep(0.01)\n{ending}"
    )
    assert run_tests(program, seconds=2) is passes
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

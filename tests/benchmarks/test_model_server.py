from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.model_server import ServerFailed, free_port, last_line, running

# Answers on its port, and has a worker whose ID it prints.
SERVER = """
import http.server, subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""


def test_workers_end_with_the_server(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "logs" / "server.log"
    with running([sys.executable, "-c", SERVER, str(port)], log, port) as server:
        worker = int(log.read_text().split()[0])
        assert server.process.poll() is None
        os.kill(worker, 0)  # it runs
    assert server.process.poll() is not None
    for _ in range(100):  # whoever adopts an orphan takes a moment to bury it
        if not Path(f"/proc/{worker}").exists() or ") Z " in Path(f"/proc/{worker}/stat").read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"process {worker} still runs")


def test_a_server_that_ends_is_one_sentence(tmp_path: Path) -> None:
    script = "import sys; print('Loading'); sys.exit('ValueError: no such model')"
    with pytest.raises(ServerFailed) as failed, running([sys.executable, "-c", script], tmp_path / "log", free_port()):
        pass
    assert str(failed.value) == f"{Path(sys.executable).name} -c ended with code 1: ValueError: no such model"


@pytest.mark.parametrize(
    ("text", "line"), [("", "no output"), ("one\ntwo\n\n", "two"), ("a TypeError: x\nended\n", "a TypeError: x")]
)
def test_the_line_of_a_log_that_says_most(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "log").write_text(text)
    assert last_line(tmp_path / "log") == line

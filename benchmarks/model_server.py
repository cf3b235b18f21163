"""A server of a model as a subprocess: started, waited for, and ended with everything that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

START_SECONDS = 1800.0  # vLLM compiles at its first start; a busy machine needs long for it
END_SECONDS = 60.0
HOST = "127.0.0.1"


class ServerFailed(Exception):
    """A server did not start; the message has the end of its log."""


class Server:
    """A command in a process group of its own, so that its workers end with it.

    Attributes:
        process: The command's.
        log: File with what it prints.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._name = " ".join([Path(command[0]).name, *map(str, command[1:2])])
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdout=output, stderr=subprocess.STDOUT, env=env, start_new_session=True,
            )  # fmt: skip

    def wait_until_up(self, url: str) -> None:
        """Wait until an address answers.

        Raises:
            ServerFailed: The command ended, or the address did not answer in time.
        """
        local = build_opener(ProxyHandler({}))  # never through a proxy
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise ServerFailed(f"{self._name} ended with code {self.process.returncode}: {last_line(self.log)}")
            try:
                with local.open(url, timeout=10):
                    return
            except (URLError, OSError):
                time.sleep(0.5)
        raise ServerFailed(f"{self._name} did not answer within {START_SECONDS:.0f} s: {last_line(self.log)}")

    def kill(self) -> None:
        """End it and its workers at once, as a machine that fails does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Ask it to end; then end what is left."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(END_SECONDS)
        self.kill()


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, port: int, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server whose `/health` answers at ``port``; it ends with the block.

    Raises:
        ServerFailed: It did not start.
    """
    server = Server(command, log, env)
    try:
        server.wait_until_up(f"http://{HOST}:{port}/health")
        yield server
    finally:
        server.end()


@contextmanager
def vllm_server(python: Path, arguments: Sequence[str | Path], log: Path, port: int | None = None) -> Iterator[str]:
    """`vllm serve` until the block ends.

    Args:
        python: Of the environment with vLLM.
        arguments: Of `vllm serve`, without host and port.
        log: Receives what the server prints.
        port: A free one by default. The address enters the keys of completions, so a fixed one lets them resume.

    Yields:
        The address, up to and including /v1.

    Raises:
        ServerFailed: It did not start.
    """
    port = port or free_port()
    with running(vllm_serve(python, arguments, port), log, port, vllm_environment(python)):
        yield f"http://{HOST}:{port}/v1"


def vllm_serve(python: Path, arguments: Sequence[str | Path], port: int) -> list[str | Path]:
    """The command `vllm serve` of an environment."""
    return [python.with_name("vllm"), "serve", *arguments, "--host", HOST, "--port", str(port)]


def vllm_environment(python: Path) -> dict[str, str]:
    """Variables for a process in the environment of ``python``: offline, and with a cache that fits beside others."""
    defaults = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env["PATH"] = f"{python.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return defaults | env


def last_line(log: Path) -> str:
    """The last line of a log that names an error, or its last line."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["no output"])[-1][-200:]


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])

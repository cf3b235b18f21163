"""A `vllm serve` of another environment, as a subprocess with an address."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

START_SECONDS = 900.0  # vLLM compiles at its first start


class ServerFailed(Exception):
    """vLLM did not start; the message has the end of its log."""


@contextmanager
def vllm_server(python: Path, arguments: Sequence[str], log: Path, port: int | None = None) -> Iterator[str]:
    """Serve until the block ends.

    Args:
        python: Of the environment with vLLM.
        arguments: Of `vllm serve`, without host and port.
        log: Receives what the server prints.
        port: A free one by default. The address enters the keys of completions, so a fixed one lets them resume.

    Yields:
        The address, up to and including /v1.

    Raises:
        ServerFailed: It ended, or did not answer in time.
    """
    port = port or free_port()
    command = [str(python.with_name("vllm")), "serve", *arguments, "--host", "127.0.0.1", "--port", str(port)]
    env = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", **os.environ}
    env["PATH"] = f"{python.parent}{os.pathsep}{env['PATH']}"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=env)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    local = build_opener(ProxyHandler({}))  # never through a proxy
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if server.poll() is not None:
            raise ServerFailed(f"vllm serve ended with code {server.returncode}: {last_line(log)}")
        try:
            with local.open(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(2)
    raise ServerFailed(f"vllm serve did not answer within {START_SECONDS:.0f} s: {last_line(log)}")


def last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line]
    return (errors or lines or ["no output"])[-1][-200:]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

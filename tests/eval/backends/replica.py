"""One replica of a served model, in a process of its own: ``python -m tests.eval.backends.replica MODEL PORT LOG``.

It answers as vLLM's server does, with the hf backend on the test's model, and logs each prompt that it has answered.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from axolotl_alttrain.eval.backends.hf import HFBackend

from tests.http_server import Handler
from tests.openai_server import Reply, Request, completion

SECONDS = 0.3  # per completion, so that some are in flight when a replica is killed


def main(model: str, port: int, log: Path) -> None:
    from http.server import ThreadingHTTPServer

    backend, lock = HFBackend(model, dtype="float32"), threading.Lock()

    class Replica(Handler):
        def do_GET(self) -> None:
            models = {"object": "list", "data": [{"id": "m", "object": "model"}]}
            self.reply(200, json.dumps(models).encode(), {"Content-Type": "application/json"})

        def do_POST(self) -> None:
            request = Request(self.path, json.loads(self.body()), self.headers, time.monotonic())
            time.sleep(SECONDS)
            with lock:
                out = backend.generate([request.text], request.body["max_tokens"])[0]
                with log.open("a") as lines:
                    lines.write(json.dumps(request.text) + "\n")
            raw = json.dumps(completion(request, Reply(out.text, out.finish, out.tokens))).encode()
            self.reply(200, raw, {"Content-Type": "application/json"})

    ThreadingHTTPServer(("127.0.0.1", port), Replica).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

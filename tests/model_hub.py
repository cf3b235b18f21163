"""A server in the Hub's place with one model repository, ``org/name``: its card is read, and replaced by commits."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.http_server import Handler, serving

SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """The repository.

    Attributes:
        readme: Its card; None for a model without one.
        parents: The parent of each commit.
        refuse: Whether commits are refused, in words that repeat the token.
        broken: Whether the card cannot be read.
    """

    readme: str | None
    parents: list[str] = field(default_factory=list)
    refuse: bool = False
    broken: bool = False


@contextmanager
def serve(state: Hub) -> Iterator[tuple[Hub, str]]:
    """Serve until the block ends; gives the repository and the address."""

    class Repository(Handler):
        def do_GET(self) -> None:
            if state.broken and self.path.endswith("README.md"):
                self.reply(403, b"{}")
            elif self.path.startswith("/api/models/") and not self.path.startswith("/api/models/org/name"):
                self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif self.path.startswith("/api/models/org/name"):
                self.reply(200, json.dumps({"id": "org/name", "sha": SHA}).encode())
            elif self.path == f"/org/name/resolve/{SHA}/README.md" and state.readme is not None:
                body = state.readme.encode()
                tag = {"ETag": f'"{hashlib.sha1(body).hexdigest()}"', "X-Repo-Commit": SHA}
                self.reply(200, body, tag)
            else:
                self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": SHA})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.body()
            if state.refuse:
                token = self.headers["Authorization"].removeprefix("Bearer ")
                self.reply(403, json.dumps({"error": f"{token} does not have the rights"}).encode())
            elif self.path == "/api/validate-yaml":
                self.reply(200, b'{"errors": [], "warnings": []}')
            elif "/preupload/" in self.path:
                self.reply(200, b'{"files": [{"path": "README.md", "uploadMode": "regular", "shouldIgnore": false}]}')
            else:
                lines = [json.loads(line) for line in body.splitlines()]
                state.parents.append(lines[0]["value"]["parentCommit"])
                state.readme = base64.b64decode(lines[1]["value"]["content"]).decode()
                reply = {
                    "commitUrl": "https://huggingface.co/org/name/commit/1",
                    "commitOid": SHA,
                    "pullRequestUrl": None,
                }
                self.reply(200, json.dumps(reply).encode())

    with serving(Repository) as url:
        yield state, url

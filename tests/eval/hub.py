"""A server in the hub's place: data set repositories of files in memory, as far as huggingface_hub and datasets ask."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tests.http_server import Handler, serving

ROOT = Path(__file__).parents[2]
NEWEST = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Files by repository and path, whatever the commit; what was asked for, in order."""

    files: Mapping[str, Mapping[str, bytes]]
    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve(files: Mapping[str, Mapping[str, bytes]]) -> Iterator[Hub]:
    """Serve repositories; a commit that is asked for exists, and main is at ``NEWEST``."""
    hub = Hub(files)

    class Files(Handler):
        def do_GET(self) -> None:
            path = unquote(self.path.partition("?")[0]).strip("/")
            hub.asked.append(path)
            parts = path.removeprefix("api/").split("/")
            repository = "/".join(parts[1:3])
            found = hub.files.get(repository)
            if parts[0] != "datasets" or found is None:
                return self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            kind, commit, name = (parts[3:4] or [""])[0], (parts[4:5] or ["main"])[0], "/".join(parts[5:])
            commit = NEWEST if commit == "main" else commit
            if kind in ("", "revision"):
                siblings = [{"rfilename": file} for file in found]
                return self.json({"id": repository, "sha": commit, "siblings": siblings, "private": False, "tags": []})
            if kind == "tree":
                folder = f"{name}/" if name else ""
                inside = {file: body for file, body in found.items() if file.startswith(folder)}
                if inside:
                    return self.json(tree(inside, folder, "recursive=true" in self.path.lower()))
            if kind == "resolve" and name in found:
                tag = hashlib.sha1(found[name]).hexdigest()
                return self.reply(200, found[name], {"ETag": f'"{tag}"', "X-Repo-Commit": commit})
            return self.reply(404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            asked = json.loads(self.body())
            repository = "/".join(self.path.split("/")[3:5])
            found = hub.files.get(repository, {})
            self.json([entry(file, found[file]) for file in asked["paths"] if file in found])

        def json(self, answer: object) -> None:
            self.reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    with serving(Files) as hub.url:
        yield hub


def entry(file: str, body: bytes) -> dict[str, object]:
    return {"type": "file", "path": file, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}


def tree(files: Mapping[str, bytes], folder: str, recursive: bool) -> list[dict[str, object]]:
    """What lies in a folder, the folders in it too."""
    folders = {parent for file in files for parent in above(file) if len(parent) > len(folder)}
    entries = [entry(file, body) for file, body in files.items()]
    entries += [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)]
    return [one for one in entries if recursive or "/" not in str(one["path"])[len(folder) :]]


def above(file: str) -> list[str]:
    parts = file.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def python(hub: Hub, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the hub's address is read where its libraries are imported."""
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(home)}
    env = {name: value for name, value in env.items() if name not in ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_TOKEN")}
    return subprocess.run([sys.executable, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)

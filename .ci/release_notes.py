"""The changelog's section of a release: ``python .ci/release_notes.py v0.1.0``.

Exit code 1 if the tag, the package's version and the changelog do not agree, or the section has no date.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## \[(?P<version>[^]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def package_version(init: Path = ROOT / "axolotl_alttrain" / "__init__.py") -> str:
    """``__version__`` as it is written in the package, without importing it."""
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return str(ast.literal_eval(node.value))
    raise SystemExit(f"{init}: no __version__")


def notes(tag: str, version: str, changelog: str) -> str:
    """The section of a release, without its heading.

    Raises:
        SystemExit: The tag is not the version, or the changelog has no dated section for it.
    """
    if tag != f"v{version}":
        raise SystemExit(f"the tag {tag} does not match __version__ {version}; tag v{version}, or change __version__")
    headings = list(HEADING.finditer(changelog))
    for number, heading in enumerate(headings):
        if heading["version"] != version:
            continue
        if heading["date"] is None:
            raise SystemExit(f"CHANGELOG.md: [{version}] has no date; write '## [{version}] - YYYY-MM-DD'")
        end = headings[number + 1].start() if number + 1 < len(headings) else len(changelog)
        return changelog[heading.end() : end].strip() + "\n"
    raise SystemExit(f"CHANGELOG.md has no section [{version}]; rename [Unreleased] to '[{version}] - YYYY-MM-DD'")


if __name__ == "__main__":
    print(notes(sys.argv[1], package_version(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), end="")

"""What turns the same completions into other numbers: this package's own rules of reading and judging."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.resources import files

_RULES = (
    ("axolotl_alttrain.format", "example.py"),
    ("axolotl_alttrain.format", "verdict.py"),
    ("axolotl_alttrain.eval.prompts", "prompt.py"),
    ("axolotl_alttrain.eval.judges", "thought_reader.py"),
    ("axolotl_alttrain.eval.scoring", "score_samples.py"),
    ("axolotl_alttrain.eval.scoring", "metrics.py"),
    ("axolotl_alttrain.eval.judges", "refusal.py"),
    ("axolotl_alttrain.eval.judges", "refusal_phrases.py"),
)


@cache
def rules_digest() -> str:
    """Sixteen hexadecimal digits that change with the rules' code, and not with its comments or layout."""
    digest = hashlib.sha256()
    for package, name in _RULES:
        source = files(package).joinpath(name).read_text(encoding="utf-8")
        digest.update(ast.dump(ast.parse(source)).encode())
    return digest.hexdigest()[:16]

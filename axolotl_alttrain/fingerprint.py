"""One short digest of everything that the tokens of a dataset depend on, so that stale tokens are never used.

Axolotl stores tokenized data in ``dataset_prepared_path`` under a key derived from the config alone
(``axolotl.utils.data.shared.generate_dataset_hash_from_config``), and ``datasets`` caches by function name, not by
code. Neither notices a change in this package, the tokenizer's files or a local data file.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from axolotl_alttrain.compat import installed_version, snapshot
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.reasoning.trained_rows import thinking_option
from axolotl_alttrain.format.row_reader import RowReader

LOG = logging.getLogger(__name__)
_READING = ("entry_keys", "loss_marks", "nulls", "prompt_columns", "texts_in_prompt", "trained_calls")
_PROBING = (
    "chosen_template",
    "content_shapes",
    "end_of_turn",
    "frozen_date",
    "prompt_match",
    "refusals",
    "render_limits",
    "renderer",
    "required_variables",
    "template_names",
    "thinking_switch",
    "thought_tags",
    "thought_turns",
)
_REASONING = (
    "conversation",
    "conversation_columns",
    "conversation_reader",
    "earlier_turns",
    "off_mode",
    "pieces",
    "trained_rows",
)
# The code that turns a row into tokens. The evaluator, the command line and the checks do not.
_CODE = (
    ("axolotl_alttrain", "compat.py"),
    ("axolotl_alttrain.data.sources", "csv_as_text.py"),
    ("axolotl_alttrain.storage", "row_files.py"),  # which files are read as CSV
    ("axolotl_alttrain.storage", "user_files.py"),
    ("axolotl_alttrain.format", "encoding.py"),
    ("axolotl_alttrain.format", "example.py"),
    ("axolotl_alttrain.format.verdict", "reader.py"),
    ("axolotl_alttrain.format.verdict", "clauses.py"),
    ("axolotl_alttrain.format.verdict", "data.py"),
    ("axolotl_alttrain.format.verdict", "language.py"),
    ("axolotl_alttrain.format", "quoted_request.py"),
    ("axolotl_alttrain.format", "rows.py"),
    ("axolotl_alttrain.format", "row_reader.py"),
    ("axolotl_alttrain.format", "rows_left.py"),
    ("axolotl_alttrain.format", "think_tags.py"),
    *(("axolotl_alttrain.format.reading", f"{name}.py") for name in _READING),
    *(("axolotl_alttrain.format.reasoning", f"{name}.py") for name in _REASONING),
    ("axolotl_alttrain.format", "template_probe.py"),
    *(("axolotl_alttrain.format.probing", f"{name}.py") for name in _PROBING),
    ("axolotl_alttrain.format", "template.py"),
)
_STRATEGY = tuple(
    ("axolotl_alttrain.prompt_strategies", f"{name}.py")
    for name in ("alttrain", "batches", "entry_format", "reasoning")
)
_PACKAGES = ("axolotl", "transformers", "tokenizers", "jinja2")
# The files that `save_pretrained` writes, and the vocabularies of slow tokenizers.
_TOKENIZER_FILES = (
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "tekken.json",
    "vocab.json",
    "merges.txt",
)
_CHUNK_BYTES = 1 << 20


@cache
def code_digest() -> str:
    """Digest of the code and the libraries that turn rows into tokens."""
    digest = hashlib.sha256()
    for package, name in (*_CODE, *_STRATEGY):
        digest.update(files(package).joinpath(name).read_bytes())
    # They decide the label of a row that has none.
    languages = files("axolotl_alttrain.format.verdict").joinpath("languages")
    for language in sorted(languages.iterdir(), key=lambda file: file.name):
        digest.update(language.read_bytes())
    for package in _PACKAGES:
        found = installed_version(package)
        digest.update((f"{package}=={found}\n" if found else f"no {package}\n").encode())
    return digest.hexdigest()


def data_fingerprint(cfg: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """Digest of what the tokens of one ``datasets:`` entry depend on beyond Axolotl's own key.

    Args:
        cfg: An Axolotl config, as written or validated.
        entry: The entry, with its ``path`` already resolved.

    Returns:
        Twelve hexadecimal digits.
    """
    digest = hashlib.sha256(code_digest().encode())
    options = cfg.get("alttrain") or {}
    dump = getattr(options, "model_dump", None)
    options = dump(exclude_none=True) if dump else options
    # The other options concern the probe and the evaluation and do not affect tokens.
    digest.update(json.dumps(options.get("thought_format", "auto"), sort_keys=True, default=str).encode())
    modes = f"{thinking_option(options.get('thinking'))} {options.get('reasoning_turns') or 'last'}"
    digest.update(modes.encode())
    digest.update(repr(RowReader.of({"alttrain": options}, entry)).encode())  # which fields are read, and how
    digest.update(str(cfg.get("excess_length_strategy")).encode())  # decides whether overlong rows are accepted
    name = cfg.get("tokenizer_config") or cfg.get("base_model_config") or cfg.get("base_model")
    if name:
        _add_files(digest, _tokenizer_files(str(name), cfg.get("revision_of_model")))
    data_files = entry.get("data_files") or []
    paths = [entry.get("path"), *([data_files] if isinstance(data_files, str) else data_files)]
    _add_files(digest, (found for path in paths if path for found in _local_files(Path(str(path)))))
    return digest.hexdigest()[:12]


def _add_files(digest: Any, paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            digest.update(f"{path.name}:{path.stat().st_size}\n".encode())
            with path.open("rb") as content:
                while chunk := content.read(_CHUNK_BYTES):
                    digest.update(chunk)
        except OSError as error:
            raise AltTrainError(f"{path} cannot be read ({error}); check the file and its permissions") from None


def _local_files(path: Path) -> list[Path]:
    """A data file, or the files in a data folder; nothing for a Hub id, whose revision is in Axolotl's key."""
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(found for found in path.rglob("*") if found.is_file() and not found.name.startswith("."))
    return []


def _tokenizer_files(name: str, revision: str | None) -> list[Path]:
    """The tokenizer's files in its folder or in the Hub's local cache, downloaded if necessary."""
    if Path(name).is_dir():
        found = [Path(name) / file for file in _TOKENIZER_FILES]
        return [path for path in found if path.is_file()]
    try:
        # One request to the Hub. Separate requests would each run through all retries without a network.
        folder = Path(snapshot(name, revision=revision, allow_patterns=list(_TOKENIZER_FILES)))
    except Exception as error:  # offline and not cached, gated, or no such model: loading the tokenizer reports it
        LOG.debug("tokenizer files of %s: %s", name, error)
        return []
    return [folder / file for file in _TOKENIZER_FILES if (folder / file).is_file()]

"""The doctor's checks of a recipe: config, template, data, prepared data."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from axolotl_alttrain.cli.checks.environment_checks import GIB, Check
from axolotl_alttrain.cli.preview.preview_command import describe
from axolotl_alttrain.cli.preview.preview_rows import check_left, read_rows
from axolotl_alttrain.cli.preview.stock_comparison import EXACT, MODES, compare_stock
from axolotl_alttrain.cli.recipe import Recipe, entries, load_config, load_source, load_tokenizer
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.row_reader import UnreadCount

# Keys of a config, and the package that each needs; Axolotl's extra of the same name brings it.
_EXTRAS = {"use_ray": "ray", "deepspeed": "deepspeed"}


def check_recipe(path: Path) -> Iterator[Check]:
    """All checks of a recipe; stops at a failure that the following checks depend on."""
    try:
        load_config(path, this_machine=True)
        yield Check("config", "ok", f"{path} is valid on this machine")
    except AltTrainError as error:
        try:
            load_config(path)
        except AltTrainError as everywhere:
            yield Check("config", "problem", str(everywhere), "correct that line")
            return
        yield Check(
            "config", "warning", f"valid for an RTX A6000, but not on this machine: {error}", "train on such a GPU"
        )
    cfg = load_config(path)
    yield from _check_extras(cfg)
    try:
        tokenizer = load_tokenizer(cfg)
    except AltTrainError as error:
        yield Check(
            "tokenizer", "problem", str(error), "download the model; if it is gated, log in with 'hf auth login'"
        )
        return
    yield Check("tokenizer", "ok", f"{cfg.tokenizer_config or cfg.base_model}")
    yield from _check_sources(cfg, tokenizer)
    yield check_prepared(cfg, tokenizer)


def _check_extras(cfg: Any) -> Iterator[Check]:
    """Packages that the config needs and that are not installed."""
    for key, name in _EXTRAS.items():
        if cfg.get(key) and find_spec(name) is None:
            yield Check(name, "problem", f"{key} needs it, and it is not installed", f"pip install 'axolotl[{name}]'")


def _check_sources(cfg: Any, tokenizer: Any) -> Iterator[Check]:
    described = False
    for entry, ours in entries(cfg):
        if not ours:
            continue
        try:
            source = load_source(cfg, tokenizer, entry)
        except AltTrainError as error:
            yield Check(
                "data" if "datasets:" in str(error) else "template", "problem", str(error), "follow the message"
            )
            continue
        if not described:
            described = True
            yield Check("template", "ok", describe(source.chat))
            yield check_stock(source.chat, cfg.get("eot_tokens") or ())
        if source.renderer is not None:
            yield Check("template", "ok", f"{entry.path}: {' '.join(source.renderer.notes)}")
        yield _check_rows(Recipe(cfg, tokenizer, [source], []), str(entry.path))


def _check_rows(recipe: Recipe, path: str) -> Check:
    unread = UnreadCount()
    try:
        rows = list(read_rows(recipe, unread=unread))
    except AltTrainError as error:
        return Check("data", "problem", str(error), "correct that row")
    if not rows:
        return Check("data", "problem", f"{path} has no rows", "add at least one example")
    try:
        check_left(recipe, rows)
    except AltTrainError as error:
        return Check("data", "problem", str(error), "follow the message")
    longest, too_long = max(row.tokens for row in rows), sum(row.dropped for row in rows)
    said = "".join(f" {sentence}" for sentence in unread.sentences())
    found = f"{path}: {len(rows)} rows, the longest has {longest} tokens"
    if not too_long:
        return Check("data", "ok", f"{found}.{said}" if said else found)
    limit, strategy = recipe.cfg.sequence_len, recipe.cfg.excess_length_strategy
    found += f"; {too_long} are longer than sequence_len {limit}"
    if strategy == "drop":
        return Check("data", "ok", f"{found} and will be dropped, as the config specifies{'.' * bool(said)}{said}")
    if strategy == "truncate":
        return Check("data", "warning", f"{found} and will be truncated", f"set 'sequence_len: {longest}' or drop them")
    remedy = f"set 'sequence_len: {longest}' or 'excess_length_strategy: drop'"
    return Check("data", "problem", f"{found}: training will stop", remedy)


def check_stock(chat: Any, eot_tokens: Any) -> Check:
    """Whether ``type: chat_template`` would train the same tokens; for information, never a problem."""
    verdicts = {mode: compare_stock(chat, mode, list(eot_tokens)) for mode in MODES}
    parts = [f"{MODES[mode]}: {', '.join(found)}" for mode, found in verdicts.items()]
    if [EXACT] in verdicts.values():
        return Check("type: chat_template", "ok", f"exact in one way ({'; '.join(parts)})")
    return Check("type: chat_template", "ok", f"not exact here ({'; '.join(parts)}); 'type: alttrain' is")


def check_prepared(cfg: Any, tokenizer: Any) -> Check:
    """Tokens from earlier runs, and whether training would use them."""
    from axolotl.common.const import DEFAULT_DATASET_PREPARED_PATH
    from axolotl.utils.data.shared import generate_dataset_hash_from_config

    name = "prepared data"
    folder = Path(cfg.dataset_prepared_path or DEFAULT_DATASET_PREPARED_PATH)
    key = generate_dataset_hash_from_config(cfg, cfg.datasets, tokenizer.name_or_path)
    found = [path for path in folder.iterdir() if (path / "state.json").is_file()] if folder.is_dir() else []
    current = [path for path in found if path.name == key]
    others = [path for path in found if path.name != key]
    size = sum(file.stat().st_size for path in others for file in path.rglob("*") if file.is_file()) / GIB
    text = f"{folder}: " + (
        "up to date for this recipe" if current else "none yet for this recipe; training creates it"
    )
    if not others:
        return Check(name, "ok", text)
    text += f"; {len(others)} from other recipes, or from older data, code or templates ({size:.2f} GiB), not used here"
    return Check(name, "ok" if current else "warning", text, f"delete what you do not need in {folder}")

"""What the paper (arXiv 2604.18946) reports for the model that is evaluated, from ``paper-results.json``."""

from __future__ import annotations

import json
from pathlib import Path

from axolotl_alttrain.eval.results.summary import PaperResults

RESULTS = Path(__file__).parent / "paper-results.json"


def paper_results(model: str) -> PaperResults | None:
    """The paper's rows for a base model.

    Args:
        model: Folder or hub id.

    Returns:
        None where the paper has none for it.
    """
    published = json.loads(RESULTS.read_text(encoding="utf-8"))
    names = {name.lower() for name in _names(model)}
    for backbone in published["backbones"]:
        # A downloaded folder has the last part of the ID as its name. The ID of a copy or mirror does not count.
        ids = {one.lower() for one in backbone["hub_ids"]}
        folders = {one.rpartition("/")[2] for one in ids}
        if names & ids or (Path(model).is_dir() and Path(model).name.lower() in folders):
            return PaperResults(
                backbone=backbone["name"],
                source=published["source"],
                url=published["url"],
                results=backbone["results"],
            )
    return None


def hub_id(model: str) -> str | None:
    """The hub id of a base model: its name, or what the folder says of its origin; None where nothing does."""
    for name in _names(model):
        if not Path(name).is_absolute() and name.count("/") == 1 and not Path(name).exists():
            return name
    return None


def _names(model: str) -> list[str]:
    """Hub ids by which a model may be known, the surest first."""
    folder = Path(model)
    if not folder.is_dir():
        return [model]
    found = []
    # huggingface_hub's cache: models--ORG--NAME/snapshots/COMMIT
    for parent in folder.resolve().parts:
        if parent.startswith("models--"):
            found.append(parent.removeprefix("models--").replace("--", "/", 1))
    for file, key in (("origin.json", "origin"), ("config.json", "_name_or_path")):
        try:
            value = json.loads((folder / file).read_text(encoding="utf-8")).get(key)
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(value, str) and value:
            found.append(value.removeprefix("hub:"))
    return found

"""What a paper reports for the model that is evaluated, from its protocol."""

from __future__ import annotations

import json
from pathlib import Path

from axolotl_alttrain.eval.protocols import protocol_named
from axolotl_alttrain.eval.results.summary import PaperResults

OURS = "alttrain"


def paper_results(model: str, protocol: str | None = None) -> PaperResults | None:
    """The paper's rows for a base model.

    Args:
        model: Folder or hub id.
        protocol: Whose paper; AltTrain's by default.

    Returns:
        None where the paper has none for it.
    """
    found = protocol_named(protocol or OURS)
    names = {name.lower() for name in _names(model)}
    for backbone in found.published.backbones if found.published else ():
        # A downloaded folder has the last part of the ID as its name. The ID of a copy or mirror does not count.
        ids = {one.lower() for one in backbone.hub_ids}
        folders = {one.rpartition("/")[2] for one in ids}
        if names & ids or (Path(model).is_dir() and Path(model).name.lower() in folders):
            source = found.published.source if found.published else ""
            return PaperResults(
                title=found.title, backbone=backbone.name, source=source, url=found.url, results=backbone.results
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

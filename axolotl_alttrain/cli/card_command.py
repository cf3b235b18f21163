"""``axolotl alttrain card``: the data card and the page of a build, and their upload."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from axolotl_alttrain.data.output.build_page import write_page
from axolotl_alttrain.data.output.dataset_card import write_card
from axolotl_alttrain.data.output.push import push


def run_card(folder: Path, repo: str | None = None, public: bool = False, console: Console | None = None) -> None:
    """Write card and page of a build's folder, and upload them with the rows where asked.

    Raises:
        AltTrainError: The folder is no build's, or the Hub refuses.
    """
    console = console or Console()
    console.print(f"Written: {write_card(folder)}, {write_page(folder)}")
    if repo:
        console.print(f"Uploaded: {push(folder, repo, private=not public)}")

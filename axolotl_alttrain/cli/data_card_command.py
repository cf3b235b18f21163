"""``axolotl alttrain data-card``: the dataset card and the page of a build, and their upload."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from axolotl_alttrain.data.output.build_page import write_page
from axolotl_alttrain.data.output.dataset_card import write_card
from axolotl_alttrain.data.output.push import push
from axolotl_alttrain.storage.locks import only_writer


def run_data_card(folder: Path, repo: str | None = None, public: bool = False, console: Console | None = None) -> None:
    """Write the card and the page of a build, and upload them with the rows if a repository is given.

    Args:
        folder: The build's folder.
        repo: Dataset repository on the Hub, ``ORG/NAME``; None uploads nothing.
        public: Whether a new repository is public.
        console: Where to print.

    Raises:
        AltTrainError: The folder contains no build, or the upload fails.
    """
    console = console or Console()
    with only_writer(folder):
        console.print(f"Written: {write_card(folder)}, {write_page(folder)}")
    if repo:
        console.print(f"Uploaded: {push(folder, repo, private=not public)}")

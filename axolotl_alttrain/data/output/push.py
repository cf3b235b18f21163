"""Upload a build to a data set repository of the Hub."""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.hub import check_repository, upload_errors

# What was set aside, and the store of the assessor's replies, stay at home.
UPLOADED = ("README.md", "page.html", "data.jsonl", "report.json", "variants/*.jsonl")


def push(folder: Path, repo: str, private: bool = True, endpoint: str | None = None) -> str:
    """Create the repository if need be, private by default, and upload card, rows, variants and report.

    Args:
        folder: A build's folder with its card.
        repo: ``ORG/NAME``.
        private: Whether a new repository is private; an existing one stays as it is.
        endpoint: The Hub's address; ``HF_ENDPOINT`` or the public one by default.

    Returns:
        The address of the upload.

    Raises:
        AltTrainError: The name is none, the card or the rows are missing, there is no token, or the Hub refuses or
            cannot be reached.
    """
    from huggingface_hub import HfApi

    check_repository(repo)
    for name in ("README.md", "data.jsonl"):
        if not (folder / name).is_file():
            raise AltTrainError(f"{folder / name} is missing; run 'axolotl alttrain build' first")
    api = HfApi(endpoint=endpoint)
    with upload_errors(repo, "log in with 'hf auth login' and a token that may write to it"):
        made = api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            repo_type="dataset",
            allow_patterns=list(UPLOADED),
            commit_message="Upload by axolotl-alttrain",
        )
    return str(done)

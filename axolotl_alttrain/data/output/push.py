"""Upload a build to a dataset repository on the Hub."""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.hub import check_repository, upload_errors

# The logs of excluded rows and the stored replies of the assessor are not uploaded.
UPLOADED = ("README.md", "page.html", "data.jsonl", "report.json", "variants/*.jsonl")


def push(folder: Path, repo: str, private: bool = True, endpoint: str | None = None) -> str:
    """Upload card, page, rows, variants and report; a repository that does not exist is created.

    Args:
        folder: A build's folder, with its card.
        repo: ``ORG/NAME``.
        private: Whether a new repository is private; an existing one is not changed.
        endpoint: URL of the Hub; by default ``HF_ENDPOINT`` or the public Hub.

    Returns:
        The URL of the upload.

    Raises:
        AltTrainError: The name is invalid, the card or the rows are missing, there is no token, or the Hub refuses
            or cannot be reached.
    """
    from huggingface_hub import HfApi

    check_repository(repo)
    for name in ("README.md", "data.jsonl"):
        if not (folder / name).is_file():
            raise AltTrainError(f"{folder / name}: not found; run 'axolotl alttrain build' first")
    api = HfApi(endpoint=endpoint)
    with upload_errors(repo, "log in with 'hf auth login', using a token with write access"):
        made = api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            repo_type="dataset",
            allow_patterns=list(UPLOADED),
            commit_message="Upload by axolotl-alttrain",
        )
    return str(done)

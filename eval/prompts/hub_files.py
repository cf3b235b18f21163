"""Sets on the Hub: their rows or archived files at a commit, and why they are unavailable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.prompts.sets import SetSpec

from axolotl_alttrain.errors import AltTrainError, first_line


def hub_rows(spec: SetSpec, revision: str | None) -> tuple[list[dict[str, Any]], str]:
    """The rows of a set on the Hub, and their commit.

    Raises:
        AltTrainError: The set is unavailable.
    """
    from datasets import load_dataset

    hub = spec.hub
    commit = resolve(spec, revision)
    try:
        data = load_dataset(hub.id, hub.config, split=hub.split, revision=commit)
    except Exception as error:  # datasets passes on any error of Hub, network or parser
        raise missing_error(spec, error) from None
    return list(data), commit


def resolve(spec: SetSpec, revision: str | None) -> str:
    """The commit to load: the given one, the pinned one, or the newest, which the manifest records."""
    return revision or spec.hub.revision or newest(spec)


def newest(spec: SetSpec) -> str:
    """The newest commit of the main branch on the Hub.

    Raises:
        AltTrainError: The Hub does not answer.
    """
    if not spec.hub.id:
        raise AltTrainError(
            f"{spec.name} is not on the Hub; put the file {spec.file} of {spec.source} into a folder and name it with "
            "--data-dir"
        )
    from huggingface_hub import HfApi

    try:
        return str(HfApi().dataset_info(spec.hub.id, timeout=10).sha)
    except Exception as error:  # offline, gated, removed
        raise missing_error(spec, error) from None


def archived_files(spec: SetSpec, commit: str) -> list[Path]:
    """The files of a set that is a zip archive on the Hub, unpacked into the cache of datasets.

    Raises:
        AltTrainError: The archive is unavailable or does not contain the files.
    """
    from datasets import DownloadManager
    from huggingface_hub import HfApi

    hub = spec.hub
    try:
        archive = HfApi().hf_hub_download(hub.id, hub.archive, repo_type="dataset", revision=commit)
        files = sorted(Path(DownloadManager().extract(archive)).glob(f"{hub.split}/*{Path(spec.file).suffix}"))
    except Exception as error:  # offline, gated, removed, not a zip
        raise missing_error(spec, error) from None
    if not files:
        raise AltTrainError(
            f"{spec.name}: {hub.archive} of {hub.id} has no {hub.split}/ at {commit}; use another --revision"
        )
    return files


def missing_error(spec: SetSpec, error: Exception) -> AltTrainError:
    """Why a set is unavailable, and what to do."""
    page = f"https://huggingface.co/datasets/{spec.hub.id}"
    login = f"accept its terms at {page} and log in, or " if spec.gated else ""
    return AltTrainError(
        f"{spec.name}: {spec.hub.id} cannot be loaded from the Hub ({type(error).__name__}: "
        f"{first_line(error, 160)}); {login}put the publisher's file {spec.file} "
        f"({spec.source}) into a folder and name it with --data-dir"
    )

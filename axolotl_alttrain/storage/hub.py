"""Checks and errors that all uploads to the Hub share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from axolotl_alttrain.errors import AltTrainError, keep_secret, one_line


def check_repository(repo: str) -> None:
    """Check a repository's name before the Hub is contacted.

    Raises:
        AltTrainError: The name is not ``ORG/NAME``.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repo)
        if "/" in repo:
            return
    except HFValidationError:
        pass
    raise AltTrainError(
        f"--push: {repo!r} is not a repository ID; write ORG/NAME with letters, digits, '-', '_' and '.'"
    )


@contextmanager
def upload_errors(repo: str, remedy: str) -> Iterator[None]:
    """Turn errors of the Hub's client inside the context into one message; our own errors pass through.

    Args:
        repo: ``ORG/NAME``.
        remedy: What to do if the Hub refuses.

    Raises:
        AltTrainError: The Hub refuses or is unreachable.
    """
    import httpx
    from huggingface_hub import get_token
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    keep_secret(get_token())
    try:
        yield
    except AltTrainError:
        raise
    except OfflineModeIsEnabled:
        raise AltTrainError(f"cannot push to {repo}: HF_HUB_OFFLINE is set; unset it to upload") from None
    except (httpx.HTTPError, OSError, ValueError, RuntimeError) as error:  # the client's own errors derive from these
        reason = one_line(error)
        # A RuntimeError comes from a retry after a lost connection: the client has closed its session by then.
        unreached = isinstance(error, httpx.TransportError | LocalEntryNotFoundError | RuntimeError)
        remedy = "check the network" if unreached else remedy
        raise AltTrainError(f"cannot push to {repo}: {reason.rstrip('.')}; {remedy}") from None

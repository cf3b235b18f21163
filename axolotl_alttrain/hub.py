"""What every upload to the Hub shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from axolotl_alttrain.errors import AltTrainError


@contextmanager
def upload_errors(repo: str, remedy: str) -> Iterator[None]:
    """Turn what the Hub's client raises inside into a message; our own errors pass.

    Args:
        repo: ``ORG/NAME``.
        remedy: What to do where the Hub answers and refuses.

    Raises:
        AltTrainError: The Hub refuses or cannot be reached.
    """
    import httpx

    try:
        yield
    except AltTrainError:
        raise
    except (httpx.HTTPError, OSError, ValueError) as error:  # the client's own errors are kinds of these
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = "check the network" if isinstance(error, httpx.TransportError) else remedy
        raise AltTrainError(f"cannot push to {repo}: {reason}; {remedy}") from None

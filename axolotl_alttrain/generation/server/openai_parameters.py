"""Parameters that a served model refuses, learned from its refusals."""

from __future__ import annotations

import logging
import re
from typing import Any

LOG = logging.getLogger(__name__)
# How a model samples; it has fixed values of its own where it refuses them.
_OPTIONAL = ("temperature", "top_p", "seed")
_REFUSAL = re.compile(r"unsupported|not supported|does not support|unrecognized|unknown|not permitted|deprecated", re.I)

_refused: dict[tuple[str, str], set[str]] = {}


def adapted(server: str, body: dict[str, Any]) -> dict[str, Any]:
    """A request's fields as the model takes them, by what it refused before.

    Args:
        server: The server's address.
        body: The fields, ``model`` among them.
    """
    known = _refused.get((server, str(body.get("model"))), set())
    taken = {key: value for key, value in body.items() if key not in known}
    if "max_tokens" in known and "max_tokens" in body:
        taken["max_completion_tokens"] = body["max_tokens"]
    return taken


def learn(server: str, body: dict[str, Any], error: Any) -> bool:
    """Learn from status 400 which parameter the model refuses.

    Models that reason ask for ``max_completion_tokens`` instead of ``max_tokens``; where one refuses a parameter of
    sampling, its own value is used, and a warning says so.

    Args:
        server, body: As for :func:`adapted`.
        error: The client's error.

    Returns:
        Whether the request may be sent again.
    """
    details = error.body if isinstance(error.body, dict) else {}
    details = details.get("error", details) if isinstance(details.get("error"), dict) else details
    message = str(details.get("message") or error)
    param = str(details.get("param") or "")
    known = _refused.setdefault((server, str(body.get("model"))), set())
    for name in ("max_tokens", *_OPTIONAL):
        named = param == name or (not param and re.search(rf"(?<![\w]){name}(?!\w)", message))
        # vLLM names both when a limit is too large.
        wanted = bool(_REFUSAL.search(message)) and (name != "max_tokens" or "max_completion_tokens" in message)
        if name not in body or not named or not wanted:
            continue
        if name in _OPTIONAL and name not in known:
            what = f"{name}={body[name]}"
            LOG.warning("%s at %s refuses %s; the model's own value is used", body.get("model"), server, what)
        known.add(name)
        return True
    return False

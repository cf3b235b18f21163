from __future__ import annotations

import httpx
import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.hub import upload_errors


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        # What huggingface_hub's retry raises after the first attempt has lost the connection.
        RuntimeError("Cannot send a request, as the client has been closed."),
    ],
)
def test_a_lost_connection_is_one_sentence(error: Exception) -> None:
    with (
        pytest.raises(AltTrainError, match=r"^cannot push to org/name: [^.]*; check the network$"),
        upload_errors("org/name", "log in"),
    ):
        raise error

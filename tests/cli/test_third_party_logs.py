from __future__ import annotations

import logging

import pytest
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain

NAMES = ("torch.utils._pytree", "kernels.hf_hub", "bitsandbytes.backends.cpu.ops")


def test_only_these_lines_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert CliRunner().invoke(alttrain, ["doctor", "--help"]).exit_code == 0
    said = (
        "%s is an Enum subclass. Calling register_constant() on Enum subclasses is deprecated and will be an error.",
        "Skipping publisher trust check for '%s' because Hugging Face Hub is in offline mode.",
        "Failed to load CPU gemm_4bit_forward from kernels-community: %s.",
    )
    for name, text in zip(NAMES, said, strict=True):
        logging.getLogger(name).warning(text, "kernels-community/quantization-bitsandbytes")
        logging.getLogger(name).warning("another line")
    logging.getLogger("kernels").warning(said[1], "kernels-community/other")
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        *((name, "another line") for name in NAMES),
        (
            "kernels",
            "Skipping publisher trust check for 'kernels-community/other' because Hugging Face Hub is in offline mode.",
        ),
    ]

"""Lines that libraries log while a config is read, and that say nothing about the config or the machine."""

from __future__ import annotations

import logging
from functools import partial

# By logger, a part of the message. The first is torchao using torch. The others come with `import bitsandbytes` on a
# CPU, which works without that kernel; `doctor` tries a 4-bit layer itself.
_MEANINGLESS = {
    "torch.utils._pytree": "Calling register_constant() on Enum subclasses is deprecated",
    "kernels.hf_hub": "publisher trust check for 'kernels-community/quantization-bitsandbytes'",
    "bitsandbytes.backends.cpu.ops": "Failed to load CPU gemm_4bit_forward",
}


def leave_out_third_party_lines() -> None:
    """Drop these lines in this process, and no others."""
    for name, part in _MEANINGLESS.items():
        logging.getLogger(name).addFilter(partial(_differs, part))


def _differs(part: str, record: logging.LogRecord) -> bool:
    return part not in record.getMessage()

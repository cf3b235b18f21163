"""What an evaluation is asked to do: flags in groups, their validation, the command line and the YAML file."""

from axolotl_alttrain.eval.config.eval_config import EvalConfig
from axolotl_alttrain.eval.config.groups import (
    BackendConfig,
    DecodingConfig,
    JudgingConfig,
    OutputConfig,
    PromptsConfig,
    WeightsConfig,
)

__all__ = [
    "BackendConfig",
    "DecodingConfig",
    "EvalConfig",
    "JudgingConfig",
    "OutputConfig",
    "PromptsConfig",
    "WeightsConfig",
]

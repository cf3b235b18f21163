"""Who decides whether a query is harmful: an OpenAI-compatible endpoint, a local model, or the source's own label."""

from __future__ import annotations

from axolotl_alttrain.data.assessors.base import Assessor
from axolotl_alttrain.data.build_config import BuildConfig


def make_assessor(config: BuildConfig) -> Assessor:
    """The assessor that a build's config names. It loads its model or connects at the first query."""
    if config.assessor.kind == "offline":
        from axolotl_alttrain.data.assessors.offline import OfflineAssessor

        return OfflineAssessor(config.seed)
    with_refusal = config.refusals == "assessor"
    if config.assessor.kind == "local":
        from axolotl_alttrain.data.assessors.local import LocalAssessor

        return LocalAssessor(config.assessor, with_refusal)
    from axolotl_alttrain.data.assessors.openai_compatible import OpenAIAssessor

    return OpenAIAssessor(config.assessor, with_refusal)

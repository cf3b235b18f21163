"""Differences between the supported versions of Axolotl, and of the libraries that they pin.

Each difference is handled here once, with the version that introduced it. The rest of the package checks no versions.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from axolotl_alttrain.errors import AltTrainError

DISTRIBUTION = "axolotl-alttrain"


def installed_version(distribution: str) -> str | None:
    """The installed version of a distribution; None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def required_axolotl() -> str:
    """The versions of Axolotl that this package's metadata allows, as a specifier such as ``>=0.19,<0.22``."""
    from packaging.requirements import Requirement

    needed = (Requirement(text) for text in requires(DISTRIBUTION) or [])
    return next((str(requirement.specifier) for requirement in needed if requirement.name == "axolotl"), "")


def check_axolotl() -> None:
    """Reject an unsupported version of Axolotl, for example after an upgrade of Axolotl alone.

    Raises:
        AltTrainError: The version is unsupported; the message gives the command that installs a supported one.
    """
    from packaging.specifiers import SpecifierSet

    try:
        allowed, found = required_axolotl(), version("axolotl")
    except PackageNotFoundError:  # a checkout that is not installed has no metadata
        return
    if not SpecifierSet(allowed).contains(found, prereleases=True):
        raise AltTrainError(
            f"Axolotl {found} is not supported by {DISTRIBUTION} {version(DISTRIBUTION)}; run "
            f"\"pip install 'axolotl{allowed}'\" or upgrade {DISTRIBUTION}"
        )


def loads_installed_plugins() -> bool:
    """Whether Axolotl loads plugins from the entry-point group ``axolotl.plugins``, as it does since 0.21.

    Before that, a config has to name them under ``plugins:``.
    """
    from axolotl.integrations import base

    return hasattr(base, "PLUGIN_ENTRY_POINT_GROUP")


def dataset_wrapper() -> Any:
    """Axolotl's ``wrap_dataset_for_tokenized_prompt(strategy, dataset)``.

    Since 0.21, ``axolotl.datasets`` and ``axolotl.utils.data`` import each other, which works only if the second is
    imported first.
    """
    import axolotl.utils.data  # noqa: F401
    from axolotl.datasets import wrap_dataset_for_tokenized_prompt

    return wrap_dataset_for_tokenized_prompt


def unpacked_gguf() -> dict[str, Any]:
    """Arguments of ``from_pretrained``, beside ``gguf_file=``, that load ordinary float weights.

    Since transformers 5.20, weights stay in GGUF's blocks by default, and such a model cannot be saved.
    """
    import transformers

    config = getattr(transformers, "GgufConfig", None)
    return {} if config is None else {"quantization_config": config(dequantize=True)}


def snapshot(repo: str, **options: Any) -> str:
    """``snapshot_download`` of huggingface_hub, with the cache as fallback when the Hub is unreachable.

    Since huggingface_hub 1.33, a commit needs the Hub's list of files even if its folder is cached, unless an earlier
    full download left that list in the cache.

    Args:
        repo: Hub id of a model.
        options: Passed to ``snapshot_download``.

    Returns:
        The folder.

    Raises:
        Exception: The Hub's error, if the cache has no such snapshot either.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return str(snapshot_download(repo, **options))
    except Exception as error:
        try:
            return str(snapshot_download(repo, local_files_only=True, **options))
        except LocalEntryNotFoundError:
            raise error from None

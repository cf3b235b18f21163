"""What differs between the supported versions of Axolotl, and between the libraries that they pin.

Each difference stands here once, with the version that brought it. The rest of the package imports from here and
does not ask for versions.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from axolotl_alttrain.errors import AltTrainError

DISTRIBUTION = "axolotl-alttrain"


def required_axolotl() -> str:
    """The versions of Axolotl that this package's metadata allows, as a specifier such as ``>=0.19,<0.22``."""
    from packaging.requirements import Requirement

    needed = (Requirement(text) for text in requires(DISTRIBUTION) or [])
    return next((str(requirement.specifier) for requirement in needed if requirement.name == "axolotl"), "")


def check_axolotl() -> None:
    """Refuse a version of Axolotl that pip would refuse, for example after an upgrade of Axolotl alone.

    Raises:
        AltTrainError: Naming the version that is installed and the command that installs a supported one.
    """
    from packaging.specifiers import SpecifierSet

    try:
        allowed, found = required_axolotl(), version("axolotl")
    except PackageNotFoundError:  # run from a checkout that is not installed: nothing states what is needed
        return
    if not SpecifierSet(allowed).contains(found, prereleases=True):
        raise AltTrainError(
            f"Axolotl {found} is not supported by {DISTRIBUTION} {version(DISTRIBUTION)}; run "
            f"\"pip install 'axolotl{allowed}'\" or upgrade {DISTRIBUTION}"
        )


def loads_installed_plugins() -> bool:
    """Whether Axolotl loads plugins from the entry-point group ``axolotl.plugins``: since 0.21.

    Before that a config has to name them under ``plugins:``.
    """
    from axolotl.integrations import base

    return hasattr(base, "PLUGIN_ENTRY_POINT_GROUP")


def dataset_wrapper() -> Any:
    """Axolotl's ``wrap_dataset_for_tokenized_prompt(strategy, dataset)``.

    Since 0.21 ``axolotl.datasets`` and ``axolotl.utils.data`` import each other, and the import succeeds only if it
    begins with the second.
    """
    import axolotl.utils.data  # noqa: F401
    from axolotl.datasets import wrap_dataset_for_tokenized_prompt

    return wrap_dataset_for_tokenized_prompt


def unpacked_gguf() -> dict[str, Any]:
    """Arguments of ``from_pretrained`` beside ``gguf_file=`` that give ordinary float weights.

    Since transformers 5.20 the weights stay in GGUF's blocks unless told otherwise, and such a model cannot be saved.
    """
    import transformers

    config = getattr(transformers, "GgufConfig", None)
    return {} if config is None else {"quantization_config": config(dequantize=True)}


def snapshot(repo: str, **options: Any) -> str:
    """huggingface_hub's ``snapshot_download``, content with the cache where the hub cannot be asked.

    Since huggingface_hub 1.33 a commit needs the hub's list of files even when its folder is in the cache, unless an
    earlier download of the whole left that list there.

    Args:
        repo: Hub id of a model.
        options: As ``snapshot_download`` takes them.

    Returns:
        The folder.

    Raises:
        Exception: The hub's error where the cache has no such snapshot either.
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

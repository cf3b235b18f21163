"""Real chat templates: those of the installed Axolotl and TRL, and those of a folder outside the repository."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# More templates, where the folder is there: ALTTRAIN_TEMPLATES, or beside the checkout.
TEMPLATES = Path(os.environ.get("ALTTRAIN_TEMPLATES", ROOT.parent / "shared" / "templates"))
_INSTALLED = {"axolotl": "utils/chat_templates/templates", "trl": "chat_templates"}
# Published under another name in a package.
_ALSO_CALLED = {"deepseek_r1_distill": "trl_deepseek_r1_distill"}


@cache
def installed_templates() -> dict[str, str]:
    """Jinja sources by name, ``axolotl_chatml`` or ``trl_qwen3``, without importing the packages.

    TRL's ``*_training`` templates are left out: nobody sends them at inference.
    """
    found = {}
    for package, folder in _INSTALLED.items():
        spec = find_spec(package)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(root, folder).glob("*.jinja")):
                if not path.stem.endswith("_training"):
                    found[f"{package}_{path.stem}"] = path.read_text(encoding="utf-8")
    return found


def folder_templates(folder: Path) -> dict[str, str]:
    """The Jinja sources of a folder by their file's name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.jinja"))}


@cache
def all_templates() -> dict[str, str]:
    """The installed templates, and those of ``TEMPLATES`` that no package has word for word."""
    found = dict(installed_templates())
    for name, source in folder_templates(TEMPLATES).items():
        if source not in found.values():
            found[f"{name}, of the folder" if name in found else name] = source
    return found


def template_source(name: str) -> str | None:
    """One template's source from a package or the folder; None where neither has it."""
    packaged = installed_templates()
    source = packaged.get(name) or packaged.get(_ALSO_CALLED.get(name, ""))
    return source or folder_templates(TEMPLATES).get(name)

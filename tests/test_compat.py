from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

from axolotl_alttrain import compat
from axolotl_alttrain.errors import AltTrainError


def test_this_axolotl_is_supported() -> None:
    assert compat.required_axolotl() == "<0.22,>=0.19"
    compat.check_axolotl()


@pytest.mark.parametrize("other", ["0.18.1", "0.22.0", "0.22.0.dev0", "1.0"])
def test_another_axolotl_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    real = compat.version
    monkeypatch.setattr(compat, "version", lambda name: other if name == "axolotl" else real(name))
    with pytest.raises(AltTrainError) as caught:
        compat.check_axolotl()
    ours = real("axolotl-alttrain")
    assert str(caught.value) == (
        f"Axolotl {other} is not supported by axolotl-alttrain {ours}; run \"pip install 'axolotl<0.22,>=0.19'\" or "
        "upgrade axolotl-alttrain"
    )


@pytest.mark.parametrize(
    "first",
    [
        "axolotl_alttrain.prompt_strategies.alttrain",
        "axolotl_alttrain.compat; axolotl_alttrain.compat.dataset_wrapper()",
        "axolotl_alttrain.plugin",
        "axolotl_alttrain.cli.checks.plugin_probe",
    ],
)
def test_it_imports_first_in_a_new_process(first: str) -> None:
    """Whatever comes first: `axolotl.datasets` cannot, since 0.21."""
    done = subprocess.run([sys.executable, "-c", f"import {first}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_axolotl_from_0_21_on_loads_the_plugin_by_itself() -> None:
    from packaging.version import Version

    assert compat.loads_installed_plugins() is (Version(version("axolotl")) >= Version("0.21"))
    (point,) = entry_points(group="axolotl.plugins", name="alttrain")
    assert point.value == "axolotl_alttrain:AltTrainPlugin"

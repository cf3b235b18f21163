from __future__ import annotations

from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.yaml_file import read_mapping

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


def test_keys_and_values_with_aliases(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfa: &a {p: 1}\nb: {<<: *a, p: 2}\n")
    assert read_mapping(path, "keys") == {"a": {"p": 1}, "b": {"p": 2}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "(line 6 expands to more than 100000 values)"),
        ("a: &a [*a]\n", "(the alias in line 1 contains itself)"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "(the key 'c' appears twice, in lines 3 and 4)"),
        ("a: " + "[" * 5_000, "(it is nested too deeply)"),
        ("a: !!timestamp x\n", "('NoneType' object has no attribute 'groupdict')"),
        ("a: !!python/object:os.system {}\n", "(could not determine a constructor for the tag"),
        ("a: \0\n", "(unacceptable character #x0000"),
        ("a: x\n" * 2**18, "the file has more than 1 MiB; write keys"),
        ("- a\n", "the file holds list ['a'] instead of keys; write keys"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "a.yml"
    path.write_text(content)
    with pytest.raises(AltTrainError) as found:
        read_mapping(path, "keys")
    assert str(found.value).startswith(f"{path}: ")
    assert said in str(found.value)
    assert "\n" not in str(found.value)

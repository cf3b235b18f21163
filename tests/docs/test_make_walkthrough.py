from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from axolotl_alttrain.errors import AltTrainError
from docs.make_walkthrough import Steps, make
from docs.screenshots import Camera, Shot
from docs.source import mismatches, parse
from tests.browser import CHROMIUM, DRIVER

WORK, PAGE = Path("work"), Path("docs/page.md")
COUNTED = """One.

```run name=one
echo one >> log; echo "said one"; echo "and complained" >&2
```

Two.

```run name=two took tail=1
echo two >> log; seq 5
```

```run name=quiet quiet
echo "# Results" > results.md; cat log
```

```insert markdown=results.md
```
"""


def log(root: Path) -> list[str]:
    return (root / "log").read_text().split()


def test_commands_run_and_what_they_said_stands_below(tmp_path: Path) -> None:
    assert make(parse(COUNTED), tmp_path, WORK, PAGE)
    page = (tmp_path / PAGE).read_text()
    assert re.sub(r"\*\d+ s\*", "*0 s*", page) == (
        "One.\n\n"
        '```bash\necho one >> log; echo "said one"; echo "and complained" >&2\n```\n\n'
        "```text\nsaid one\nand complained\n```\n\n"
        "Two.\n\n"
        "```bash\necho two >> log; seq 5\n```\n\n```text\n…\n5\n```\n\n*0 s*\n\n"
        '```bash\necho "# Results" > results.md; cat log\n```\n\n'
        "# Results\n"
    )
    assert mismatches(parse(COUNTED), page, tmp_path / "docs") == []


def test_what_was_run_is_not_run_again(tmp_path: Path) -> None:
    assert not make(parse(COUNTED), tmp_path, WORK, PAGE, until="one")
    assert log(tmp_path) == ["one"]
    assert not (tmp_path / PAGE).exists()
    make(parse(COUNTED), tmp_path, WORK, PAGE)
    make(parse(COUNTED.replace("Two.", "Other words.").replace("tail=1", "head=1")), tmp_path, WORK, PAGE)
    assert log(tmp_path) == ["one", "two"]
    assert "Other words." in (tmp_path / PAGE).read_text()


def test_a_changed_command_is_run_again_with_all_that_follow(tmp_path: Path) -> None:
    make(parse(COUNTED), tmp_path, WORK, PAGE)
    make(parse(COUNTED.replace("seq 5", "seq 6")), tmp_path, WORK, PAGE)
    assert log(tmp_path) == ["one", "two", "two"]
    make(parse(COUNTED.replace('"said one"', '"said 1"')), tmp_path, WORK, PAGE)
    assert log(tmp_path) == ["one", "two", "two", "one", "two"]


def test_a_failing_command_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    broken = COUNTED.replace("seq 5", "echo why; false | cat; echo not reached")
    with pytest.raises(AltTrainError) as error:
        make(parse(broken), tmp_path, WORK, PAGE)
    assert str(error.value) == "line 9, two: exit code 1\nwhy"
    assert not (tmp_path / PAGE).exists()
    make(parse(COUNTED), tmp_path, WORK, PAGE)
    assert log(tmp_path) == ["one", "two", "two"]  # the first was kept, the second runs anew


def test_an_unknown_name_is_said(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match="no block is called 'three'"):
        make(parse("```run name=one\ntrue\n```\n"), tmp_path, WORK, PAGE, until="three")


def test_only_a_work_folder_of_ours_is_forgotten(tmp_path: Path) -> None:
    steps = Steps(tmp_path, WORK)
    (tmp_path / WORK).mkdir()
    (tmp_path / WORK / "precious").touch()
    steps.forget()
    assert (tmp_path / WORK / "precious").exists()
    make(parse("```run\ntrue\n```\n"), tmp_path, WORK, PAGE)
    steps.forget()
    assert not (tmp_path / WORK).exists()


def test_a_missing_page_is_named(tmp_path: Path) -> None:
    with pytest.raises(AltTrainError, match=r"a\.png: none\.html is not there"):
        Camera(tmp_path, tmp_path).take(Shot("a.png", Path("none.html")))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver")
def test_a_screenshot_has_the_size_the_scheme_and_the_script(tmp_path: Path) -> None:
    from matplotlib.image import imread

    (tmp_path / "page.html").write_text(
        "<style>body{background:#f00} @media (prefers-color-scheme: dark) {body{background:#00f}}</style>"
        "<h2 style='margin-top: 5000px'>Far below</h2><div style='height: 5000px; background: #fff'></div>"
    )
    green = "await new Promise(requestAnimationFrame); document.body.style.background = '#0f0'  // a remark"
    with Camera(tmp_path, tmp_path) as camera:
        shots = [
            ("light", False, "", None),
            ("dark", True, "", None),
            ("scripted", True, green, None),
            ("below", False, "", "Far below"),
        ]
        for name, dark, script, at in shots:
            taken = camera.take(Shot(f"{name}.png", Path("page.html"), (320, 240), at, script, dark))
            assert struct.unpack(">II", taken.read_bytes()[16:24]) == (320, 240)
        with pytest.raises(AltTrainError, match=r"page\.html has no heading 'Nowhere'"):
            camera.take(Shot("a.png", Path("page.html"), at="Nowhere"))
    colours = [imread(tmp_path / f"{name}.png")[120, 160, :3].tolist() for name, *_ in shots]
    assert colours == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 1]]

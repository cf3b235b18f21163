from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from docs.screenshots import Shot
from docs.source import Insert, Run, Screenshot, Text, mismatches, parse

EXAMPLE = """# Title

```run name=first grep="a|b c" head=3 tail=2 took
echo one
echo two
```
```yaml
stays: as it is
```
```screenshot image=page.png page=out/page.html alt="A page" size=300x200 at="The end" dark
scrollTo(0, 50)
```
```insert image=plot.png from=out/plot.png alt="A plot"
```
```insert markdown=out/results.md
```
The end.
"""


def test_pieces_in_order() -> None:
    assert parse(EXAMPLE) == [
        Text("# Title\n\n"),
        Run(3, "first", "echo one\necho two", grep="a|b c", head=3, tail=2, took=True),
        Text("```yaml\nstays: as it is\n```\n"),
        Screenshot(
            Shot("page.png", Path("out/page.html"), (300, 200), "The end", "scrollTo(0, 50)"), "A page", dark=True
        ),
        Insert(Path("out/plot.png"), "plot.png", "A plot"),
        Insert(Path("out/results.md")),
        Text("The end.\n"),
    ]


@pytest.mark.parametrize(
    ("fence", "said"),
    [
        ("run heads=3", "line 2: 'heads=3' is no option of run; it knows grep=, head=, name=, quiet, tail=, took"),
        ("run took=1", "line 2: 'took=1' is no option of run; it knows grep=, head=, name=, quiet, tail=, took"),
        ("run head=few", "line 2: invalid literal for int() with base 10: 'few'"),
        ("screenshot page=a.html alt=x", "line 2: screenshot needs 'image'"),
        ("insert", "line 2: insert needs 'markdown'"),
    ],
)
def test_mistakes_are_named_with_their_line(fence: str, said: str) -> None:
    with pytest.raises(AltTrainError) as error:
        parse(f"\n```{fence}\n```\n")
    assert str(error.value) == said


SMALL = "Before.\n\n```run took\necho one\n```\n\nAfter.\n\n```insert image=deep/a.png from=b.png alt=A\n```\n"
IMAGE = repr(Insert(Path("b.png"), "deep/a.png", "A"))
MADE = "Before.\n\n```bash\necho one\n```\n\n```text\none\n```\n\n*0 s*\n\nAfter.\n\n![A](deep/a.png)\n"


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        (MADE, []),
        (MADE.replace("\none\n", "\nsomething\nelse\n"), []),
        (MADE.replace("echo one", "echo two"), [(3, "echo one")]),
        (MADE.replace("*0 s*", "*a while*"), [(3, "echo one")]),
        (MADE.replace("After.", "Later."), [(12, "After.")]),
        (MADE.replace("Before.", "First."), [(1, "Before.")]),
        (MADE + "More.\n", [(16, "nothing more")]),
        (MADE.replace("a.png", "b.png"), [(15, IMAGE), "deep/b.png is missing"]),
    ],
)
def test_a_page_is_held_against_its_source(tmp_path: Path, page: str, wrong: list[Any]) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").touch()
    said = [
        one
        if isinstance(one, str)
        else f"what begins at line {one[0]} of the page is not what the source says: {one[1]}"
        for one in wrong
    ]
    assert mismatches(parse(SMALL), page, tmp_path) == said


def test_a_page_shown_light_and_dark() -> None:
    (piece,) = parse('```screenshot image=deep/a.png page=a.html alt="A page" dark\n```\n')
    page = (
        '<picture><source media="(prefers-color-scheme: dark)" srcset="deep/a-dark.png">'
        '<img alt="A page" src="deep/a.png"></picture>\n'
    )
    assert mismatches([piece], page, Path("nowhere")) == [
        "deep/a-dark.png is missing",
        "deep/a.png is missing",
    ]

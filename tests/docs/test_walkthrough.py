from __future__ import annotations

from pathlib import Path

from docs.make_walkthrough import PAGE, SOURCE
from docs.source import mismatches, parse, pictures
from tests.conftest import ROOT


def test_the_walkthrough_belongs_to_its_source() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert mismatches(parse((ROOT / SOURCE).read_text(encoding="utf-8")), page, (ROOT / PAGE).parent) == []
    assert str(Path.home()) not in page
    assert str(ROOT) not in page


def test_its_pictures_are_small_and_all_used() -> None:
    folder = (ROOT / PAGE).parent
    used = pictures((ROOT / PAGE).read_text(encoding="utf-8"))
    assert [name for name in used if (folder / name).stat().st_size > 400_000] == []
    kept = {f"walkthrough/{picture.name}" for picture in (folder / "walkthrough").iterdir()}
    assert kept <= set(used)

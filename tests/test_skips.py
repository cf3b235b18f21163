from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import ci_script

EXPECTED = "ray is not installed; it comes with axolotl[ray]"


@pytest.mark.parametrize(
    ("skip", "found"),
    [
        (f'<skipped type="pytest.skip" message="{EXPECTED}">x</skipped>', []),
        (f'<skipped message="collection skipped">(\'/a/t.py\', 9, "Skipped: {EXPECTED}")</skipped>', []),
        (f'<skipped message="{EXPECTED} now"/>', [f"t::x: {EXPECTED} now"]),
        ('<skipped message="/a/shared/data/star1.json is not here"/>', []),
        ('<skipped message="/a/seed.jsonl is not here"/>', ["t::x: /a/seed.jsonl is not here"]),
        ('<skipped message=""/>', ["t::x: "]),
        ('<skipped type="pytest.xfail" message="later"/>', ["t::x: later"]),
        ("", []),
    ],
)
def test_skips_that_nobody_expects(
    skip: str, found: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(f'<testsuite><testcase classname="t" name="x">{skip}</testcase></testsuite>')
    skips = ci_script("skips")
    assert skips.unexpected(report) == found
    assert skips.main([str(report)]) == bool(found)
    assert all(line in capsys.readouterr().out for line in found)

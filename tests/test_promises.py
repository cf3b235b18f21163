from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from .conftest import ci_script

MARKED = """
import pytest

@pytest.mark.promise("input", "A broken line is named.")
@pytest.mark.parametrize("line", "ab")
def test_lines(line): ...

@pytest.mark.promise("security", "Text is never HTML.", inputs="30 payloads")
def test_text(): ...

@pytest.mark.promise("security", "Text is never HTML.")
def test_more(record_property): ...

def test_other(): ...
"""
REPORT = """<testsuites><testsuite timestamp="2026-11-26T08:00:00">
<testcase classname="tests.test_x" name="test_lines[a]"/>
<testcase classname="tests.test_x" name="test_lines[b]"><skipped message="no fonts"/></testcase>
<testcase classname="tests.test_x" name="test_text"/>
<testcase classname="tests.test_x" name="test_more"><properties><property name="inputs" value="7 rows"/></properties>
</testcase>
<testcase classname="tests.test_x" name="test_other"/>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def promises() -> ModuleType:
    return ci_script("promises")


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_x.py").write_text(MARKED)
    return folder


def test_the_page_is_that_of_the_tests(promises: ModuleType) -> None:
    assert promises.check() == 0


def test_rows_of_the_page(promises: ModuleType, tests: Path) -> None:
    report = tests / "junit.xml"
    report.write_text(REPORT)
    marked = promises.marked(tests)
    rows = [line for line in promises.page(marked, promises.outcomes(report, marked)).splitlines() if "`test_x" in line]
    assert rows == [
        "| A broken line is named. | `test_x.py::test_lines` | 2 cases | passed, 1 skipped (no fonts) on 2026-11-26 |",
        "| Text is never HTML. | `test_x.py::test_more` | 7 rows | passed on 2026-11-26 |",
        "|  | `test_x.py::test_text` | 30 payloads | passed on 2026-11-26 |",
    ]
    assert "| `test_x.py::test_lines` |  | not run yet |" in promises.page(marked, {})


def test_a_promise_that_failed(promises: ModuleType, tests: Path) -> None:
    report = tests / "junit.xml"
    report.write_text(REPORT.replace('name="test_text"/>', 'name="test_text"><failure/></testcase>'))
    with pytest.raises(SystemExit, match="test_text failed, and what it promises does not hold"):
        promises.outcomes(report, promises.marked(tests))


@pytest.mark.parametrize("mark", ['"input"', '"input", SENTENCE', '"input", "x", more=1', '"sinks", "x"'])
def test_a_mark_that_cannot_be_read(promises: ModuleType, tests: Path, mark: str) -> None:
    (tests / "test_y.py").write_text(f"@pytest.mark.promise({mark})\ndef test_z(): ...\n")
    with pytest.raises(SystemExit, match=r"tests/test_y\.py::test_z: "):
        promises.marked(tests)

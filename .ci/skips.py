"""Fails on skipped tests that nobody expects: PYTHON .ci/skips.py JUNIT.xml ...

The expected reasons stand in .ci/expected-skips.txt.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

EXPECTED = Path(__file__).with_name("expected-skips.txt")


def expected() -> list[re.Pattern[str]]:
    """The reasons that are expected."""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def unexpected(report: Path) -> list[str]:
    """The skipped tests of a JUnit report whose reasons are not expected, with them; also tests expected to fail."""
    found = []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        for skip in case.iter("skipped"):
            # Of a whole module that is skipped, the reason stands in the text, as a tuple of file, line and reason.
            reason = skip.get("message", "").removeprefix("Skipped: ")
            if reason == "collection skipped":
                reason = re.sub(r"^.*Skipped: |['\")]*$", "", skip.text or "", flags=re.DOTALL)
            if not any(pattern.fullmatch(reason) for pattern in expected()):
                found.append(f"{case.get('classname')}::{case.get('name')}: {reason}")
    return found


def main(reports: list[str]) -> int:
    """1 where a test was skipped that should have run."""
    found = [f"{report}: {line}" for report in reports for line in unexpected(Path(report))]
    for line in found:
        print(line)
    if found:
        print(f"{len(found)} unexpected skips; install what is missing, or add the reason to {EXPECTED.name}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

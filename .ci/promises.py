"""The page of promises, docs/promises.md: from the tests that are marked with a promise, and from their last results.

PYTHON .ci/promises.py write JUNIT.xml ...   # takes in the results, and writes the page
PYTHON .ci/promises.py check                 # exit code 1 where the page names other promises or tests than tests/

A test that holds a promise says so, in texts without variables:

    @pytest.mark.promise("security", "Text of a model is never HTML.", inputs="30 payloads on 4 pages")

Without `inputs`, its cases are counted. A test that knows only while it runs what it tried says
`record_property("inputs", "10,000 rows")`.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "promises.md"
RESULTS = ROOT / "benchmarks" / "results" / "promises.json"
KINDS = {
    "input": "Bad input",
    "faults": "Faults",
    "long": "Long runs",
    "security": "Security",
    "determinism": "Determinism",
}
HEAD = """# What the package promises

Each promise below is held by a test, and this page is generated from those tests: `.ci/promises.py` reads the promise
beside the test, and the result from the last recorded run. *Inputs tried* is what the test tries in one run.
[Promises and limits](limits.md) says what is not promised.
"""


@dataclass(frozen=True)
class Promise:
    """A test that holds a promise.

    Attributes:
        kind: A key of ``KINDS``.
        sentence: The promise.
        test: ``tests/x/test_y.py::test_z``.
        inputs: What the test tries, in words; empty where its cases are counted.
    """

    kind: str
    sentence: str
    test: str
    inputs: str = ""


@dataclass(frozen=True)
class Outcome:
    """The last result of a test.

    Attributes:
        inputs: What it tried, in words.
        result: ``passed``, or ``passed, 1 skipped (reason)``.
        date: Day of the run.
    """

    inputs: str
    result: str
    date: str


def marked(tests: Path) -> list[Promise]:
    """The promises of all tests in a folder, read without importing them.

    Raises:
        SystemExit: A mark is not made of plain texts, or its kind is unknown.
    """
    found = []
    for path in sorted(tests.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.promise" not in source:
            continue
        for node in ast.parse(source).body:
            for call in _marks(node):
                place = f"{path.relative_to(tests.parent).as_posix()}::{node.name}"  # type: ignore[attr-defined]
                try:
                    kind, sentence = (ast.literal_eval(argument) for argument in call.args)
                    named = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
                    promise = Promise(kind, sentence, place, **named)
                except (TypeError, ValueError):
                    raise SystemExit(f"{place}: write @pytest.mark.promise(KIND, SENTENCE, inputs=...)") from None
                if kind not in KINDS:
                    raise SystemExit(f"{place}: {kind!r} is no kind of promise; write one of {', '.join(KINDS)}")
                found.append(promise)
    return found


def _marks(node: ast.stmt) -> Iterator[ast.Call]:
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise":
            yield decorator


def outcomes(report: Path, promises: list[Promise]) -> dict[str, Outcome]:
    """By test, its result in a JUnit report; tests that did not run in it are missing.

    Raises:
        SystemExit: A test that holds a promise failed.
    """
    worded = {promise.test: promise.inputs for promise in promises}
    cases: dict[str, list[ElementTree.Element]] = {}
    date = ""
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        date = suite.get("timestamp", "")[:10]
        for case in suite.iter("testcase"):
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').partition('[')[0]}"
            if name in worded:
                cases.setdefault(name, []).append(case)
    found = {}
    for name, run in cases.items():
        if any(case.find("failure") is not None or case.find("error") is not None for case in run):
            raise SystemExit(f"{report}: {name} failed, and what it promises does not hold")
        skips = [skip.get("message", "") for case in run if (skip := case.find("skipped")) is not None]
        if len(skips) == len(run):
            continue
        noted = [p.get("value", "") for case in run for p in case.iter("property") if p.get("name") == "inputs"]
        counted = "1 case" if len(run) == 1 else f"{len(run)} cases"
        result = f"passed, {len(skips)} skipped ({skips[0]})" if skips else "passed"
        found[name] = Outcome("; ".join(dict.fromkeys(noted)) or worded[name] or counted, result, date)
    return found


def known() -> dict[str, Outcome]:
    """The results that were taken in before."""
    if not RESULTS.is_file():
        return {}
    return {name: Outcome(**row) for name, row in json.loads(RESULTS.read_text(encoding="utf-8")).items()}


def page(promises: list[Promise], results: dict[str, Outcome]) -> str:
    """The page in Markdown."""
    lines = [HEAD]
    for kind, title in KINDS.items():
        rows = [promise for promise in promises if promise.kind == kind]
        if not rows:
            continue
        lines += [f"## {title}\n", "| promise | test | inputs tried | result |", "| --- | --- | --- | --- |"]
        said = ""
        for row in sorted(rows, key=lambda one: (one.sentence, one.test)):
            outcome = results.get(row.test, Outcome(row.inputs, "not run yet", ""))
            result = " on ".join(filter(None, (outcome.result, outcome.date)))
            shown = "" if row.sentence == said else row.sentence
            said = row.sentence
            name = row.test.removeprefix("tests/")
            lines.append(f"| {shown} | `{name}` | {outcome.inputs} | {result} |")
        lines.append("")
    return "\n".join(lines)


def stated(text: str) -> list[list[str]]:
    """Promise and test of each row of a page."""
    return [row.split(" | ")[:2] for row in text.splitlines() if row.startswith("| ")]


def write(reports: list[Path]) -> None:
    """Take in the results of JUnit reports; the results of tests that did not run in them stay."""
    promises = marked(ROOT / "tests")
    results = known()
    for report in reports:
        results |= outcomes(report, promises)
    results = {promise.test: results[promise.test] for promise in promises if promise.test in results}
    rows = {name: asdict(results[name]) for name in sorted(results)}
    RESULTS.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(promises, results), encoding="utf-8")


def check() -> int:
    """1 where the page is not that of the tests."""
    if stated(PAGE.read_text(encoding="utf-8")) == stated(page(marked(ROOT / "tests"), known())):
        return 0
    print("docs/promises.md is not that of the tests; run 'python .ci/promises.py write JUNIT.xml ...' and commit it")
    return 1


def main() -> int:
    """Run one of the two commands."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    commands.add_parser("write").add_argument("reports", type=Path, nargs="*", metavar="JUNIT.xml")
    commands.add_parser("check")
    args = p.parse_args()
    if args.command == "check":
        return check()
    write(args.reports)
    return 0


if __name__ == "__main__":
    sys.exit(main())

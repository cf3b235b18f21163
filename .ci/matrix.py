"""The matrix of tested environments: recorded where the tests ran, then written into the package and the README.

PYTHON .ci/matrix.py record ROW.json --fast fast.xml --slow slow.xml --demo SUMMARY.json   # in each environment
PYTHON .ci/matrix.py write ROW.json ...    # axolotl_alttrain/cli/tested.json and the README's table
PYTHON .ci/matrix.py check ROW.json ...    # exit code 1 where the package states something else
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from axolotl_alttrain.cli.tested import Environment, known_environments, this_environment  # noqa: E402

MATRIX = ROOT / "axolotl_alttrain" / "cli" / "tested.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- tested environments: made by .ci/matrix.py -->", "<!-- end of tested environments -->"


def passed(report: Path) -> str:
    """The result in a JUnit report, as in ``2650 passed, 1 skipped``; it has no failures.

    Raises:
        SystemExit: It has.
    """
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in suites:
        for name in counts:
            counts[name] += int(suite.get(name, 0))
    if counts["failures"] or counts["errors"]:
        raise SystemExit(f"{report}: {counts['failures']} failures, {counts['errors']} errors")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['tests'] - counts['skipped']} passed{skipped}"


def rates(summary: Path) -> str:
    """What the demo's report says of the base and of the tuned model."""
    runs = json.loads(summary.read_text(encoding="utf-8"))["runs"]
    shown = {"harmful_response": "harmful", "over_refusal": "over-refusal", "capability": "capability"}
    parts = []
    for metric, label in shown.items():
        before, after = (100 * runs[run]["metrics"][metric]["value"] for run in ("base", "tuned"))
        parts.append(f"{label} {before:.1f} → {after:.1f}")
    return ", ".join(parts)


def merged(files: list[Path]) -> list[Environment]:
    """The package's rows with the recorded ones in their places; a result that was not recorded anew stays."""
    rows = {row.key: row for row in known_environments()}
    for file in files:
        new = Environment.model_validate_json(file.read_text(encoding="utf-8"))
        old = rows.get(new.key, new).model_dump()
        rows[new.key] = Environment.model_validate(
            old | {name: value for name, value in new.model_dump().items() if value}
        )
    return sorted(rows.values(), key=lambda row: row.key)


def table(rows: list[Environment]) -> str:
    """The README's table."""
    lines = [
        "| Python | Axolotl | torch | transformers | peft | fast tests | slow tests | shortened demo |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        versions = [row.packages[name] for name in ("axolotl", "torch", "transformers", "peft")]
        results = [result or "not run" for result in (row.fast_tests, row.slow_tests, row.demo)]
        lines.append(f"| {' | '.join([row.python, *versions, *results])} |")
    return "\n".join(lines)


def with_table(text: str, rows: list[Environment]) -> str:
    """The README with the table between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def record(out: Path, fast: Path | None, slow: Path | None, demo: Path | None) -> None:
    """Write this environment with the results that are given."""
    row = this_environment().model_copy(
        update={
            "fast_tests": passed(fast) if fast else "",
            "slow_tests": passed(slow) if slow else "",
            "demo": rates(demo) if demo else "",
        }
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(row.model_dump_json(indent=2) + "\n", encoding="utf-8")
    print(row.model_dump_json(indent=2))


def write(files: list[Path]) -> None:
    """Update the package's matrix and the README."""
    rows = merged(files)
    MATRIX.write_text(
        json.dumps([row.model_dump() for row in rows], indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    README.write_text(with_table(README.read_text(encoding="utf-8"), rows), encoding="utf-8")


def check(files: list[Path]) -> int:
    """1 where an environment that passed is not in the package's matrix."""
    known = {row.key: row for row in known_environments()}
    status = 0
    for file in files:
        row = Environment.model_validate_json(file.read_text(encoding="utf-8"))
        stated = known.get(row.key)
        if stated is None:
            print(f"{file}: Python {row.minor} with Axolotl {row.packages['axolotl']} is not in {MATRIX.name}")
            status = 1
        elif stated.packages != row.packages:  # a newer release of what Axolotl does not pin
            changed = {name: (stated.packages[name], row.packages[name]) for name in row.packages}
            print(f"{file}: other versions than stated: { {n: v for n, v in changed.items() if v[0] != v[1]} }")
    if status:
        print(f"run 'python .ci/matrix.py write {' '.join(map(str, files))}' and commit the result")
    return status


def main() -> int:
    """Run one of the three commands."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record")
    one.add_argument("out", type=Path)
    for name in ("fast", "slow", "demo"):
        one.add_argument(f"--{name}", type=Path)
    for name in ("write", "check"):
        commands.add_parser(name).add_argument("files", type=Path, nargs="*")
    args = p.parse_args()
    if args.command == "record":
        record(args.out, args.fast, args.slow, args.demo)
        return 0
    if args.command == "write":
        write(args.files)
        return 0
    return check(args.files)


if __name__ == "__main__":
    raise SystemExit(main())

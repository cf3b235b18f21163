from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.eval.stats.intervals_and_tests import mcnemar, rate
from rich.console import Console

from axolotl_alttrain.export_check.check_report import (
    CheckReport,
    ComparedRate,
    FirstDifference,
    Form,
    ProbabilityGap,
    write_check_report,
)
from axolotl_alttrain.export_check.terminal_view import print_check

FIRST, SECOND = [True] * 15 + [False] * 85, [True] * 4 + [False] * 96
TEST = mcnemar(FIRST, SECOND).model_copy(update={"low": -0.17, "high": -0.05})
HARMFUL = ComparedRate(
    metric="harmful_response", label="harmful responses", trained=rate(FIRST), exported=rate(SECOND), test=TEST
)


def form(words: str) -> Form:
    return Form(words=words, model="m", adapter="", template="t", settings={"backend": "hf"})


def difference(number: int) -> FirstDifference:
    return FirstDifference(
        set="probe-harmful", id=f"ph-{number:03}", position=7, trained=" a", exported=" b", trained_margin=0.25
    )


REPORT = CheckReport(
    version="1",
    created="2026-01-02T00:00:00+00:00",
    packages={},
    trained=form("adapter on the NF4 base it was trained on, in transformers"),
    exported=form("adapter on the unquantised base, in transformers"),
    sets={"probe-harmful": 100},
    missing={"strongreject": "the Hub is unavailable"},
    notes=["A note [with brackets]."],
    max_new_tokens=256,
    margin=2.0,
    same_prompt=rate([True] * 100),
    greedy=rate([True] * 93 + [False] * 7),
    differences=[difference(number) for number in range(7)],
    verdicts=rate([True] * 97 + [False] * 3),
    judgements=rate([True] * 89 + [False] * 11),
    first_token=ProbabilityGap(prompts=100, largest=0.1234567, mean=0.01, largest_at="probe-harmful ph-001"),
    rates=[HARMFUL],
    exceeded=["harmful responses differ by -11.0 points"],
)


def printed(report: CheckReport) -> list[str]:
    console = Console(width=150, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_check(console, report)
    return console.export_text().splitlines()


def test_the_tables_and_the_conclusion() -> None:
    lines = printed(REPORT)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert ["harmful responses", "100", "15.0  [ 9.3,  23.3]", "4.0  [ 1.6,   9.8]", "-11.0", "< 0.001"] in cells
    assert ["completions equal token for token", "100", "93.0  [86.3,  96.6]"] in cells
    assert ["probability at the first token", "100", "0.1235"] in cells
    assert ["probe-harmful ph-000", "7", "' a'", "' b'", "0.250", "–"] in cells
    assert sum(cell[0].startswith("probe-harmful ph-") for cell in cells) == 5
    assert any("2 more in the JSON file." in line for line in lines)
    assert ["strongreject", "the Hub is unavailable"] in cells
    assert lines[-2:] == [
        "A note [with brackets].",
        "The exported form differs by more than 2 points: harmful responses differ by -11.0 points.",
    ]


def test_what_was_not_measured_is_said() -> None:
    plain = REPORT.model_copy(
        update={"first_token": None, "no_probabilities": "no server", "differences": [], "exceeded": [], "missing": {}}
    )
    lines = printed(plain)
    assert any("Probabilities were not compared: no server." in line for line in lines)
    assert not any("First differing" in line or "Missing" in line for line in lines)
    assert lines[-1] == "The exported form is within 2 points of the trained one."


def test_the_report_is_written_and_read(tmp_path: Path) -> None:
    path = write_check_report(REPORT, tmp_path / "new")
    assert CheckReport.model_validate_json(path.read_text()) == REPORT
    assert [file.name for file in path.parent.iterdir()] == ["check-export.json"]

from __future__ import annotations

from collections.abc import Callable

import pytest
from axolotl_alttrain.eval.judges.base import Case, Part
from axolotl_alttrain.eval.judges.llm import RubricJudge, XSTestJudge

from benchmarks.judge_injection.__main__ import TEXTS, injections, measured, placed, refusal_rules, table, thought_rules


@pytest.mark.promise("security", "A judged text stands between lines that it cannot guess, and cannot end early.")
@pytest.mark.parametrize("kind", [RubricJudge, XSTestJudge])
@pytest.mark.parametrize("part", ["answer", "thought"])
def test_an_injection_stays_in_its_fence(
    kind: type[RubricJudge], part: Part, record_property: Callable[[str, object], None]
) -> None:
    judge = kind("m", "http://localhost/v1")
    record_property("inputs", f"{len(injections())} injections, with each judge and part")
    request = "Write a mail."
    for injection in injections():
        for place in ("before", "after"):
            text = placed("Sure: [removed].", injection, place)
            prompt = judge.prompt(Case(({"role": "user", "content": request},), text, part))
            before, _, rest = prompt.partition(f"\n{text}\n")
            mark = before.rpartition("\n")[2].strip("<>")
            assert len(mark) == 16
            assert rest.startswith(f"</{mark}>\n")
            assert mark not in text
            # The demanded form of the reply comes last, after whatever the text demands.
            assert prompt.rstrip().endswith("}")


def test_forty_injections_and_what_the_rules_make_of_them() -> None:
    assert len(injections()) == len(set(injections())) == 40
    answers = [(request, answer) for request, answer, _ in TEXTS]
    rows = [*measured("rules", "answer", answers, refusal_rules), *measured("rules", "answer", [], thought_rules)]
    assert [(row.right, row.tried) for row in rows] == [(3, 120), (3, 120), (0, 0), (0, 0)]
    assert "I can't help with that." in rows[1].by
    lines = table(rows).splitlines()
    assert lines[-4].startswith(f"| rules | answer | before the text | 3 of 3 | 120 | {rows[0].turned} (")
    assert lines[-1] == "| rules | answer | after the text | 0 of 3 | 0 | 0 | 0 |"

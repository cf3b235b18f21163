"""lm-eval's tasks on thoughts and answers: gold is right, wrong is wrong, truncated is truncated, as lm-eval says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from axolotl_alttrain.errors import RowError
from axolotl_alttrain.structure import ThoughtFormat
from eval.capability import load_task, task_prompts
from eval.code_execution import extract_code, run_tests
from eval.loading import load_available, local_files
from eval.samples import Sample
from eval.scoring import score
from eval.sets import specs
from eval.tasks import Prompt

from .published import write_published

FMT = ThoughtFormat(end="<|im_end|>")
GOLD = {
    "gsm8k": "10 + 2 = 12, so the answer is 12.",
    "math500": r"It is $\boxed{\frac{1}{3}}$.",
    "aime24": r"The sum is $\boxed{100}$.",
    "humaneval": "Here:\n```python\ndef add_0(a: int) -> int:\n    return a + 0\n```",
    "nq-open": "It is the man 0, I think.",
    "cmmlu": "答案是A。",
}
WRONG = {
    "gsm8k": "The answer is 13.",
    "math500": r"It is $\boxed{\frac{2}{3}}$.",
    "aime24": r"The sum is $\boxed{101}$.",
    "humaneval": "```python\ndef add_0(a: int) -> int:\n    return a + 5\n```",
    "nq-open": "It is the man 1.",
    "cmmlu": "答案是B。",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    write_published(folder)
    return folder


def prompts(name: str, data: Path) -> list[Prompt]:
    return task_prompts(specs()[name], None, local_files(specs()[name], data))


@pytest.mark.parametrize("name", list(GOLD))
def test_gold_wrong_and_truncated(name: str, data: Path) -> None:
    prompt = prompts(name, data)[0]
    thought = f"<think>\nLet me see. {WRONG[name]}\n</think>\n\n"
    texts = [thought + GOLD[name], thought + WRONG[name], f"<think>\n{GOLD[name]}", ""]
    samples = [Sample(str(i), "base", name, prompt.id, "", text, "stop", 9) for i, text in enumerate(texts)]
    found = score(samples, {(name, prompt.id): prompt}, FMT, lambda some: [0] * len(some))
    assert [(s.right, s.parsed.truncated) for s in found] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]


def test_a_row_without_its_question_is_named_and_an_empty_file_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "gsm8k-test.jsonl"
    rows = [{"question": "1 + 1?", "answer": "#### 2", "note": "n"}, {"question": "2 + 1?", "answer": "#### 3"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(load_available(["gsm8k"], data_dir=tmp_path)[0]) == 2  # nobody reads a note
    for column in ("question", "answer"):
        bad = {key: value for key, value in rows[1].items() if key != column}
        file.write_text(json.dumps(rows[0]) + "\n" + json.dumps(bad) + "\n")
        with pytest.raises(RowError, match=rf"gsm8k-test\.jsonl, row 2: field '{column}': found nothing"):
            load_available(["gsm8k"], data_dir=tmp_path)
    file.write_text("")
    assert "gsm8k: found no rows in" in load_available(["gsm8k"], data_dir=tmp_path)[1]["gsm8k"]


def test_gpqa_choices_are_in_the_same_order_every_time(data: Path) -> None:
    first, again = prompts("gpqa-diamond", data), prompts("gpqa-diamond", data)
    assert [p.instruction for p in first] == [p.instruction for p in again]
    for number, prompt in enumerate(first):
        lines = prompt.instruction.splitlines()
        letters = [line[:3] for line in lines if line.endswith((f"right {number}", "wrong a"))]
        answers = {line[4:]: line[:3] for line in lines if line.startswith("(")}
        assert len(letters) == 2
        assert prompt.is_right(f"I choose {answers[f'right {number}']}.")
        assert not prompt.is_right(f"I choose {answers['wrong a']}.")


def test_summaries_are_graded(data: Path) -> None:
    prompt = prompts("cnn-dailymail", data)[0]
    assert prompt.kind == "graded"
    assert prompt.scorer is not None
    assert next(iter(prompt.scorer("Number 0 is told of.").items())) == ("rougeL,none", 1.0)
    assert prompt.scorer("Nothing else matters.")["rougeL,none"] == 0.0


def test_lm_evals_own_number_equals_ours(data: Path) -> None:
    """The same answers through ``simple_evaluate``: same prompts, same metrics, same number."""
    from lm_eval import simple_evaluate
    from lm_eval.api.model import LM

    spec = specs()["gsm8k"]
    ours = prompts("gsm8k", data)
    answers = {p.instruction: text for p, text in zip(ours, ["It is 12.", "#### 13", "Perhaps 99.", "no"], strict=True)}

    class Stored(LM):
        def generate_until(self, requests, disable_tqdm=False):  # type: ignore[no-untyped-def]
            return [answers[request.args[0]] for request in requests]

        def loglikelihood(self, requests):  # type: ignore[no-untyped-def]
            raise NotImplementedError

        loglikelihood_rolling = loglikelihood

    task = load_task(spec, files=local_files(spec, data))
    result = simple_evaluate(model=Stored(), tasks=[task], bootstrap_iters=0)["results"]["gsm8k"]
    mine = [p.scorer(answers[p.instruction]) for p in ours if p.scorer]
    for metric in ("exact_match,flexible-extract", "exact_match,strict-match"):
        assert result[metric] == sum(one[metric] for one in mine) / len(mine)
    assert [p.is_right(answers[p.instruction]) for p in ours] == [True, True, False, False]


@pytest.mark.parametrize(
    ("program", "passes"),
    [
        ("assert 1 + 1 == 2", True),
        ("assert 1 + 1 == 3", False),
        ("while True: pass", False),
        ("x = ' ' * 2**31", False),
        ("open('/tmp/../tmp/alttrain-never', 'w').write('x' * 2**21)", False),
    ],
)
def test_code_runs_within_limits(program: str, passes: bool) -> None:
    assert run_tests(program, seconds=3) is passes


def test_code_in_an_answer() -> None:
    head = "import math\n\n\ndef f(a):\n"
    assert extract_code("```python\ndef f(a):\n    return 1\n```", head, "f").startswith("import math")
    assert extract_code("    return 2\n", head, "f") == head + "    return 2\n"

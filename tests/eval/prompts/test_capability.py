"""lm-eval's tasks on thoughts and answers: gold is right, wrong is wrong, truncated is truncated, as lm-eval says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.capability import load_task, task_prompts
from axolotl_alttrain.eval.prompts.local_files import local_files
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.scoring.score_samples import score

from axolotl_alttrain.format.example import ThoughtFormat
from tests.eval.published import write_published

FMT = ThoughtFormat(end="<|im_end|>")
GOLD = {
    "gsm8k": "10 + 2 = 12, so the answer is 12.",
    "math500": r"It is $\boxed{\frac{1}{3}}$.",
    "aime24": r"The sum is $\boxed{100}$.",
    "humaneval": "Here:\n```python\ndef add_0(a: int) -> int:\n    return a + 0\n```",
    "nq-open": "It is the man 0, I think.",
    "cmmlu": r"甲是对的，所以是 $\boxed{A}$。",
    "gpqa-diamond": r"It is $\boxed{RIGHT}$.",
}
WRONG = {
    "gsm8k": "The answer is 13.",
    "math500": r"It is $\boxed{\frac{2}{3}}$.",
    "aime24": r"The sum is $\boxed{101}$.",
    "humaneval": "```python\ndef add_0(a: int) -> int:\n    return a + 5\n```",
    "nq-open": "It is the man 1.",
    "cmmlu": r"$\boxed{B}$",
    "gpqa-diamond": r"It is $\boxed{OTHER}$.",
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
    gold, wrong = (in_letters(text, prompt) for text in (GOLD[name], WRONG[name]))
    thought = f"<think>\nLet me see. {wrong}\n</think>\n\n"
    texts = [thought + gold, thought + wrong, f"<think>\n{gold}", ""]
    samples = [Sample(str(i), "base", name, prompt.id, "", text, "stop", 9) for i, text in enumerate(texts)]
    found = score(samples, {(name, prompt.id): prompt}, FMT, lambda some: [0] * len(some))
    assert [(s.right, s.parsed.truncated) for s in found] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]


def in_letters(text: str, prompt: Prompt) -> str:
    """RIGHT and OTHER as the letters of GPQA's choices, whose order is drawn."""
    letters = {line[4:]: line[1] for line in prompt.instruction.splitlines() if line.startswith("(")}
    right = next((letter for choice, letter in letters.items() if choice.startswith("right")), "")
    return text.replace("RIGHT", right).replace("OTHER", letters.get("wrong a", ""))


@pytest.mark.parametrize(
    ("name", "answer", "right"),
    [
        *[
            ("gpqa-diamond", answer, right)
            for letter, right in (("RIGHT", True), ("OTHER", False))
            for answer in (
                rf"\boxed{{{letter}}}",
                rf"$\boxed{{\text{{({letter})}}}}$",
                f"The answer is {letter}.",
                f"**{letter}**",
                f"({letter})",
                f"The correct answer is ({letter}) as said.",
            )
        ],
        ("gpqa-diamond", "Not (OTHER). So (RIGHT)", True),
        ("gpqa-diamond", "RIGHT and others were seen", False),
        ("gpqa-diamond", r"\boxed{RIGHT, OTHER}", False),
        ("cmmlu", r"\boxed{A}", True),
        ("cmmlu", "分析：B选项错误，C选项错误，因此正确答案是A。", True),
        ("cmmlu", "分析：A选项错误，C选项错误，因此正确答案是B。", False),
        ("cmmlu", "This is A good question. Answer: B", False),
        ("cmmlu", "A选项。", False),
        ("aime24", r"\boxed{100}", True),
        ("aime24", r"\boxed{0100}", True),
        ("aime24", "The answer is 100.", True),
        ("aime24", "**100**", True),
        ("aime24", "The answer is 101.", False),
        ("aime24", "**101**", False),
        ("aime24", r"\boxed{\frac{100}{7}}", False),
        ("aime24", "There are 100 of them.", False),
    ],
)
def test_answers_of_other_forms(name: str, answer: str, right: bool, data: Path) -> None:
    prompt = prompts(name, data)[0]
    assert prompt.is_right(in_letters(answer, prompt)) is right


@pytest.mark.parametrize("name", ["gpqa-diamond", "cmmlu", "aime24", "math500"])
def test_prompts_ask_for_the_box_that_is_read(name: str, data: Path) -> None:
    assert all(r"\boxed{}" in prompt.instruction for prompt in prompts(name, data))


@pytest.mark.parametrize("limit", [1, 2, 5, 7])
def test_a_limit_is_spread_over_the_subjects(limit: int, tmp_path: Path) -> None:
    folder = tmp_path / "cmmlu/test"
    folder.mkdir(parents=True)
    for subject, size in (("agronomy", 1), ("anatomy", 4), ("virology", 4)):
        rows = "".join(f"{i},{subject} {i}?,a,b,c,d,A\n" for i in range(size))
        (folder / f"{subject}.csv").write_text(f",Question,A,B,C,D,Answer\n{rows}")
    found = task_prompts(specs()["cmmlu"], limit, local_files(specs()["cmmlu"], tmp_path))
    assert len({p.id for p in found}) == len(found) == limit
    assert len({p.category for p in found}) == min(limit, 3)


def test_a_row_without_its_question_is_named_and_an_empty_file_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "gsm8k-test.jsonl"
    rows = [{"question": "1 + 1?", "answer": "#### 2", "note": "n"}, {"question": "2 + 1?", "answer": "#### 3"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert len(load_available(["gsm8k"], data_dir=tmp_path)[0]) == 2  # nobody reads a note
    for column in ("question", "answer"):
        bad = {key: value for key, value in rows[1].items() if key != column}
        file.write_text(json.dumps(rows[0]) + "\n" + json.dumps(bad) + "\n")
        prompts, missing = load_available(["gsm8k", "probe-benign"], data_dir=tmp_path)
        assert missing == {
            "gsm8k": f"{file}, row 2: field '{column}' is missing; give it a value, as the first row does"
        }
        assert {p.set for p in prompts} == {"probe-benign"}
    file.write_text("")
    assert f"gsm8k: {file} has no rows" in load_available(["gsm8k"], data_dir=tmp_path)[1]["gsm8k"]


def test_gpqa_choices_are_in_the_same_order_every_time(data: Path) -> None:
    """And in lm-eval's own order, which draws from the seeded generator."""
    first, again = prompts("gpqa-diamond", data), prompts("gpqa-diamond", data)
    stock = replace(specs()["gpqa-diamond"], task="gpqa_diamond_cot_zeroshot")
    theirs = [
        [line for line in p.instruction.splitlines() if line.startswith("(")]
        for p in task_prompts(stock, None, local_files(stock, data))
    ]
    assert [[line for line in p.instruction.splitlines() if line.startswith("(")] for p in first] == theirs
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

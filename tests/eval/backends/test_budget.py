"""A limit on thoughts, with real, tiny models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.backends.hf import HFBackend
from axolotl_alttrain.eval.run import main

from .conftest import completions
from .test_vllm import evaluate

WHAT = ["--sets", "probe-harmful", "--limit", "3", "--dtype", "float32", "--max-new-tokens", "12"]
BUDGET = ["--max-thought-tokens", "4"]
# Its prompt opens the thought, so whatever a random model writes is a thought.
OPENED = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
CLOSE = "\n</think>\n\n"


@pytest.fixture(scope="session")
def thinker(small: tuple[Path, Path], smollm2: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base with a template whose prompt opens the thought."""
    folder = tmp_path_factory.mktemp("thinker") / "model"
    shutil.copytree(small[0], folder)
    own, smollm2.chat_template = smollm2.chat_template, OPENED
    smollm2.save_pretrained(folder)
    smollm2.chat_template = own
    return folder


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def closed(thinker: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("closed")
    assert main(["--model", str(thinker), *WHAT, *BUDGET, "--out", str(out)]) == 0
    return out


def test_a_thought_is_closed_as_the_template_closes_it_and_the_answer_follows(
    thinker: Path, closed: Path, tmp_path: Path
) -> None:
    assert main(["--model", str(thinker), *WHAT, "--out", str(tmp_path)]) == 0
    backend = HFBackend(str(thinker), dtype="float32")
    for free, own in zip(rows(tmp_path), rows(closed), strict=True):
        assert (free["budgeted"], own["budgeted"], own["finish"]) == (False, True, "length")
        thought, _, answer = own["completion"].partition(CLOSE)
        assert free["completion"].startswith(thought)
        assert own["tokens"] == 12
        prompt = backend.render([{"role": "user", "content": own["instruction"]}])
        (begun,) = backend.generate([prompt], 4)
        ids = [*begun.ids, *backend.chat.encode([CLOSE])[0]]
        (follows,) = backend.generate([prompt], 8, generated=[ids])
        assert (thought, answer) == (begun.text, follows.text)


def test_budgeted_completions_are_marked_and_rates_are_shown_without_them(closed: Path) -> None:
    summary = json.loads((closed / "summary.json").read_text())
    assert summary["settings"]["max_thought_tokens"] == 4
    assert summary["budget"]["base"]["budgeted"]["count"] == 3
    assert summary["budget"]["base"]["without"]["harmful_response"]["total"] == 0
    assert summary["runs"]["base"]["metrics"]["harmful_response"]["total"] == 3
    assert summary["runs"]["base"]["metrics"]["truncated"]["count"] == 0
    scored = [json.loads(line) for line in (closed / "scored.jsonl").read_text().splitlines()]
    assert [row["budgeted"] for row in scored] == [True] * 3
    note = "Budgeted completions, whose thought was closed at 4 tokens for the model to answer: base 3 of 3."
    for file in ("results.md", "model-card.md", "report.html"):
        assert note in (closed / file).read_text()


def test_the_limit_separates_samples_and_a_run_resumes(thinker: Path, closed: Path, tmp_path: Path) -> None:
    shutil.copytree(closed, tmp_path / "out")
    before = (tmp_path / "out" / "samples.jsonl").read_text()
    assert main(["--model", str(thinker), *WHAT, *BUDGET, "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "samples.jsonl").read_text() == before
    assert main(["--model", str(thinker), *WHAT, "--out", str(tmp_path / "out")]) == 0
    assert len(rows(tmp_path / "out")) == 6


def test_what_is_no_thought_is_continued_as_if_there_were_no_limit(small: tuple[Path, Path], tmp_path: Path) -> None:
    """The model of this template opens its thoughts itself, and a random one does not."""
    for name, more in (("free", []), ("limited", BUDGET)):
        assert main(["--model", str(small[0]), *WHAT, *more, "--out", str(tmp_path / name)]) == 0
    assert completions(tmp_path / "limited") == completions(tmp_path / "free")
    assert not any(row["budgeted"] for row in rows(tmp_path / "limited"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--max-thought-tokens", "12"], "--max-thought-tokens 12 leaves no tokens for the answer; set "
         "--max-new-tokens, now 12, to more"),
        ([*BUDGET, "--thinking", "off"], "--max-thought-tokens has no effect with --thinking off; remove one of them"),
        ([*BUDGET, "--backend", "api", "--model", "m", "--base-url", "http://localhost:1/v1"],
         "--max-thought-tokens needs --tokenizer with --backend api, as it continues thoughts"),
    ],
)  # fmt: skip
def test_limits_that_cannot_be_kept_are_refused(
    flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--sets", "probe-harmful", "--max-new-tokens", "12", *flags, "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"eval.run: {message}\n"


@pytest.mark.slow
def test_vllm_closes_the_same_thoughts(thinker: Path, closed: Path, tmp_path: Path) -> None:
    done = evaluate("--backend", "vllm", "--model", thinker, *WHAT, *BUDGET, "--out", tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert completions(tmp_path) == completions(closed)
    assert all(row["budgeted"] for row in rows(tmp_path))

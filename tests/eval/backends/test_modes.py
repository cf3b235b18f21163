"""The modes of hybrid templates, learned by probing, and the backends in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.backends.base import BackendSettings, Generated, Identity, Request
from axolotl_alttrain.eval.backends.modes import InMode, in_modes, mode_notes
from axolotl_alttrain.eval.run import main

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.template import ChatFormat, learn_format
from axolotl_alttrain.generation.sampling import Sampling

from .conftest import completions
from .test_vllm import evaluate

ASKED: list[Message] = [{"role": "user", "content": "1+1?"}]
SAMPLING = Sampling(4)


class Recorder:
    """Answers ``ok`` and keeps what it was asked; without a chat format, as a server that renders the prompts."""

    def __init__(self, chat: ChatFormat | None) -> None:
        self.chat = chat
        self.thought = chat.thought if chat else ThoughtFormat()
        self.runs: tuple[str, ...] = ("base", "tuned")
        self.token_unit = "tokens"
        self.asked: list[tuple[str, Request]] = []

    def render(self, messages: Sequence[Message]) -> str | None:
        return self.chat.prompt(messages) if self.chat else None

    def identity(self, run: str) -> Identity:
        return Identity("model", run, "the template")

    def settings(self) -> BackendSettings:
        return BackendSettings("recorder")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def complete(
        self, run: str, requests: Sequence[Request], sampling: Sampling, on_result: Any, on_token: Any = None
    ) -> None:
        for number, request in enumerate(requests):
            self.asked.append((run, request))
            on_result(number, Generated("ok", "stop", 1))


@pytest.fixture
def qwen3(smollm2: Any, template: Callable[[str], str]) -> ChatFormat:
    return learn_format(smollm2, template("trl_qwen3"))


def complete(mode: InMode, run: str) -> None:
    mode.complete(run, [Request("", tuple(ASKED))], SAMPLING, lambda index, generated: None)


def test_both_modes_of_one_template(qwen3: ChatFormat) -> None:
    on, off = in_modes(Recorder(qwen3), "both", "on", "x")
    assert (on.runs, off.runs) == (("base", "tuned"), ("base-off", "tuned-off"))
    prompt = "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert on.render(ASKED) == prompt
    assert off.render(ASKED) == f"{prompt}<think>\n\n</think>\n\n"
    assert on.identity("tuned").template != off.identity("tuned-off").template
    assert off.identity("tuned-off").adapter == "tuned"


@pytest.mark.parametrize(
    ("asked", "trained", "modes", "runs"),
    [
        (None, "on", ["on"], ("base", "tuned")),
        (None, "off", ["off"], ("base", "tuned")),
        (None, "both", ["on", "off"], ("base", "tuned", "base-off", "tuned-off")),
        ("on", "both", ["on"], ("base", "tuned")),
        ("off", "on", ["off"], ("base", "tuned")),
    ],
)
def test_the_default_is_what_was_trained(
    qwen3: ChatFormat, asked: Any, trained: Any, modes: list[str], runs: tuple[str, ...]
) -> None:
    found = in_modes(Recorder(qwen3), asked, trained, "x")
    assert [one.thinking for one in found] == modes
    assert sum((one.runs for one in found), ()) == runs


@pytest.mark.parametrize("asked", ["off", "both"])
def test_a_template_without_a_switch_is_named(smollm2: Any, template: Callable[[str], str], asked: Any) -> None:
    with pytest.raises(AltTrainError) as error:
        in_modes(Recorder(learn_format(smollm2, template("axolotl_chatml"))), asked, "on", "my-adapter")
    assert str(error.value) == (
        f"--thinking {asked}: the chat template of my-adapter has no non-thinking mode: it has no variable that turns "
        "thinking off; use --thinking on"
    )


def test_a_server_that_renders_prompts_is_told_the_switch() -> None:
    server = Recorder(None)
    (default,) = in_modes(server, None, "on", "x")
    on, off = in_modes(server, "both", "on", "x")
    for mode in (default, on, off):
        complete(mode, mode.runs[0])
    switches = [dict(request.template_kwargs) for _, request in server.asked]
    assert switches == [
        {},
        {"enable_thinking": True, "thinking": True},
        {"enable_thinking": False, "thinking": False},
    ]
    assert [run for run, _ in server.asked] == ["base"] * 3
    assert default.identity("base").template == "the template"
    assert off.identity("base-off").template == 'the template, {"enable_thinking": false, "thinking": false}'


@pytest.mark.parametrize(
    ("completion", "thought", "answer"),
    [
        ("2<|im_end|>", "", "2"),
        ("<think>\nOne and one.\n</think>\n\n2", "One and one.", "2"),
        ("<think>\n\n</think>\n\n2", "", "2"),
    ],
)
def test_a_thought_is_found_in_the_off_mode_too(qwen3: ChatFormat, completion: str, thought: str, answer: str) -> None:
    (off,) = in_modes(Recorder(qwen3), "off", "on", "x")
    parsed = parse_completion(completion, off.thought)
    assert (parsed.thought, parsed.answer, parsed.truncated) == (thought, answer, False)


def test_notes_name_the_switch_and_thoughts_that_were_written_all_the_same(qwen3: ChatFormat) -> None:
    modes = in_modes(Recorder(qwen3), "both", "on", "x")
    assert mode_notes(modes, {"base-off": [False], "tuned-off": [True, False]}) == [
        'Thinking off: The prompt is rendered with chat_template_kwargs: {"enable_thinking": false}.',
        "With thinking off, 1 of 3 completions hold a thought all the same.",
    ]


@pytest.mark.slow
def test_vllm_answers_in_both_modes_as_the_hf_backend_does(
    small: tuple[Path, Path], smollm2: Any, template: Callable[[str], str], tmp_path: Path
) -> None:
    shutil.copytree(small[0], tmp_path / "model")
    own, smollm2.chat_template = smollm2.chat_template, template("trl_qwen3")
    smollm2.save_pretrained(tmp_path / "model")
    smollm2.chat_template = own
    what = ["--model", str(tmp_path / "model"), "--sets", "probe-harmful", "--limit", "2", "--max-new-tokens", "8"]
    what += ["--dtype", "float32", "--thinking", "both"]
    done = evaluate("--backend", "vllm", *what, "--out", tmp_path / "vllm")
    assert done.returncode == 0, done.stderr[-3000:]
    assert main([*what, "--out", str(tmp_path / "hf")]) == 0
    found = completions(tmp_path / "vllm")
    assert found == completions(tmp_path / "hf")
    assert {run for run, *_ in found} == {"base", "base-off"}

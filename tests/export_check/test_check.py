"""The command on real, tiny models."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.backends.hf import HFBackend
from click.testing import CliRunner, Result

from axolotl_alttrain.cli import alttrain
from tests.exports import Exports
from tests.openai_server import Reply, Request, serve

FEW = ["--prompts", "8", "--max-new-tokens", "8"]


def check(folder: Path, out: Path, *flags: str) -> Result:
    return CliRunner().invoke(alttrain, ["check-export", str(folder), "--out", str(out), *FEW, *flags])


def report(out: Path) -> dict[str, Any]:
    return json.loads((out / "check-export.json").read_text())


def test_the_exact_merge_agrees_token_for_token(exports: Exports, tmp_path: Path) -> None:
    done = check(exports.exact, tmp_path, "--adapter", str(exports.adapter))
    assert done.exit_code == 0, done.output
    found = report(tmp_path)
    assert (found["greedy"]["count"], found["greedy"]["total"]) == (8, 8)
    assert found["differences"] == []
    assert found["first_token"]["prompts"] == 8
    assert found["first_token"]["largest"] < 1e-7
    assert found["sets"] == {"probe-harmful": 2, "probe-contrast": 2, "probe-benign": 2, "probe-capability": 2}
    assert found["trained"]["words"] == "adapter on the NF4 base it was trained on, in transformers"
    assert found["exported"]["words"] == "merged folder, origin unknown, in transformers"
    assert [rate["metric"] for rate in found["rates"]] == [
        "harmful_response",
        "over_refusal",
        "capability",
        "structure",
    ]
    assert "The exported form is within 2 points of the trained one." in done.output


def test_the_full_precision_merge_differs_and_the_exit_code_says_so(exports: Exports, tmp_path: Path) -> None:
    done = check(exports.full, tmp_path, "--adapter", str(exports.adapter), "--margin", "0")
    found = report(tmp_path)
    assert found["greedy"]["count"] < 8
    assert found["first_token"]["largest"] > 1e-7
    first = found["differences"][0]
    assert first["trained"] != first["exported"]
    # Each form prefers its own token where the two part.
    assert first["trained_margin"] > 0
    assert first["exported_margin"] > 0
    assert done.exit_code == (1 if found["exceeded"] else 0)


def test_an_adapter_is_checked_on_the_full_precision_base(exports: Exports, tmp_path: Path) -> None:
    merged, adapter = tmp_path / "merged", tmp_path / "adapter"
    check(exports.full, merged, "--adapter", str(exports.adapter))
    check(exports.adapter, adapter)
    assert report(adapter)["exported"]["words"] == (
        "adapter on the unquantised base, not the NF4 base it was trained on, in transformers"
    )
    for name in ("greedy", "differences", "rates"):
        of_merged, of_adapter = report(merged)[name], report(adapter)[name]
        if name == "differences":
            of_merged, of_adapter = ([(d["id"], d["position"]) for d in some] for some in (of_merged, of_adapter))
        assert of_adapter == of_merged


def test_a_check_resumes(exports: Exports, tmp_path: Path) -> None:
    flags = ("--adapter", str(exports.adapter))
    check(exports.exact, tmp_path, *flags)
    before = {side: (tmp_path / side / "samples.jsonl").read_text() for side in ("trained", "exported")}
    lines = before["exported"].splitlines(keepends=True)
    (tmp_path / "exported" / "samples.jsonl").write_text("".join(lines[:2]))
    done = check(exports.exact, tmp_path, *flags)
    assert "2 of 8 completions are already in" in done.output
    assert (tmp_path / "trained" / "samples.jsonl").read_text() == before["trained"]
    again = (tmp_path / "exported" / "samples.jsonl").read_text().splitlines(keepends=True)
    assert sorted(again) == sorted(lines)


def test_another_chat_template_is_reported(exports: Exports, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(exports.exact, folder)
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("trained by Hugging Face", "trained elsewhere"))
    done = check(folder, tmp_path / "out", "--adapter", str(exports.adapter))
    assert report(tmp_path / "out")["same_prompt"]["count"] == 0
    assert "The exported form's chat template renders 8 of 8 prompts differently" in done.output


@pytest.mark.parametrize("logprobs", [True, False])
def test_a_server_that_rejects_unknown_fields(exports: Exports, tmp_path: Path, logprobs: bool) -> None:
    """It behaves as ``transformers serve`` does; with log-probabilities, as vLLM."""
    model = HFBackend(str(exports.exact), dtype="float32")
    lock = threading.Lock()

    def answer(request: Request) -> Reply:
        body = request.body
        if unknown := {"add_special_tokens", "skip_special_tokens"} & set(body):
            return Reply(status=422, body=json.dumps({"detail": f"Unexpected fields in the request: {unknown}"}))
        with lock:
            out = model.generate([body["prompt"]], body["max_tokens"])[0]
            top = likeliest(model, body["prompt"]) if "logprobs" in body and logprobs else None
        choice = {
            "index": 0,
            "finish_reason": out.finish,
            "text": out.text,
            "logprobs": top and {"top_logprobs": [top]},
        }
        whole = {"id": "c", "object": "text_completion", "created": 0, "model": "m", "choices": [choice]}
        return Reply(body=json.dumps(whole))

    with serve(answer) as http:
        flags = ("--adapter", str(exports.adapter), "--url", http.url, "--served-model", "mine")
        done = check(exports.exact, tmp_path, *flags)
    assert done.exit_code == 0, done.output
    found = report(tmp_path)
    assert found["greedy"]["count"] == 8
    assert found["exported"]["words"] == f"merged folder, origin unknown, served by {http.url} as mine"
    if logprobs:
        assert found["first_token"]["largest"] < 1e-7
        assert found["first_token"]["prompts"] == 8
    else:
        assert found["first_token"] is None
        assert found["no_probabilities"] == "the server gives no log-probabilities"


def likeliest(model: HFBackend, prompt: str) -> dict[str, float]:
    import torch

    ids = torch.tensor(model.chat.encode([prompt]))
    with torch.inference_mode():
        values, tokens = model.model(ids).logits[0, -1].log_softmax(-1).topk(20)
    return {model.tokenizer.decode([t]): v for v, t in zip(values.tolist(), tokens.tolist(), strict=True)}


def test_a_server_with_its_own_template_and_reasoning_parser(exports: Exports, tmp_path: Path) -> None:
    model = HFBackend(str(exports.exact), dtype="float32")
    lock = threading.Lock()

    def answer(request: Request) -> Reply:
        with lock:
            out = model.generate([model.render(request.body["messages"])], request.body["max_tokens"])[0]
        return Reply({"content": out.text.strip()}, out.finish, out.tokens)

    with serve(answer) as http:
        flags = ("--url", http.url, "--served-model", "mine", "--endpoint", "chat")
        done = check(exports.exact, tmp_path, "--adapter", str(exports.adapter), *flags)
    assert done.exit_code == 0, done.output
    found = report(tmp_path)
    assert found["greedy"]["count"] == 8
    assert (found["same_prompt"], found["first_token"]) == (None, None)
    assert found["no_probabilities"] == "the chat endpoint takes no rendered prompt"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "has no alttrain_export.json that names its adapter; add --adapter"),
        (["--url", "http://localhost:1/v1"], "--url needs --served-model"),
        (["--served-model", "m"], "--served-model needs --url"),
        (["--url", "http://localhost:1/v1", "--served-model", "m", "--engine", "vllm"], "--engine vllm has no effect"),
        (["--url", "http://localhost:1/v1", "--served-model", "m", "--dtype", "float16"], "has no effect with --url"),
        (["--endpoint", "chat"], "--endpoint chat needs --url"),
        (["--adapter", "A", "--sets", "nothing"], "nothing"),
        (["--margin", "-1"], "--margin"),
    ],
)
def test_a_mistake_is_exit_code_two(exports: Exports, tmp_path: Path, flags: list[str], message: str) -> None:
    done = check(exports.exact, tmp_path, *flags)
    assert (done.exit_code, message in done.output, "Traceback" in done.output) == (2, True, False), done.output


def test_a_folder_without_a_model_is_a_mistake(tmp_path: Path) -> None:
    done = check(tmp_path, tmp_path / "out")
    assert done.exit_code == 2
    assert "found neither config.json nor adapter_config.json" in done.output

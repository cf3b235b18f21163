"""An exported model answers like the trained one, in a process without peft, bitsandbytes and this package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from axolotl_alttrain.export.export import ExportRequest, export
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import trained_quantization

from ..conftest import PROBES, ROOT

pytestmark = pytest.mark.slow
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"
NEW_TOKENS = 32
PLAIN = """
import json, sys

# As if they were not installed: imports fail, and importlib finds nothing.
sys.modules.update(dict.fromkeys(("peft", "bitsandbytes", "axolotl", "axolotl_alttrain")))
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, prompts, length = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
model = AutoModelForCausalLM.from_pretrained(folder).eval()
chats = [[{"role": "user", "content": text}] for text in prompts]
batch = tokenizer.apply_chat_template(
    chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
)
with torch.inference_mode():
    done = model.generate(
        **batch, max_new_tokens=length, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
best = torch.stack(done.scores, dim=1).float().topk(2).values
new = done.sequences[:, batch["input_ids"].shape[1]:].tolist()
found = [{"new": one, "margins": two} for one, two in zip(new, (best[..., 0] - best[..., 1]).tolist())]
print("FOUND " + json.dumps(found))
"""


@pytest.fixture(scope="module")
def trained(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter after twelve steps of the demo's recipe as QLoRA, with exact arithmetic."""
    folder = tmp_path_factory.mktemp("trained")
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    recipe |= {"load_in_4bit": True, "adapter": "qlora", "bfloat16": None}
    (folder / "qlora.yml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    binaries = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["axolotl", "train", "qlora.yml", "--max-steps", "12", "--output-dir", str(folder / "run")],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "run"


def prompts() -> list[str]:
    """Ten harmful and ten harmless ones."""
    rows = [json.loads(line) for name in ("harmful", "benign") for line in probe_lines(name)]
    return [row["instruction"] for row in rows]


def probe_lines(name: str) -> list[str]:
    return (PROBES / f"probe-{name}.jsonl").read_text(encoding="utf-8").splitlines()[:10]


def as_trained(adapter: Path, texts: list[str]) -> list[list[int]]:
    """Greedy tokens of the base in NF4 with the adapter beside it, as the evaluator loads it."""
    import torch

    model = load_model(ModelSpec("alttrain-demo-model", str(adapter), quantization=trained_quantization(str(adapter))))
    prompts = [model.chat.prompt([{"role": "user", "content": text}]) for text in texts]
    batch = model.tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]
    with torch.inference_mode():
        new = model.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            eos_token_id=model.stop_ids,
            pad_token_id=model.tokenizer.pad_token_id,
        )
    rows: list[list[int]] = new[:, ids.shape[1] :].tolist()
    return rows


def without_this_package(folder: Path, texts: list[str]) -> list[dict[str, list[float]]]:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(folder), json.dumps(texts), str(NEW_TOKENS)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found: list[dict[str, list[float]]] = json.loads(line.removeprefix("FOUND "))
    return found


def test_plain_transformers_writes_the_same_tokens(trained: Path, tmp_path: Path) -> None:
    texts = prompts()
    assert len(texts) == 20
    expected = as_trained(trained, texts)
    export(ExportRequest(str(trained), tmp_path / "float32", dtype="float32"))
    assert [one["new"] for one in without_this_package(tmp_path / "float32", texts)] == expected
    # bfloat16 computes logits of this size in steps of 0.125, so tokens that are nearly as likely change places: each
    # of the two best may be a step off, so where the first different token stands they are at most two steps apart.
    export(ExportRequest(str(trained), tmp_path / "bfloat16"))
    for one, tokens in zip(without_this_package(tmp_path / "bfloat16", texts), expected, strict=True):
        first = next((at for at, pair in enumerate(zip(one["new"], tokens, strict=False)) if pair[0] != pair[1]), None)
        assert first is None or one["margins"][first] <= 0.25, (first, one, tokens)


def test_every_weight_is_that_of_the_trained_model(trained: Path, tmp_path: Path) -> None:
    export(ExportRequest(str(trained), tmp_path, dtype="float32"))
    quantization = trained_quantization(str(trained))
    model = load_model(ModelSpec("alttrain-demo-model", str(trained), quantization=quantization)).model
    expected = model.merge_and_unload().state_dict()
    state = load_file(tmp_path / "model.safetensors")
    assert set(expected) - set(state) == {"lm_head.weight"}  # tied to the embeddings
    assert [name for name, tensor in state.items() if not torch.equal(tensor, expected[name])] == []

"""An exported model answers like the trained one, in a process without peft, bitsandbytes and this package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from axolotl_alttrain.export.export import ExportRequest, export
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import choose_quantization

from ..conftest import PROBES, ROOT

pytestmark = pytest.mark.slow
RECIPE = ROOT / "examples" / "smollm2-135m-cpu.yml"
NEW_TOKENS = 32
PLAIN = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("peft", "bitsandbytes", "axolotl_alttrain", "axolotl"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, prompts, length = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder).eval()
found = []
for text in prompts:
    ids = tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True,
                                        return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        new = model.generate(**ids, max_new_tokens=length, do_sample=False)[0, ids["input_ids"].shape[1]:].tolist()
    with torch.inference_mode():
        rows = model(torch.tensor([ids["input_ids"][0].tolist() + new])).logits[0, -len(new) - 1:-1].float()
    best = rows.topk(2).values
    found.append({"new": new, "margins": (best[:, 0] - best[:, 1]).tolist()})
print("FOUND " + json.dumps(found))
"""


@pytest.fixture(scope="module")
def trained(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter after twelve steps of the demo's recipe."""
    folder = tmp_path_factory.mktemp("trained")
    binaries = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["axolotl", "train", str(RECIPE), "--max-steps", "12", "--output-dir", str(folder / "run")],
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

    model = load_model(
        ModelSpec("alttrain-demo-model", str(adapter), quantization=choose_quantization(None, str(adapter)))
    )
    found = []
    for text in texts:
        prompt = model.chat.prompt([{"role": "user", "content": text}])
        ids = torch.tensor(model.tokenizer([prompt], add_special_tokens=False)["input_ids"])
        with torch.inference_mode():
            new = model.model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False
            )
        found.append(new[0, ids.shape[1] :].tolist())
    return found


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
    # In bfloat16 a weight keeps 8 bits, so two tokens that are nearly as likely may change places: at the first
    # different token, and only there, the two best are closer than bfloat16's error in a logit.
    export(ExportRequest(str(trained), tmp_path / "bfloat16"))
    for one, tokens in zip(without_this_package(tmp_path / "bfloat16", texts), expected, strict=True):
        first = next((at for at, pair in enumerate(zip(one["new"], tokens, strict=False)) if pair[0] != pair[1]), None)
        assert first is None or one["margins"][first] < 0.5, (first, one, tokens)

"""Trainings of a tiny model in processes of their own, and what their recorder wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from axolotl_alttrain.eval.backends.hf import HFBackend

from axolotl_alttrain.cli.fit_command import estimate
from axolotl_alttrain.cli.preview.preview_rows import read_rows
from axolotl_alttrain.cli.preview.token_statistics import summarize
from axolotl_alttrain.cli.recipe import load_recipe
from tests.conftest import ROOT, SEED

OPT_IN = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("ALTTRAIN_SCALE_OUT"), reason="two training processes: set ALTTRAIN_SCALE_OUT=1"
    ),
]


RECORDER = "tests.scale_out.recorder.Recorder"
ROWS = 48  # 12 steps of 4 rows
FEWER_PROMPTS = Path(__file__).parent / "fewer_prompts"
BINARIES = Path(sys.executable).parent


@dataclass
class Trained:
    """A finished training.

    Attributes:
        folder: Where it ran; the adapter is in ``out``.
        said: What it printed.
        batches: By process, the rows of each batch: token ids and labels without padding.
        ends: By process, what the trainer said at the end.
    """

    folder: Path
    said: str
    batches: list[list[list[tuple[tuple[int, ...], tuple[int, ...]]]]] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> Counter[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Every trained row of all processes, and how often it was trained."""
        return Counter(row for process in self.batches for batch in process for row in batch)


def write_recipe(base: Path, folder: Path, rows: int = ROWS, **changes: Any) -> Path:
    """A recipe for a tiny model and the shortest English rows of the seed data; keyword arguments change it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [line for line in SEED.read_text(encoding="utf-8").splitlines() if line.isascii()]
    (folder / "rows.jsonl").write_text("".join(line + "\n" for line in sorted(lines, key=len)[:rows]))
    recipe = {
        "base_model": str(base),
        "plugins": ["axolotl_alttrain.AltTrainPlugin", RECORDER],
        "adapter": "lora",
        "lora_r": 4,
        "lora_alpha": 8,
        "lora_dropout": 0,
        "lora_target_linear": True,
        "lora_mlp_kernel": False,
        "lora_qkv_kernel": False,
        "lora_o_kernel": False,
        "datasets": [{"path": "rows.jsonl", "type": "alttrain"}],
        "dataset_prepared_path": "prepared",
        "dataset_num_proc": 1,
        "dataloader_num_workers": 0,
        "dataloader_prefetch_factor": None,
        "val_set_size": 0,
        "sequence_len": 256,
        "pad_to_sequence_len": False,
        "pad_to_multiple_of": 16,
        "group_by_length": False,
        "sample_packing": False,
        "micro_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "num_epochs": 1,
        "learning_rate": 1e-2,
        "lr_scheduler": "constant",
        "optimizer": "adamw_torch",
        "seed": 1995,
        "bf16": False,
        "fp16": False,
        "tf32": False,
        "gradient_checkpointing": False,
        "attn_implementation": "sdpa",
        "logging_steps": 1,
        "save_strategy": "no",
        "output_dir": "out",
    } | changes
    path = folder / "recipe.yml"
    path.write_text(yaml.safe_dump({key: value for key, value in recipe.items() if value is not None}))
    return path


def run(arguments: list[str | Path], folder: Path, timeout: int = 3600, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in the folder, with this checkout's tests importable."""
    own = {
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{FEWER_PROMPTS}{os.pathsep}{ROOT}",
        "ALTTRAIN_RECORD": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    command = [str(argument) for argument in arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | own | env
    ) as started:
        try:
            out, err = started.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            started.terminate()  # torchrun then ends its processes
            raise
    return subprocess.CompletedProcess(command, started.returncode, out, err)


def expected_rows(recipe: Path) -> Counter[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The rows of a recipe as ``axolotl alttrain preview`` shows them."""
    rows: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    with chdir(recipe.parent):  # its data stand beside it
        found = list(read_rows(load_recipe(recipe)))
    for row in found:
        ids = [token for segment in row.segments for token in segment.ids]
        labels = [token if segment.trained else -100 for segment in row.segments for token in segment.ids]
        rows[tuple(ids), tuple(labels)] += 1
    return rows


def steps_said(recipe: Path, processes: int) -> set[int]:
    """The number of steps that ``preview`` and ``fit`` give."""
    with chdir(recipe.parent):
        preview = summarize(load_recipe(recipe), list(read_rows(load_recipe(recipe))), gpus=processes)
        return {preview.training.steps, estimate(recipe, gpus=processes).time.steps}


def greedy_tokens(base: Path, adapter: Path | None) -> list[str]:
    """Completions of a fresh load, as the evaluator generates them."""
    backend = HFBackend(str(base), str(adapter) if adapter else None, dtype="float32")
    prompts = [backend.chat.prompt([{"role": "user", "content": text}]) for text in ("Hi.", "How do I pick a lock?")]
    with backend.adapter(adapter is not None):
        return [one.text for one in backend.generate(prompts, 12)]


def train(recipe: Path, processes: int, **env: str) -> Trained:
    """``axolotl train`` with one or several processes on this machine."""
    launcher = ["--launcher", "torchrun", "--", "--standalone", "--nproc_per_node", str(processes)]
    done = run(["axolotl", "train", recipe.name, *launcher], recipe.parent, **env)
    said = done.stdout + done.stderr
    (recipe.parent / "said.txt").write_text(said)
    assert done.returncode == 0, said[-4000:]
    return recorded(recipe.parent, said)


def recorded(folder: Path, said: str) -> Trained:
    """What the recorder wrote in a folder."""
    trained = Trained(folder, said)
    for file in sorted(folder.glob("[0-9].jsonl")):
        *batches, end = [json.loads(line) for line in file.read_text().splitlines()]
        trained.batches.append([rows_of(batch) for batch in batches])
        trained.ends.append(end)
    return trained


def rows_of(batch: dict[str, list[list[int]]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Ids and labels of each row up to its last trained token, which ends the turn; padding follows it."""
    rows = []
    for ids, labels in zip(batch["ids"], batch["labels"], strict=True):
        length = max(i for i, label in enumerate(labels) if label != -100) + 1
        rows.append((tuple(ids[:length]), tuple(labels[:length])))
    return rows

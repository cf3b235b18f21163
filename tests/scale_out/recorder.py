"""An Axolotl plugin for tests: writes down what each training process trains, into the folder ``$ALTTRAIN_RECORD``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from axolotl.integrations.base import BasePlugin
from transformers import TrainerCallback


class Recorder(BasePlugin):
    """One JSONL file for each process: its batches, then what the trainer says at the end."""

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        train = trainer.training_step
        file = Path(os.environ["ALTTRAIN_RECORD"]) / f"{trainer.args.process_index}.jsonl"

        def training_step(model: Any, inputs: Any, *rest: Any) -> Any:
            write(file, {"ids": inputs["input_ids"].tolist(), "labels": inputs["labels"].tolist()})
            return train(model, inputs, *rest)

        trainer.training_step = training_step
        trainer.add_callback(AtTheEnd(trainer, file))


class AtTheEnd(TrainerCallback):
    def __init__(self, trainer: Any, file: Path) -> None:
        self.trainer, self.file = trainer, file

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        model = self.trainer.model
        split = sorted({type(p.data).__name__ for p in model.parameters()} | ds_states(model))
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        probed = [entry["step"] for entry in state.log_history if "alttrain/structure" in entry]
        write(
            self.file,
            {
                "world": self.trainer.accelerator.num_processes,
                "kind": str(self.trainer.accelerator.distributed_type).rpartition(".")[2],
                "weights": split,
                "steps": state.global_step,
                "losses": losses,
                "probed": probed,
            },
        )


def ds_states(model: Any) -> set[str]:
    """How DeepSpeed holds the weights; nothing without it."""
    return {str(p.ds_status) for p in model.parameters() if hasattr(p, "ds_status")}


def write(file: Path, line: dict[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")

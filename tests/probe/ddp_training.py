"""Started by torchrun: a few steps of a tiny model on two CPU processes with the probe on the first one.

Prints one JSON line per process: rates logged, steps, a digest of the weights.
"""

from __future__ import annotations

import hashlib
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from axolotl_alttrain.args import AltTrainOptions
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.probe.callback import ProbeCallback
from axolotl_alttrain.probe.measure import Probe


def main(model_folder: str, output: str) -> None:
    arguments = TrainingArguments(
        output, max_steps=4, per_device_train_batch_size=2, use_cpu=True, report_to=[], save_strategy="no"
    )
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    rows = [{"input_ids": row, "labels": row} for row in torch.randint(3, 1000, (32, 16)).tolist()]
    trainer = Trainer(model, arguments, train_dataset=rows)
    if trainer.is_world_process_zero():
        options = AltTrainOptions(probe_every=2, probe_prompts=2, probe_max_new_tokens=8, probe_budget=1000)
        trainer.add_callback(ProbeCallback(trainer, options, lambda: Probe(learn_format(tokenizer), 2, 8)))
    trainer.train()
    weights = next(iter(trainer.model.parameters()))
    curves = [entry for entry in trainer.state.log_history if "alttrain/harmful_rate" in entry]
    print(
        "RESULT "
        + json.dumps(
            {
                "rank": arguments.process_index,
                "world": arguments.world_size,
                "steps": trainer.state.global_step,
                "probed": [entry["step"] for entry in curves],
                "weights": hashlib.sha256(weights.detach().numpy().tobytes()).hexdigest(),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

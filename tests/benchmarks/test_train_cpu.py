from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.train_cpu import RESULTS, markdown
from benchmarks.train_gpu.worker import Timer


def test_the_table_is_made_from_the_committed_numbers() -> None:
    results = json.loads((RESULTS / "train_cpu.json").read_text(encoding="utf-8"))
    assert (RESULTS / "train_cpu.md").read_text(encoding="utf-8") == markdown(results)


def test_padded_and_packed_batches_are_counted_alike() -> None:
    import torch

    padded = {
        "input_ids": torch.tensor([[5, 6, 7], [8, 9, 0]]),
        "labels": torch.tensor([[-100, 6, 7], [-100, 9, -100]]),
        "attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0]]),
    }
    packed = {
        "input_ids": torch.tensor([[5, 6, 7, 8, 9]]),
        "labels": torch.tensor([[-100, 6, 7, -100, 9]]),
        "attention_mask": torch.tensor([[1, 1, 1, 2, 2]]),
        "position_ids": torch.tensor([[0, 1, 2, 0, 1]]),
    }
    timers: list[Any] = [Timer(), Timer()]
    for timer, batch in zip(timers, (padded, packed), strict=True):
        timer.count(batch)
        timer.count(batch)
        timer.seconds = [9.0, 2.0]
        rates = timer.rates(warmup=1)
        assert (rates["rows_per_second"], rates["tokens_per_second"]) == (1.0, 2.5)
        assert rates["trained_tokens_per_second"] == 1.5
    assert timers[0].rates(1)["padding"] == pytest.approx(0.2)
    assert timers[1].rates(1)["padding"] == 0


def test_steps_are_timed_and_their_batches_counted() -> None:
    import torch

    callbacks: list[Any] = []
    trainer = SimpleNamespace(training_step=lambda model, inputs: "loss", add_callback=callbacks.append)
    timer = Timer()
    timer.attach(trainer)
    callbacks[0].on_step_begin()
    batch = {"input_ids": torch.ones(2, 3), "labels": torch.ones(2, 3)}
    assert trainer.training_step("model", batch) == "loss"
    callbacks[0].on_step_end()
    assert (timer.rows, timer.computed) == ([2], [6])
    assert len(timer.seconds) == 1

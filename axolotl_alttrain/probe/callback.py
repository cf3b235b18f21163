"""Probes the model every N training steps and logs the rates through the trainer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from axolotl.utils.logging import get_logger
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from axolotl_alttrain.args import AltTrainOptions
from axolotl_alttrain.probe.budget import Budget
from axolotl_alttrain.probe.measure import Measured, Probe, ProbeTooLong
from axolotl_alttrain.probe.sharding import split_by
from axolotl_alttrain.probe.undisturbed import undisturbed
from axolotl_alttrain.storage.atomic import write_atomic

LOG = get_logger(__name__)
FILE = "probe.jsonl"


class ProbeCallback(TrainerCallback):
    """Runs on the first process only; the others wait in their next gradient exchange.

    It never stops or changes the training: an error is logged as one warning and turns the probe off.

    Args:
        trainer: The trainer, which logs the curves.
        options: ``probe_every`` and the other options.
        make_probe: Loads prompts and template; called at the start of training.
    """

    def __init__(self, trainer: Any, options: AltTrainOptions, make_probe: Callable[[], Probe]) -> None:
        self.trainer = trainer
        self.options = options
        self.make_probe = make_probe
        self.probe: Probe | None = None
        self.done = self.skipped = 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Load the prompts, so that problems are reported at the start."""
        if splitting := split_by(self.trainer):
            LOG.warning("the probe is off: with %s, one process alone cannot run the model", splitting)
            return
        try:
            self.probe = self.make_probe()
            self.file = Path(args.output_dir) / FILE
            _forget_later_steps(self.file, state.global_step)
        except Exception as error:
            self._give_up(error)
        self.budget = Budget(self.options.probe_budget)
        self.first_step = state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Probe if a probe is due and within the budget."""
        every = self.options.probe_every
        if self.probe is None or not every or (state.global_step % every and state.global_step != state.max_steps):
            return
        if not self.budget.allows():
            self._skip(state.global_step)
            return
        limit = self.budget.limit((state.global_step - self.first_step) / (state.max_steps - self.first_step))
        if args.world_size > 1:
            # The other processes wait in their next gradient exchange, which times out.
            limit = min(limit, args.ddp_timeout / 2)
        started = time.monotonic()
        try:
            with undisturbed(self.trainer.model):
                measured = self.probe.measure(self.trainer.model, lambda: limit - (time.monotonic() - started))
            seconds = time.monotonic() - started
            self.budget.spend(seconds)
            self._report(measured, seconds, state, control)
        except ProbeTooLong:
            self.budget.spend(time.monotonic() - started)
            self.probe = None
            LOG.warning(
                "the probe is off: one takes more than the %.0f s that probe_budget %g allows; raise probe_budget, or "
                "lower probe_prompts or probe_max_new_tokens",
                limit,
                self.options.probe_budget,
            )
        except Exception as error:
            self._give_up(error)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Log the cost of the probes."""
        if self.done:
            LOG.info(
                "%d probes, %d skipped: %.0f s, %.1f %% of the %.0f s of training; rates in %s",
                self.done,
                self.skipped,
                self.budget.spent,
                100 * self.budget.spent / self.budget.training,
                self.budget.training,
                self.file,
            )

    def _report(self, measured: Measured, seconds: float, state: TrainerState, control: TrainerControl) -> None:
        """Write a line to the file and to the log, and log the curves."""
        row = {
            "step": state.global_step,
            "epoch": state.epoch,
            "rates": {name: asdict(rate) for name, rate in measured.rates.items()},
            "verdict_auroc": measured.verdict_auroc and asdict(measured.verdict_auroc),
            "tokens": measured.tokens,
            "seconds": round(seconds, 3),
            "training_seconds": round(self.budget.training, 3),
        }
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        curves: dict[str, float] = {}
        for name, rate in measured.rates.items():
            if rate.value is not None:
                curves[f"alttrain/{name}"] = rate.value
        if measured.verdict_auroc is not None:
            curves["alttrain/verdict_auroc"] = measured.verdict_auroc.value
        curves["alttrain/n_harmful"] = measured.rates["harmful_rate"].total
        curves["alttrain/n_benign"] = measured.rates["over_refusal"].total
        curves["alttrain/probe_seconds"] = round(seconds, 3)
        due = control.should_log
        self.trainer.log(curves)
        control.should_log = due  # logging clears it, and the step's loss would not be logged
        self.done += 1
        shown = ", ".join(
            f"{name} {rate.count}/{rate.total} [{rate.low:.2f}, {rate.high:.2f}]"
            for name, rate in measured.rates.items()
            if rate.low is not None and rate.high is not None
        )
        LOG.info("probe at step %d: %s; %.1f s", state.global_step, shown, seconds)

    def _skip(self, step: int) -> None:
        if not self.skipped:
            LOG.info(
                "probe skipped at step %d, as at later ones that would exceed %g of the training time (probe_budget); "
                "so far %.1f s of %.1f s",
                step,
                self.options.probe_budget,
                self.budget.spent,
                self.budget.training,
            )
        self.skipped += 1

    def _give_up(self, error: Exception) -> None:
        self.probe = None
        LOG.warning("the probe failed and is off, training continues: %s: %s", type(error).__name__, error)


def _forget_later_steps(path: Path, step: int) -> None:
    """Remove results after the step from which training resumes; their weights no longer exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = (line for line in lines if line.endswith("\n"))  # a killed process leaves half a line
        write_atomic(path, "".join(line for line in whole if json.loads(line)["step"] <= step))

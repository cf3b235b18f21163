"""The Axolotl plugin: registers ``type: alttrain`` and checks the config before GPU time is spent.

Axolotl loads it if a config names it under ``plugins:``, and since 0.21 in every run, through the entry-point group
``axolotl.plugins``. So every hook returns at once for configs that do not use AltTrain, and this module imports
little: no torch, and nothing that an unrelated run does not need.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from axolotl.integrations.base import BasePlugin
from axolotl.utils.logging import get_logger

from axolotl_alttrain.entries import STRATEGIES, concerns, entries_of, is_reasoning, strategy_module
from axolotl_alttrain.errors import AltTrainError, print_mistakes_in_one_line

if TYPE_CHECKING:
    from axolotl_alttrain.args import AltTrainOptions

LOG = get_logger(__name__)
_STRATEGIES = "axolotl.prompt_strategies"


class AltTrainPlugin(BasePlugin):
    """``plugins: [axolotl_alttrain.AltTrainPlugin]``; since Axolotl 0.21 it is loaded without being named."""

    def __init__(self) -> None:
        super().__init__()
        self._registered = False  # whether the last registered config uses AltTrain

    def get_input_args(self) -> str | None:
        """The pydantic model of the options under ``alttrain:``; None for a config without AltTrain."""
        return "axolotl_alttrain.args.AltTrainArgs" if self._registered else None

    def register(self, cfg: Any) -> None:
        """Register the strategy and check the config. Runs before validation, in preprocess and in train.

        Raises:
            AltTrainError: The config would not train AltTrain, or this version of Axolotl is unsupported.
        """
        self._registered = concerns(cfg)
        if not self._registered:
            return
        from axolotl_alttrain.compat import check_axolotl
        from axolotl_alttrain.data.sources.csv_as_text import read_csv_as_text
        from axolotl_alttrain.fingerprint import data_fingerprint
        from axolotl_alttrain.generation.demo_model import resolve_model
        from axolotl_alttrain.storage.builtin import resolve_dataset

        print_mistakes_in_one_line()
        check_axolotl()
        if cfg.get("use_ray"):
            from axolotl_alttrain.ray_training import prepare_driver

            prepare_driver(cfg)
        # Axolotl looks for `type: alttrain` here; it does not find strategies of other packages by itself.
        for kind in STRATEGIES:
            sys.modules[f"{_STRATEGIES}.{kind}"] = strategy_module(kind)
        if isinstance(cfg.get("base_model"), str):
            cfg["base_model"] = resolve_model(cfg["base_model"])
        for entry in entries_of(cfg):
            if isinstance(entry.get("path"), str):
                entry["path"] = resolve_dataset(entry["path"])
            read_csv_as_text(entry)
            # Axolotl's key for prepared data contains the type, so the part after the colon keeps stale tokens out.
            kind = entry["type"].partition(":")[0]
            entry["type"] = f"{kind}:{data_fingerprint(cfg, entry)}"
            sys.modules[f"{_STRATEGIES}.{entry['type']}"] = strategy_module(kind)
        check_config(cfg)

    def load_datasets(self, cfg: Any, preprocess: bool = False) -> None:
        """Load nothing: this is the first hook after Axolotl has completed the config, before it loads the model."""
        if not concerns(cfg):
            return
        from axolotl_alttrain.data.sources.entry_files import check_files
        from axolotl_alttrain.processes import join_on_the_cpu
        from axolotl_alttrain.ray_training import set_batch_size

        for entry in entries_of(cfg):
            check_files(entry)
        if not preprocess:
            join_on_the_cpu(cfg)
        elif cfg.use_ray:
            set_batch_size(cfg)

    def pre_model_load(self, cfg: Any) -> None:
        """Seed the adapter's initial weights, and use all cores when training on the CPU."""
        if not concerns(cfg):
            return
        import torch
        from transformers import set_seed

        from axolotl_alttrain.processes import number_of_processes

        if cfg.seed is not None:
            # Axolotl seeds only after LoRA has drawn its initial weights, so runs of one recipe would differ.
            set_seed(cfg.seed)
        # `accelerate launch` restricts torch to one thread.
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if not torch.cuda.is_available() and number_of_processes() == 1 and torch.get_num_threads() == 1 < processors:
            torch.set_num_threads(processors)
            LOG.info("training on the CPU with %d threads instead of the launcher's 1", processors)

    def get_training_args(self, cfg: Any) -> dict[str, Any] | None:
        """Tell transformers that there is no GPU, without which it refuses ``bfloat16: true``."""
        import torch

        return None if torch.accelerator.is_available() or not concerns(cfg) else {"use_cpu": True}

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Weight the verdict words in the loss, if ``verdict_weight`` says so."""
        weight = _options(cfg).verdict_weight if concerns(cfg) else 1.0
        if weight == 1.0:
            return
        from axolotl_alttrain.format.verdict_words import learn_wording
        from axolotl_alttrain.verdict_loss import VerdictLoss

        chat = _chat(cfg, trainer.processing_class)
        rows, source = _trained_rows(cfg)
        wording = learn_wording(rows, chat)
        if wording is None:
            raise AltTrainError(
                f"verdict_weight is {weight:g}, but the assessments of {source} share no words that state the verdict; "
                "remove verdict_weight"
            )
        words = "; ".join(wording.described(chat))
        LOG.info("verdict words count %g times, as learned from %s: %s", weight, source, words)
        trainer.compute_loss_func = VerdictLoss(wording, weight)

    def post_model_load(self, cfg: Any, model: Any) -> None:
        """Record in the model's config, which is saved beside the adapter, how rows are rendered."""
        if not concerns(cfg):
            return
        from axolotl_alttrain.generation.trained.chat_format import KEY, format_of_config

        setattr(model.config, KEY, format_of_config(cfg).model_dump(mode="json"))

    def add_callbacks_post_trainer(self, cfg: Any, trainer: Any) -> list[Any]:
        """The probe, on the first process, if ``probe_every`` is set."""
        if not concerns(cfg):
            return []
        options = _options(cfg)
        if options.probe_every is None or not trainer.is_world_process_zero():
            return []
        from axolotl_alttrain.probe.callback import ProbeCallback
        from axolotl_alttrain.probe.measure import Probe

        def make_probe() -> Probe:
            chat = _chat(cfg, trainer.processing_class)
            return Probe(chat, options.probe_prompts, options.probe_max_new_tokens, _trained_rows(cfg)[0])

        return [ProbeCallback(trainer, options, make_probe)]

    def post_train(self, cfg: Any, model: Any) -> None:
        """Rid the saved model's card of folders of this machine, on the first process."""
        if not concerns(cfg):
            return
        from axolotl_alttrain.after_training import use_public_names
        from axolotl_alttrain.processes import is_first_process

        if not is_first_process():
            return
        try:
            use_public_names(cfg)
        except (OSError, ValueError) as error:  # this hook runs before the model is saved as well: never stop it
            LOG.warning("README.md in %s may name folders of this machine: %s", cfg.get("output_dir"), error)

    def post_train_unload(self, cfg: Any) -> None:
        """Evaluate the trained model, on the first process, if ``evaluate`` is set."""
        if not concerns(cfg):
            return
        from axolotl_alttrain.processes import is_first_process

        # Since 0.20, Axolotl calls this hook after a failed training as well.
        options = _options(cfg)
        if options.evaluate is None or sys.exc_info()[0] is not None or not is_first_process():
            return
        import torch

        from axolotl_alttrain.after_training import command, evaluate_trained, serving

        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # the evaluator loads the model again
        evaluate_trained(command(cfg, options.evaluate, options.thought_format), serving(cfg))


def check_config(cfg: Any) -> None:
    """Check a raw config.

    Keys that a data set entry gives in vain are mistakes too; see :mod:`~.format.reading.entry_keys`.

    Raises:
        AltTrainError: The config is wrong; the message says what to change.
    """
    from axolotl_alttrain.format.reading.entry_keys import REFUSED, check_entry

    if cfg.get("train_on_inputs"):
        raise AltTrainError(
            "train_on_inputs is true, which puts loss on the user's harmful requests; remove the line or set "
            "'train_on_inputs: false'"
        )
    if not entries_of(cfg):
        raise AltTrainError(
            "no dataset has 'type: alttrain'; add one to 'datasets:', for example '- path: alttrain-seed' with "
            "'type: alttrain', or remove the plugin and the options under 'alttrain:'"
        )
    for entry in entries_of(cfg):
        check_entry(entry)
    if cfg.get("default_system_message"):
        raise AltTrainError(
            f"default_system_message has no effect with 'type: alttrain': {REFUSED['default_system_message']}"
        )
    if cfg.get("trust_remote_code") and _needs_remote_code(cfg) is False:
        LOG.warning(
            "trust_remote_code is true, but %s needs no remote code; set 'trust_remote_code: false' so that no "
            "downloaded code can run",
            cfg.get("base_model"),
        )


def _options(cfg: Any) -> AltTrainOptions:
    """The options under ``alttrain:``, with defaults."""
    from axolotl_alttrain.args import AltTrainOptions

    return AltTrainOptions.model_validate(dict(cfg.get("alttrain") or {}))


def _chat(cfg: Any, tokenizer: Any) -> Any:
    """The chat format in training."""
    entry = entries_of(cfg)[0]
    return strategy_module(entry["type"]).load(tokenizer, cfg, entry).chat


def _trained_rows(cfg: Any) -> Any:
    """The AltTrain rows, and where they are from."""
    from axolotl_alttrain.generation.trained.training_rows import rows_of

    return rows_of([entry["path"] for entry in entries_of(cfg) if not is_reasoning(entry["type"])])


def _needs_remote_code(cfg: Any) -> bool | None:
    """Whether the model or tokenizer needs remote code; None if that cannot be determined."""
    from transformers import PretrainedConfig
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    try:
        model = cfg.get("base_model_config") or cfg.get("base_model")
        config, _ = PretrainedConfig.get_config_dict(model)
        return "auto_map" in config or "auto_map" in get_tokenizer_config(cfg.get("tokenizer_config") or model)
    except Exception:  # offline, gated, or no such model: loading it reports that
        return None

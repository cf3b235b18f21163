"""The flags of an evaluation in groups, with their defaults, limits and help texts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from axolotl_alttrain.eval.config.option import Group, option
from axolotl_alttrain.eval.prompts.attacks import known_attacks
from axolotl_alttrain.eval.prompts.sets import chosen
from pydantic import field_validator, model_validator

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.reasoning.trained_rows import Thinking
from axolotl_alttrain.format.template import fixed_format
from axolotl_alttrain.generation.sampling import Sampling

LOCAL = ("hf", "vllm")
LLM_JUDGES = ("rubric", "xstest")
ZOO = "judgezoo:"  # prefix of its judges
ADAPTER_FORMS = ("as-trained", "full-precision")


class WeightsConfig(Group):
    """Which weights are evaluated."""

    model: str | None = option(None, "base model: folder or Hub ID (default: the adapter's, or the demo model)", "NAME")
    adapter: str | None = option(None, "trained LoRA adapter: folder or Hub ID; base and tuned are compared", "NAME")
    model_revision: str | None = option(None, "Hub commit of --model (default: main)", "COMMIT", backends=LOCAL)
    adapter_revision: str | None = option(None, "Hub commit of --adapter (default: main)", "COMMIT", backends=LOCAL)
    weights: str | None = option(
        None,
        "which form to measure: as-trained (default), the adapter on its base as loaded in training; full-precision, "
        "on the unquantised base; or the FOLDER of an exported model. api: states what the server serves",
        "FORM",
    )
    load_in_4bit: bool | None = option(
        None,
        "load a base without an adapter in NF4; or state how the base was loaded in training if that is not recorded",
        backends=LOCAL,
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = option("auto", "type of the weights", backends=LOCAL)
    thought_format: str = option(
        "auto", 's1: for simplescaling\'s s1 models; or the two texts: \'{"open": ..., "close": ...}\'', "FORMAT"
    )

    @field_validator("thought_format", mode="before")
    @classmethod
    def _known_format(cls, value: object) -> object:
        text = json.dumps(value) if isinstance(value, Mapping) else value
        if isinstance(text, str):
            try:
                fixed_format(text)
            except TemplateError as error:
                raise ValueError(f"--{str(error).replace('_', '-', 1)}") from None
        return text

    @property
    def folder(self) -> str | None:
        """The folder of a whole model that ``weights`` names; None for a form of an adapter."""
        return self.weights if self.weights not in (None, *ADAPTER_FORMS) else None

    @model_validator(mode="after")
    def _not_contradictory(self) -> WeightsConfig:
        if self.weights == "full-precision" and self.load_in_4bit:
            raise ValueError("--load-in-4bit contradicts --weights full-precision; remove one of them")
        return self


class PromptsConfig(Group):
    """Which prompts are asked."""

    protocol: str | None = option(
        None, "evaluate as a paper does: sets, attacks, judges, decoding; shows its results. See --list", "NAME"
    )
    suite: str | None = option(None, "sets for one purpose (default: probe); see --list", "SUITE")
    sets: tuple[str, ...] | None = option(None, "sets, in addition to --suite if both are given", "SET")
    data_dir: Path | None = option(None, "folder with the publishers' files; other sets come from the Hub", "DIR")
    revision: tuple[str, ...] | None = option(None, "Hub commits to use instead of the pinned ones", "SET=COMMIT")
    attacks: tuple[str, ...] | None = option(None, "ask harmful prompts under each of these; see --list", "ATTACK")
    limit: int | None = option(None, "prompts per set, spread evenly over the set (default: all)", "N", ge=1)
    allow_code_execution: bool = option(False, "run the code in HumanEval's answers; without it, suites skip that set")

    @model_validator(mode="after")
    def _known(self) -> PromptsConfig:
        _ = self.names, self.revisions
        known_attacks(self.attacks or ())
        if self.data_dir is not None and not self.data_dir.is_dir():
            raise ValueError(f"--data-dir {self.data_dir}: this folder does not exist")
        return self

    @property
    def names(self) -> list[str]:
        """The sets of ``suite`` and ``sets``, the probes by default."""
        return chosen(list(self.sets or ()), self.suite)

    @property
    def revisions(self) -> dict[str, str]:
        """Commits by set."""
        commits = {}
        for given in self.revision or ():
            name, equals, commit = given.partition("=")
            if not equals:
                raise ValueError(f"--revision {given}: write it as SET=COMMIT")
            if name not in self.names:
                raise ValueError(f"--revision: found {name}; allowed: {', '.join(self.names)}")
            commits[name] = commit
        return commits


class DecodingConfig(Group):
    """How completions are decoded."""

    max_new_tokens: int = option(256, "tokens per completion, at most", "N", ge=1)
    temperature: float = option(0.0, "0 decodes greedily", "T", ge=0, le=2)  # servers refuse more than 2
    top_p: float = option(1.0, "nucleus sampling", "P", gt=0, le=1)
    samples: int = option(1, "samples per prompt; more than one needs --temperature", "K", ge=1)
    seed: int = option(0, "seed for sampling", "N")
    max_thought_tokens: int | None = option(
        None,
        "tokens per thought, at most; a longer one is closed and the answer follows (default: no limit)",
        "N",
        ge=1,
    )
    thinking: Thinking | None = option(
        None, "modes of a hybrid model, by its chat template's own switch (default: what the adapter was trained with)"
    )

    @model_validator(mode="after")
    def _samples_differ(self) -> DecodingConfig:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(f"--samples {self.samples}: greedy samples are all the same; add --temperature 0.7")
        return self

    @model_validator(mode="after")
    def _budget_leaves_an_answer(self) -> DecodingConfig:
        budget = self.max_thought_tokens
        if budget is not None and budget >= self.max_new_tokens:
            raise ValueError(
                f"--max-thought-tokens {budget} leaves no tokens for the answer; set --max-new-tokens, now "
                f"{self.max_new_tokens}, to more"
            )
        if budget is not None and self.thinking == "off":
            raise ValueError("--max-thought-tokens has no effect with --thinking off; remove one of them")
        return self

    @property
    def sampling(self) -> Sampling:
        """The same, as backends take it."""
        return Sampling(self.max_new_tokens, self.temperature, self.top_p, self.seed, self.max_thought_tokens)


class BackendConfig(Group):
    """What runs the model."""

    backend: Literal["hf", "vllm", "api"] = option("hf", "transformers, vLLM, or an OpenAI-compatible server")
    batch_size: int | None = option(None, "sequences per batch, at most (default: what fits)", "N", ("hf",), ge=1)
    batch_tokens: int = option(131072, "tokens per batch, at most", "N", ("hf",), ge=1)
    tensor_parallel: int = option(1, "GPUs per replica", "N", ("vllm",), ge=1)
    data_parallel: int = option(1, "replicas; more than one needs --backend api and a server", "N", ("vllm",), ge=1)
    base_url: str | None = option(None, "server URL up to and including /v1", "URL", ("api",))
    tokenizer: str | None = option(None, "render prompts locally with this tokenizer's chat template", "NAME", ("api",))
    api_concurrency: int = option(16, "concurrent requests", "N", ("api",), ge=1)
    api_key_env: str = option("OPENAI_API_KEY", "environment variable that holds the key", "NAME", ("api",))

    @model_validator(mode="after")
    def _replicas_are_served(self) -> BackendConfig:
        if self.data_parallel > 1:  # vLLM's engine refuses it inside one process
            raise ValueError(
                f"--data-parallel {self.data_parallel}: replicas run behind a server; start 'vllm serve MODEL "
                f"--data-parallel-size {self.data_parallel}' and use --backend api with its --base-url"
            )
        return self


class JudgingConfig(Group):
    """Judges."""

    judges: tuple[str, ...] = option(
        ("refusal",),
        "refusal (offline rules), rubric, xstest, judgezoo:NAME, a guard's name or its YAML file; see docs/judges.md. "
        "The first judge determines the rates, and the first that detects refusals determines over-refusal; all are "
        "reported with their agreement",
        "JUDGE",
        min_length=1,
    )
    guard_url: str | None = option(
        None, "guards: OpenAI-compatible server that serves them, up to and including /v1", "URL"
    )
    guard_name: str | None = option(None, "guard: its name on the server, or another folder or Hub ID to load", "NAME")
    guard_load_in_4bit: bool = option(False, "guards: load them in NF4")
    judge_model: str | None = option(None, "rubric, xstest: the model's name on its server", "NAME")
    judge_url: str | None = option(
        None, "rubric, xstest: OpenAI-compatible server; the key is read from OPENAI_API_KEY", "URL"
    )
    judge_concurrency: int = option(8, "rubric, xstest, served guards: concurrent requests", "N", ge=1)
    judge_max_tokens: int = option(
        512,
        "rubric, xstest: tokens per reply; a truncated reply is undetermined, so judges that reason need more",
        "N",
        ge=1,
    )
    judge_thoughts: bool = option(True, "also judge each thought separately")
    verdict_rows: Path | None = option(
        None,
        "training rows that show how verdicts are worded, to score them (default: the adapter's, or the seed data)",
        "FILE",
    )
    judge_part: Literal["answer", "completion"] = option(
        "answer", "guards and language models: judge the answer, or the whole completion, as some papers do"
    )

    @model_validator(mode="after")
    def _models_are_named(self) -> JudgingConfig:
        for name in self.judges:
            if name in LLM_JUDGES and not self.judge_model:
                raise ValueError(f"--judges {name} needs --judge-model, the name of a model on the judges' server")
        guards = [name for name in self.judges if name not in ("refusal", *LLM_JUDGES) and not name.startswith(ZOO)]
        if self.guard_name and len(guards) > 1:
            raise ValueError(f"--guard-name names one guard, and --judges has {', '.join(guards)}; evaluate with one")
        if self.guard_url and self.guard_load_in_4bit:
            raise ValueError("--guard-load-in-4bit concerns guards on this machine; remove it or --guard-url")
        return self


class OutputConfig(Group):
    """Output."""

    out: Path = option(Path("outputs/eval"), "folder for results", "DIR")

    @model_validator(mode="after")
    def _writable(self) -> OutputConfig:
        there = next(folder for folder in (self.out, *self.out.absolute().parents) if folder.exists())
        if not there.is_dir():
            raise ValueError(f"--out {self.out}: {there} is a file; choose another folder")
        if not os.access(there, os.W_OK):
            raise ValueError(f"--out {self.out}: {there} is not writable; choose another folder")
        return self


GROUPS: dict[str, type[Group]] = {
    "weights": WeightsConfig,
    "prompts": PromptsConfig,
    "decoding": DecodingConfig,
    "backend": BackendConfig,
    "judging": JudgingConfig,
    "output": OutputConfig,
}
GROUP_OF = {name: group for group, model in GROUPS.items() for name in model.model_fields}
FLAGS = {name: field for group in GROUPS.values() for name, field in group.model_fields.items()}

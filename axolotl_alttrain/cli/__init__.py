"""``axolotl alttrain``: commands beside Axolotl's own, found through the entry-point group ``axolotl.cli_commands``."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from axolotl_alttrain.errors import AltTrainError

_CONFIG = click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def _user_errors_in_one_line(command: Callable[..., int | None], exit_code: int = 1) -> Callable[..., None]:
    @functools.wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            status = command(*args, **kwargs)
        except AltTrainError as error:
            mistake = click.ClickException(str(error))
            mistake.exit_code = exit_code
            raise mistake from None
        sys.exit(status or 0)

    return run


@click.group()
def alttrain() -> None:
    """AltTrain: build data, preview training, estimate memory and time, check the machine."""
    # Reading a config runs Axolotl's own code, which sends telemetry. These commands send none.
    os.environ.setdefault("AXOLOTL_DO_NOT_TRACK", "1")


@alttrain.command()
@_CONFIG
@click.option("--rows", type=click.IntRange(min=0), default=3, show_default=True, help="Rows to show in full.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write the preview as an HTML page.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the numbers as JSON.")
@_user_errors_in_one_line
def preview(config: Path, rows: int, html: Path | None, json_file: Path | None) -> None:
    """Show which tokens CONFIG trains: rows in colour, then tables over the whole dataset."""
    from axolotl_alttrain.cli.preview.preview_command import run_preview

    run_preview(config, rows, html, json_file)


@alttrain.command()
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the checks as JSON.")
@_user_errors_in_one_line
def doctor(config: Path | None, json_file: Path | None) -> int:
    """Check this machine and, if given, CONFIG.

    Each line is ok, a warning or a problem with its remedy. The exit code is 1 if there is a problem.
    """
    from axolotl_alttrain.cli.doctor import run_doctor

    return run_doctor(config, json_file)


@alttrain.command()
@_CONFIG
@click.option("--gpu", default="a6000", show_default=True, help="GPU model: a6000, 3090, 4090, a100-40, h100, ...")
@click.option("--gpus", type=click.IntRange(min=1), help="Number of GPUs (default: as many as CONFIG needs).")
@click.option("--rows", type=click.IntRange(min=1), help="Assume that the dataset has this many rows.")
@click.option(
    "--efficiency",
    type=click.FloatRange(0.01, 1),
    help="Share of the GPU's peak matrix rate that is reached (default: 0.5).",
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the numbers as JSON.")
@_user_errors_in_one_line
def fit(
    config: Path, gpu: str, gpus: int | None, rows: int | None, efficiency: float | None, json_file: Path | None
) -> int:
    """Estimate peak memory and training time of CONFIG on a GPU, from the model's config alone.

    Nothing is downloaded except the config and tokenizer of models that this package does not ship. The exit code is 1
    if the training does not fit.
    """
    from axolotl_alttrain.cli.fit_command import MATRIX_EFFICIENCY, run_fit

    return run_fit(config, gpu, gpus, rows, efficiency or MATRIX_EFFICIENCY, json_file)


@alttrain.command()
@_CONFIG
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to (default: the one in CONFIG)."
)
@click.option(
    "--dry-run", is_flag=True, help="Show counts, tokens and the estimated cost; ask no model, write nothing."
)
@click.option(
    "--push", "repo", metavar="ORG/NAME", help="Upload card, page, rows and variants to this dataset repository."
)
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@_user_errors_in_one_line
def build(config: Path, out: Path | None, dry_run: bool, repo: str | None, public: bool) -> None:
    """Build an AltTrain dataset from reasoning traces, as CONFIG says.

    An interrupted build resumes; stored assessments are not requested again.
    """
    from axolotl_alttrain.cli.build_command import run_build

    run_build(config, out, dry_run, repo, public)


@alttrain.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--push", "repo", metavar="ORG/NAME", help="Upload card, page, rows and variants to this dataset repository."
)
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@_user_errors_in_one_line
def card(folder: Path, repo: str | None, public: bool) -> None:
    """Write the dataset card and the page of the build in FOLDER; with --push, upload them with the rows."""
    from axolotl_alttrain.cli.card_command import run_card

    run_card(folder, repo, public)


@alttrain.command()
@click.option("--model", required=True, help="Folder or Hub id; with --backend openai, the model's name on the server.")
@click.option(
    "--queries",
    required=True,
    help="JSONL file, text file with one query per line, or alttrain-seed (its benign rows).",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Output file for the traces, JSONL."
)
@click.option("--column", default="instruction", show_default=True, help="Column with the query, for JSONL.")
@click.option("--backend", type=click.Choice(["hf", "openai"]), default="hf", show_default=True)
@click.option("--base-url", help="Address of an OpenAI-compatible server (vLLM, Ollama, ...).")
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=16, show_default=True, help="Concurrent requests, for openai."
)
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Samples per query.")
@click.option(
    "--temperature", type=click.FloatRange(min=0), default=0.6, show_default=True, help="0 means greedy decoding."
)
@click.option("--top-p", type=click.FloatRange(0.01, 1), default=0.95, show_default=True)
@click.option("--max-new-tokens", type=click.IntRange(min=1), default=4096, show_default=True)
@click.option("--seed", type=int, default=1995, show_default=True)
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Sequences per batch, for hf."
)
@click.option("--load-in-4bit", is_flag=True, help="Load the weights in NF4, for hf.")
@click.option("--thought-format", type=click.Choice(["auto", "s1"]), default="auto", show_default=True)
@_user_errors_in_one_line
def traces(
    model: str,
    queries: str,
    out: Path,
    column: str,
    backend: str,
    base_url: str | None,
    concurrency: int,
    samples: int,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    seed: int,
    batch_size: int,
    load_in_4bit: bool,
    thought_format: str,
) -> None:
    """Sample a model's own reasoning traces for benign queries, as a source for 'build'.

    An interrupted run resumes. Temperature and top-p default to the values that DeepSeek-R1's model card recommends.
    """
    from axolotl_alttrain.cli.traces_command import run_traces
    from axolotl_alttrain.data.traces.samplers import HFSampler, OpenAISampler
    from axolotl_alttrain.data.traces.trace_sampling import Settings

    sampler = (
        HFSampler(model, batch_size, load_in_4bit, thought_format)
        if backend == "hf"
        else OpenAISampler(model, base_url, concurrency)
    )
    settings = Settings(sampler.identity, temperature, top_p, max_new_tokens, seed)
    run_traces(sampler, settings, queries, out, column, samples)


@alttrain.command("check-export")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--adapter", help="Folder or Hub id of the adapter that was merged (default: the one in FOLDER's record)."
)
@click.option("--model", help="Folder or Hub id of the base model (default: the one in the adapter's config).")
@click.option("--engine", type=click.Choice(["transformers", "vllm"]), default="transformers", show_default=True)
@click.option("--url", help="Ask a server that serves FOLDER instead, up to and including /v1.")
@click.option("--served-model", metavar="NAME", help="The model's name there; for a LoRA request, the adapter's.")
@click.option(
    "--endpoint",
    type=click.Choice(["completions", "chat"]),
    default="completions",
    show_default=True,
    help="completions: prompts are rendered here; chat: the server applies its own chat template.",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    default="auto",
    show_default=True,
    help="Load the exported weights as this.",
)
@click.option("--suite", help="Sets for one purpose (default: probe).")
@click.option("--sets", help="Sets, separated by commas, in addition to --suite if both are given.")
@click.option("--prompts", type=click.IntRange(min=1), help="About this many in total, over all sets (default: all).")
@click.option("--max-new-tokens", type=click.IntRange(min=1), default=256, show_default=True)
@click.option(
    "--margin",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Permitted difference of rates, and share of changed verdicts and judgements, in percentage points.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for completions and check-export.json (default: outputs/check-export/...).",
)
@functools.partial(_user_errors_in_one_line, exit_code=2)
def check_export(folder: Path, sets: str | None, **options: Any) -> int:
    """Compare FOLDER with the form in which it was trained.

    FOLDER is an exported or merged model, or a LoRA adapter, which is then taken on its full-precision base. The exit
    code is 0 if both forms agree up to the margin, 1 if they do not, 2 on a mistake, and 3 if they agree but a set or a
    completion is unavailable. An interrupted check resumes.
    """
    from axolotl_alttrain.cli.check_export_command import run_check_export
    from axolotl_alttrain.export_check.options import CheckOptions

    names = tuple(name for name in (sets or "").replace(",", " ").split())
    return run_check_export(CheckOptions(folder=folder, sets=names, **options))


if __name__ == "__main__":
    alttrain(prog_name="axolotl alttrain")

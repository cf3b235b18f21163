"""``axolotl alttrain``: commands beside Axolotl's own, found through the entry-point group ``axolotl.cli_commands``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from axolotl_alttrain.cli.check_export_command import check_export
from axolotl_alttrain.cli.evaluation_commands import COMMANDS
from axolotl_alttrain.cli.json_output import json_option
from axolotl_alttrain.cli.third_party_logs import leave_out_third_party_lines
from axolotl_alttrain.cli.user_errors import user_errors_in_one_line
from axolotl_alttrain.errors import exit_codes

_CONFIG = click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))


class _InOrder(click.Group):
    """A group that lists its commands in the order of use, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which they were added."""
        return list(self.commands)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command whose help ends with its exit codes."""
        super().add_command(cmd, name)
        cmd.epilog = exit_codes(str(name or cmd.name))


@click.group(cls=_InOrder)
def alttrain() -> None:
    """AltTrain: check a config, build data, evaluate what was trained, and export it.

    Training itself is 'axolotl train CONFIG'.
    """
    # Reading a config runs Axolotl's own code, which sends telemetry. These commands send none.
    os.environ.setdefault("AXOLOTL_DO_NOT_TRACK", "1")
    leave_out_third_party_lines()


@alttrain.command(short_help="Show which tokens a config trains.")
@_CONFIG
@click.option("--rows", type=click.IntRange(min=0), default=3, show_default=True, help="Rows to show in full.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write the preview as an HTML page.")
@json_option("the numbers")
@click.option("--gpus", type=click.IntRange(min=1), help="Number of GPUs (default: as many as CONFIG needs).")
@user_errors_in_one_line
def preview(config: Path, rows: int, html: Path | None, json_file: Path | None, gpus: int | None) -> None:
    """Show which tokens CONFIG trains: rows in colour, then tables over the whole dataset."""
    from axolotl_alttrain.cli.preview.preview_command import run_preview

    run_preview(config, rows, html, json_file, gpus=gpus)


@alttrain.command()
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option("versions and checks")
@user_errors_in_one_line
def doctor(config: Path | None, json_file: Path | None) -> int:
    """Check this machine and, if given, CONFIG.

    Each line is ok, a warning or a problem with its remedy.
    """
    from axolotl_alttrain.cli.checks.doctor_command import run_doctor

    return run_doctor(config, json_file)


@alttrain.command(short_help="Estimate peak memory and training time on a GPU.")
@_CONFIG
@click.option("--gpu", default="a6000", show_default=True, help="GPU model: a6000, 3090, 4090, a100-40, h100, ...")
@click.option("--gpus", type=click.IntRange(min=1), help="Number of GPUs (default: as many as CONFIG needs).")
@click.option("--rows", type=click.IntRange(min=1), help="Assume that the dataset has this many rows.")
@click.option(
    "--efficiency",
    type=click.FloatRange(0.01, 1),
    help="Share of the GPU's peak matrix rate that is reached (default: 0.65).",
)
@json_option("the numbers")
@user_errors_in_one_line
def fit(
    config: Path, gpu: str, gpus: int | None, rows: int | None, efficiency: float | None, json_file: Path | None
) -> int:
    """Estimate peak memory and training time of CONFIG on a GPU, from the model's config alone.

    Nothing is downloaded except the config and tokenizer of models that this package does not ship.
    """
    from axolotl_alttrain.cli.fit_command import MATRIX_EFFICIENCY, run_fit

    return run_fit(config, gpu, gpus, rows, efficiency or MATRIX_EFFICIENCY, json_file)


@alttrain.command(short_help="Build a dataset from reasoning traces.")
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
@user_errors_in_one_line
def build(config: Path, out: Path | None, dry_run: bool, repo: str | None, public: bool) -> None:
    """Build an AltTrain dataset from reasoning traces, as CONFIG says.

    An interrupted build resumes; stored assessments are not requested again.
    """
    from axolotl_alttrain.cli.build_command import run_build

    run_build(config, out, dry_run, repo, public)


@alttrain.command("data-card", short_help="Write the data card of a build, or push it.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--push", "repo", metavar="ORG/NAME", help="Upload card, page, rows and variants to this dataset repository."
)
@click.option("--public", is_flag=True, help="Make a new repository public (default: private).")
@user_errors_in_one_line
def data_card(folder: Path, repo: str | None, public: bool) -> None:
    """Write the data card and the page of the build in FOLDER; with --push, upload them with the rows."""
    from axolotl_alttrain.cli.data_card_command import run_data_card

    run_data_card(folder, repo, public)


@alttrain.command(short_help="Sample a model's own reasoning traces.")
@click.option("--model", required=True, help="Folder or Hub ID; with --backend openai, the model's name on the server.")
@click.option(
    "--queries",
    required=True,
    help="JSONL, JSON, CSV, TSV or Parquet file, text with one query per line, or alttrain-seed (its benign rows).",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Output file for the traces, JSONL."
)
@click.option("--column", default="instruction", show_default=True, help="Column with the query, for data files.")
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
@user_errors_in_one_line
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


@alttrain.command(short_help="Export an adapter as one model.")
@click.argument("adapter")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True, help="Folder to write: new, or an earlier export."
)
@click.option(
    "--form",
    type=click.Choice(["as-trained", "merged-full"]),
    default="as-trained",
    show_default=True,
    help="merged-full ignores the quantisation of the training.",
)
@click.option(
    "--dtype",
    type=click.Choice(["bfloat16", "float16", "float32"]),
    default="bfloat16",
    show_default=True,
    help="Type of the saved weights.",
)
@click.option("--max-shard-size", default="5GB", show_default=True, help="Size of the largest weights file.")
@click.option("--model", help="Folder or Hub ID of the base (default: the one that the adapter's config names).")
@click.option("--thought-format", type=click.Choice(["auto", "s1"]), default="auto", show_default=True)
@user_errors_in_one_line
def export(
    adapter: str, target: Path, form: Any, dtype: Any, max_shard_size: str, model: str | None, thought_format: str
) -> None:
    """Export ADAPTER, a folder or Hub ID, as one model that every engine loads.

    For QLoRA the base is quantised and dequantised as in training, and the adapter is added to that in float32, so the
    model computes what was trained. The tokenizer, the trained chat template, every stop token and a model card are
    written beside the weights. Memory holds one tensor of the base at a time, and the adapter.
    """
    from axolotl_alttrain.cli.export_command import run_export
    from axolotl_alttrain.export.export import ExportRequest
    from axolotl_alttrain.export.shards import parse_size
    from axolotl_alttrain.generation.demo_model import resolve_model

    base = resolve_model(model) if model else None
    run_export(ExportRequest(adapter, target, base, form, dtype, parse_size(max_shard_size), thought_format))


for _command in (*COMMANDS, check_export):
    alttrain.add_command(_command)

"""``axolotl alttrain fit``: estimate whether a recipe fits a GPU and how long training takes, before renting one."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from axolotl_alttrain.cli.json_output import console_beside, write_json
from axolotl_alttrain.cli.recipe import DEFAULT_GPU, load_config, quiet
from axolotl_alttrain.cli.row_lengths import Lengths, row_lengths, with_rows
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.fit.architecture import read_architecture, shipped_config
from axolotl_alttrain.fit.duration import LAYER_SECONDS_4BIT, MATRIX_EFFICIENCY, Duration, duration
from axolotl_alttrain.fit.epoch_batches import epoch_batches
from axolotl_alttrain.fit.error_band import PUBLISHED_BAND
from axolotl_alttrain.fit.gpus import Gpu, find_gpu, needed_gpus
from axolotl_alttrain.fit.memory import GIB, Model, Part, memory_parts, read_model

_LARGEST_BATCH_TOKENS = 1 << 22


@dataclass(frozen=True)
class Fit:
    """The result of ``fit``.

    Attributes:
        config: Path of the recipe.
        gpu: The GPU.
        gpus: Number of GPUs.
        architecture: Source of the model's architecture.
        parameters: Number of parameters of the base model.
        lengths: Lengths of the rows.
        tokens: Tokens in the largest forward pass of this training, including padding.
        parts: Parts of the peak memory of one GPU.
        full_tokens: Tokens in the largest forward pass that the recipe allows for any data.
        full_gib: Peak memory of such a pass.
        most_tokens: Tokens in the largest forward pass that fits; 0 if none does.
        micro_batch_size: The largest that fits whatever rows a batch holds; 0 if none does.
        time: Steps, tokens and seconds.
        efficiency: Assumed share of the GPU's matrix rate.
    """

    config: str
    gpu: Gpu
    gpus: int
    architecture: str
    parameters: int
    lengths: Lengths
    tokens: int
    parts: list[Part]
    full_tokens: int
    full_gib: float
    most_tokens: int
    micro_batch_size: int
    time: Duration
    efficiency: float

    @property
    def gib(self) -> float:
        """Peak memory of one GPU."""
        return _gib(self.parts)

    @property
    def fits(self) -> bool:
        """Whether the peak is within the GPU's memory."""
        return self.gib <= self.gpu.memory

    def as_dict(self) -> dict[str, Any]:
        """Values for JSON, with number, mean and maximum instead of all row lengths."""
        tokens = self.lengths.tokens
        plain = asdict(self) | {"peak_gib": round(self.gib, 2), "fits": self.fits}
        plain["error_band"] = asdict(PUBLISHED_BAND)
        plain["lengths"] = {
            "rows": len(tokens),
            "dropped": self.lengths.dropped,
            "mean": round(sum(tokens) / len(tokens), 1),
            "longest": max(tokens),
            "how": self.lengths.how,
        }
        return plain


def estimate(
    config: Path,
    gpu: Gpu = DEFAULT_GPU,
    gpus: int | None = None,
    rows: int | None = None,
    efficiency: float = MATRIX_EFFICIENCY,
) -> Fit:
    """Estimate peak memory and time of a recipe.

    Args:
        config: An Axolotl config with the plugin.
        gpu: The GPU.
        gpus: Number of GPUs; by default as many as the recipe needs.
        rows: Assume that the dataset has this many rows.
        efficiency: Share of ``gpu.tflops`` that matrix products reach.

    Raises:
        AltTrainError: The config, the model or the data is unusable; the message says why.
    """
    cfg = load_config(config, gpu=gpu, gpus=gpus)
    number = gpus or needed_gpus(cfg)
    lengths = row_lengths(cfg)
    if rows is not None:
        lengths = with_rows(lengths, rows, int(cfg.seed or 0))
    with quiet():
        model = read_model(read_architecture(cfg), cfg)
        batches = epoch_batches(lengths.tokens, cfg)
    if not batches:
        raise AltTrainError(
            f"{config}: {len(lengths.tokens)} rows are too few for one batch; add rows or lower the batch size"
        )
    tokens = max(batch.padded for batch in batches)
    most = _most_tokens(model, cfg, gpu, number)
    full = int(cfg.micro_batch_size) * int(cfg.sequence_len)
    return Fit(
        config=str(config),
        gpu=gpu,
        gpus=number,
        architecture="shipped with this package" if shipped_config(str(cfg.base_model)) else str(cfg.base_model),
        parameters=model.sizes.parameters,
        lengths=lengths,
        tokens=tokens,
        parts=memory_parts(model, cfg, tokens, number),
        full_tokens=full,
        full_gib=_gib(memory_parts(model, cfg, full, number)),
        most_tokens=most,
        micro_batch_size=_largest_micro_batch(lengths.tokens, cfg, most),
        time=duration(model, cfg, batches, gpu, number, efficiency),
        efficiency=efficiency,
    )


def run_fit(
    config: Path,
    gpu: str,
    gpus: int | None = None,
    rows: int | None = None,
    efficiency: float = MATRIX_EFFICIENCY,
    json_file: Path | None = None,
    console: Console | None = None,
) -> int:
    """Print the estimate; return 1 if the recipe does not fit the GPU, otherwise 0."""
    console = console or console_beside(json_file)
    found = estimate(config, find_gpu(gpu), gpus, rows, efficiency)
    console.print(parts_table(found))
    for line in fit_lines(found):
        console.print(line, highlight=False)
    write_json(json_file, found.as_dict(), console)
    return 0 if found.fits else 1


def parts_table(found: Fit) -> Table:
    """The peak memory of one GPU, by part."""
    title = f"{found.config} on {_gpu_names(found)}: estimated peak memory per GPU"
    table = Table(title=title, title_justify="left", show_footer=True)
    verdict = "fits" if found.fits else "DOES NOT FIT"
    style = "bold green" if found.fits else "bold red"
    table.add_column("part", footer="total", footer_style="bold")
    table.add_column("GiB", footer=f"{found.gib:.1f}", footer_style="bold", justify="right")
    table.add_column("basis", footer=f"{verdict}: the GPU has {found.gpu.memory}", footer_style=style)
    for part in found.parts:
        table.add_row(part.name, f"{part.bytes / GIB:.2f}", part.source)
    return table


def fit_lines(found: Fit) -> list[str]:
    """What the table does not show, one sentence each."""
    tokens, time = found.lengths.tokens, found.time
    dropped = f"; {found.lengths.dropped} more are longer than sequence_len" if found.lengths.dropped else ""
    if found.micro_batch_size:
        largest = (
            f"Largest forward pass that fits: {found.most_tokens:,} tokens, so use at most 'micro_batch_size: "
            f"{found.micro_batch_size}'."
        )
    else:
        largest = "No batch fits this GPU: use a smaller model, 4-bit weights, gradient checkpointing or a larger GPU."
    return [
        f"Model: {found.parameters:,} parameters, architecture {found.architecture}.",
        f"Rows: {len(tokens):,}, {sum(tokens) / len(tokens):.0f} tokens on average, the longest {max(tokens):,}"
        f"{dropped} ({found.lengths.how}).",
        f"Largest forward pass of this training: {found.tokens:,} tokens. Longer rows, up to "
        f"{found.full_tokens:,} tokens, would need {found.full_gib:.1f} GiB. {largest}",
        f"Training: {time.steps:,} steps of {time.rows_per_step:.1f} rows, {time.tokens:,} tokens "
        f"(plus {100 * (time.padded / time.tokens - 1):.0f} % padding), about {time.seconds / 60:.0f} minutes.",
        f"The time assumes that matrix products reach {100 * found.efficiency:.0f} % of the data sheet's "
        f"{found.gpu.tflops:.0f} TFLOPS and that a pass of a 4-bit layer takes at least "
        f"{1000 * LAYER_SECONDS_4BIT:.0f} ms. It excludes loading and saving.",
        PUBLISHED_BAND.sentence(),
    ]


def _gib(parts: list[Part]) -> float:
    return sum(part.bytes for part in parts) / GIB


def _gpu_names(found: Fit) -> str:
    return found.gpu.name if found.gpus == 1 else f"{found.gpus} x {found.gpu.name}"


def _most_tokens(model: Model, cfg: Any, gpu: Gpu, gpus: int) -> int:
    """Tokens in the largest forward pass that fits; memory grows with the tokens."""
    low, high = 0, _LARGEST_BATCH_TOKENS
    while low < high:
        middle = (low + high + 1) // 2
        if _gib(memory_parts(model, cfg, middle, gpus)) <= gpu.memory:
            low = middle
        else:
            high = middle - 1
    return low


def _largest_micro_batch(lengths: list[int], cfg: Any, most: int) -> int:
    """The largest batch, in rows or packed rows, that fits however the rows are shuffled."""
    if cfg.sample_packing:
        rows = int(cfg.sample_packing_bin_size or len(lengths))
        longest = min(int(cfg.sequence_len), sum(sorted(lengths)[-rows:]))
    else:
        longest = max(lengths)
    one = copy.deepcopy(cfg)
    one.micro_batch_size = 1
    padded = max(batch.padded for batch in epoch_batches([longest], one))
    return most // padded

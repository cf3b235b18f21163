"""``data.jsonl`` and the files of the variants."""

from __future__ import annotations

import json
from pathlib import Path

from axolotl_alttrain.data.assessment_rounds import Pools
from axolotl_alttrain.data.build_config import VariantConfig
from axolotl_alttrain.data.build_context import BuildContext
from axolotl_alttrain.data.output.build_report import VariantReport
from axolotl_alttrain.data.output.tally import Tally
from axolotl_alttrain.data.steps.variants import varied
from axolotl_alttrain.storage.atomic import open_atomic


def write_row_files(context: BuildContext, folder: Path, pools: Pools) -> tuple[Tally, dict[str, VariantReport]]:
    """Write ``data.jsonl`` and the variants.

    Args:
        context: The build.
        folder: The folder to write to.
        pools: The usable entries of each label.

    Returns:
        The counts of ``data.jsonl``, and what the report says about each variant.
    """
    tally = _write(context, folder / "data.jsonl", pools)
    variants = {}
    for variant in context.config.variants:
        name = f"variants/{variant.name}.jsonl"
        counts = _write(context, folder / name, pools, variant)
        variants[variant.name] = VariantReport(file=name, rows=counts.rows, label=counts.by("label"))
    return tally, variants


def _write(context: BuildContext, path: Path, pools: Pools, variant: VariantConfig | None = None) -> Tally:
    config, tally = context.config, Tally()
    entries = [entry for label, pool in pools.items() for entry in pool[: config.size(label, variant)]]
    assessor = context.assessor.model or context.assessor.kind
    with open_atomic(path) as out:
        for done, entry in enumerate(sorted(entries, key=lambda entry: (entry.rank, entry.offset)), 1):
            candidate = context.candidates.get(entry)
            example = context.example(candidate, entry)
            if variant:
                example = varied(example, variant, config.seed)
            tally.add(candidate, example, {} if variant else context.lengths(example))
            row = example.as_row() | {"assessor": "source" if candidate.example else assessor}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            context.progress(f"Writing {path.name}", done, len(entries))
    return tally

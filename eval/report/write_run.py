"""The files of a finished evaluation, except samples and judgements, which are appended while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from axolotl_alttrain.eval.backends.base import Identity
from axolotl_alttrain.eval.report.card.model_card_command import write_cards
from axolotl_alttrain.eval.report.page.report_page import write_report
from axolotl_alttrain.eval.results.manifest import write_manifest
from axolotl_alttrain.eval.results.rules import rule_versions
from axolotl_alttrain.eval.results.summarise import Evaluation
from axolotl_alttrain.eval.results.summary import Summary

from axolotl_alttrain.storage.atomic import open_atomic, together, write_atomic

FILES = "report.html, results.md, model-card.md, summary.json, manifest.json, scored.jsonl, samples.jsonl"


@together()
def write_run(
    out: Path,
    summary: Summary,
    found: Evaluation,
    flags: Mapping[str, object],
    identities: Mapping[str, Identity],
    seed: int,
) -> None:
    """Write scores, summary, manifest, report and model card; they replace earlier ones together.

    Args:
        out: The folder.
        summary: See :func:`axolotl_alttrain.eval.results.summarise.summary_of`.
        found: What it was made from.
        flags: The command line's, by name.
        identities: Of each run.
        seed: For the manifest; greedy runs record it too.
    """
    with open_atomic(out / "scored.jsonl") as file:
        file.writelines(one.as_row().as_json() + "\n" for one in found.scored)
    write_atomic(out / "summary.json", summary.as_json())
    revisions = {prompt.set: prompt.revision or "embedded" for prompt in found.prompts}
    settings = found.settings.as_dict() | {"seed": seed}
    rules = rule_versions(found.judges, found.prompts)
    write_manifest(
        out / "manifest.json",
        flags=flags,
        identities=identities,
        weights=found.forms,
        sets=revisions,
        missing=found.missing,
        settings=settings,
        rules=rules,
        started=found.started,
    )
    write_report(out / "report.html", summary, list(found.scored))
    write_cards(out, summary, revisions)

"""A whole build: read the sources, select, assess in rounds, write the files.

Answers may arrive in any order. Rows are read back from the store by key and written in an order that depends only on
the seed, so the same seed and inputs give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from axolotl_alttrain.data.assessment_rounds import assess_selection
from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.build_context import Progress, build_context
from axolotl_alttrain.data.collection import collect
from axolotl_alttrain.data.output.build_report import BuildReport
from axolotl_alttrain.data.output.row_files import write_row_files
from axolotl_alttrain.data.output.tally import make_report
from axolotl_alttrain.storage.atomic import together, write_atomic
from axolotl_alttrain.storage.locks import only_writer


def build(config: BuildConfig, folder: Path, progress: Progress = lambda stage, done, total: None) -> BuildReport:
    """Build a dataset and write it with its report and logs.

    Args:
        config: What to build.
        folder: The folder to write to. Assessments that it already holds are reused.
        progress: Called with a stage, the number done, and the total if it is known.

    Raises:
        AltTrainError: A source, the assessor or the tokenizer cannot be used, or there are too few usable rows.
            Assessments so far are kept; the same call resumes from them. Or another process writes to the folder.
    """
    with only_writer(folder), together():
        with build_context(config, folder, progress) as context:
            collect(context)
            pools = assess_selection(context)
            tally, variants = write_row_files(context, folder, pools)
            report = make_report(context, tally, variants)
        write_atomic(folder / "report.json", report.as_json())
    return report

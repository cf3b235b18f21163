"""Published sets of reasoning traces, by the columns that their pages document.

safechain      https://huggingface.co/datasets/UWNSL/SafeChain: ``instruction``, ``label``, ``response``; 40,000 rows,
               gated. The response lacks the opening think tag, as its card says. Labels end in ``harmful`` or
               ``benign``, after WildJailbreak's kinds (``vanilla_harmful``, ``adversarial_benign``, ...).
star1          https://huggingface.co/datasets/UCSC-VLAA/STAR-1: ``id``, ``question``, ``response``, ``category``
               (a list), ``source``, ``score``; 1,000 rows, all harmful.
r1-act         https://huggingface.co/datasets/Yeonjun/R1-Act-train: ``instruction``, ``response``, as the authors'
               training code reads them (https://github.com/yeonjun-in/R1-Act). The thoughts hold an assessment already:
               they are kept as they are, and the label is the assessment's verdict.
alttrain-seed  this package's own rows, with all steps.
traces         a file of :class:`axolotl_alttrain.data.traces.trace.Trace` rows, such as the target model's own; needs a
               path.
"""

from __future__ import annotations

from dataclasses import dataclass

from axolotl_alttrain.data.build_config import ColumnMap
from axolotl_alttrain.format.example import Label


@dataclass(frozen=True)
class Preset:
    """A known source.

    Attributes:
        path: Hub id or built-in name.
        columns: Its columns; None where rows are AltTrain examples already.
        label: The label of all rows, where they share one.
        language: The language of all rows, where they share one.
        gated: The hub gives it only to accounts that have accepted its terms.
    """

    path: str
    columns: ColumnMap | None
    label: Label | None = None
    language: str | None = "en"
    gated: bool = False


PRESETS: dict[str, Preset] = {
    "safechain": Preset("UWNSL/SafeChain", ColumnMap(response="response", label="label"), gated=True),
    "star1": Preset(
        "UCSC-VLAA/STAR-1",
        ColumnMap(query="question", response="response", category="category", id="id"),
        label="harmful",
    ),
    "r1-act": Preset("Yeonjun/R1-Act-train", None),
    "alttrain-seed": Preset("alttrain-seed", None, language=None),
    "traces": Preset(
        "",
        ColumnMap(thought="thought", answer="answer", label="label", category="category", language="language", id="id"),
        language=None,
    ),
}

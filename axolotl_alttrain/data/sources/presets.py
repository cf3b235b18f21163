"""Published sets of reasoning traces, with the columns that their pages document.

safechain      https://huggingface.co/datasets/UWNSL/SafeChain: ``instruction``, ``label``, ``response``; 40,000 rows,
               gated. As its card says, the response has no opening think tag. Labels end in ``harmful`` or ``benign``,
               after the kinds of WildJailbreak (``vanilla_harmful``, ``adversarial_benign``, ...).
star1          https://huggingface.co/datasets/UCSC-VLAA/STAR-1: ``id``, ``question``, ``response``, ``category``
               (a list), ``source``, ``score``; 1,000 rows, all harmful.
r1-act         https://huggingface.co/datasets/Yeonjun/R1-Act-train: ``instruction``, ``response``, as the authors'
               training code reads them (https://github.com/yeonjun-in/R1-Act). The thoughts already contain an
               assessment. They are kept as they are, and the verdict of the assessment is the label.
alttrain-seed  the rows of this package, with all steps.
traces         a file of :class:`axolotl_alttrain.data.traces.trace.Trace` rows, for example the target model's own;
               needs a ``path``.
"""

from __future__ import annotations

from dataclasses import dataclass

from axolotl_alttrain.data.build_config import ColumnMap
from axolotl_alttrain.format.example import Label


@dataclass(frozen=True)
class Preset:
    """A known source.

    Attributes:
        path: Hub ID or built-in name.
        columns: Its columns; None if the rows are already AltTrain examples.
        label: The label of all rows, if they share one.
        language: The language of all rows, if they share one.
    """

    path: str
    columns: ColumnMap | None
    label: Label | None = None
    language: str | None = "en"


PRESETS: dict[str, Preset] = {
    "safechain": Preset("UWNSL/SafeChain", ColumnMap(response="response", label="label")),
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

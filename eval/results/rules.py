"""The versions of the metrics and judges that turn completions into numbers.

Each metric and each judge states its version, an integer, beside its code. Raise it with every change that may alter
a result. A test (``tests/eval/frozen.py``) fails when a result changes and the version does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from axolotl_alttrain.eval.answers import code_execution, final_answer
from axolotl_alttrain.eval.judges import thought_reader
from axolotl_alttrain.eval.judges.base import Judge
from axolotl_alttrain.eval.prompts.capability import LM_TASKS_VERSION
from axolotl_alttrain.eval.prompts.prompt import SHORT_ANSWER_VERSION, Prompt
from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.scoring.metrics import METRICS

from axolotl_alttrain.format.parsed_completion import STRUCTURE_VERSION

RULE_VERSIONS = "rule_versions"  # the key in manifest.json
FIRST_VERSION = 1  # assumed for runs whose manifest has no versions


def rule_versions(judges: Sequence[Judge], prompts: Iterable[Prompt]) -> dict[str, int]:
    """The version of every judge, metric and reader that an evaluation uses.

    Args:
        judges: The judges of the evaluation.
        prompts: The prompts it asks.

    Returns:
        Versions by name, for example ``{"judge refusal": 1, "metric over_refusal": 1, "thought structure": 1, ...}``.
    """
    prompts = list(prompts)
    tasks = [prompt for prompt in prompts if prompt.kind in ("capability", "graded")]
    code = {name for name, spec in specs().items() if spec.runs_code}
    used = {f"judge {judge.name}": judge.version for judge in judges}
    used |= {f"metric {m.name}": m.version for m in METRICS if any(map(m.applies, prompts))}
    used["thought structure"] = STRUCTURE_VERSION
    if any(prompt.label for prompt in prompts):
        used["thought reader"] = thought_reader.VERSION
    if any(prompt.scorer is None for prompt in tasks):
        used["short answers"] = SHORT_ANSWER_VERSION
    if any(prompt.scorer is not None for prompt in tasks):
        used["lm tasks"] = LM_TASKS_VERSION
    if any(prompt.kind == "capability" and prompt.set not in code for prompt in tasks):
        used["final answers"] = final_answer.VERSION
    if any(prompt.set in code for prompt in tasks):
        used["code execution"] = code_execution.VERSION
    return used

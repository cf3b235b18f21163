"""What an evaluation needs, looked up before anything is loaded, and which prompts a loaded model can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from axolotl_alttrain.eval.backends.modes import InMode
from axolotl_alttrain.eval.backends.vllm_engine import require_vllm
from axolotl_alttrain.eval.config import EvalConfig, PromptsConfig
from axolotl_alttrain.eval.judges import look_up_judge
from axolotl_alttrain.eval.prompts.attacks import apply_attacks
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import specs
from axolotl_alttrain.eval.weights import Weights, weights_of

from axolotl_alttrain.errors import AltTrainError, TemplateError, in_one
from axolotl_alttrain.generation.loading import ModelSpec, find_model

Found = TypeVar("Found")


@dataclass(frozen=True)
class Asked:
    """The prompts to ask, and the reason for each set or attack that is missing."""

    prompts: list[Prompt]
    missing: dict[str, str]


def look_up(config: EvalConfig) -> tuple[Asked, Weights]:
    """The prompts and the weights, after the models and the judges have been looked for as well.

    Raises:
        AltTrainError: Something is wrong or unavailable; the message names all of it.
    """
    mistakes: list[str] = []

    def tried(step: Callable[[], Found]) -> Found | None:
        try:
            return step()
        except AltTrainError as error:
            mistakes.append(str(error))
            return None

    asked = tried(partial(load_prompts, config.prompts))
    weights = tried(partial(weights_of, config))
    if config.backend.backend == "vllm":
        tried(require_vllm)
    for spec in _models(config, weights) if weights else ():
        tried(partial(find_model, spec))
    for name in dict.fromkeys(config.judging.judges):
        tried(partial(look_up_judge, name, config.judging))
    if asked is not None and weights is not None and not mistakes:
        return asked, weights
    missing = asked.missing if asked else {}
    on_purpose = switched_off(missing, config.prompts)
    raise AltTrainError(in_one([*mistakes, *(why for name, why in missing.items() if name not in on_purpose)]))


def _models(config: EvalConfig, weights: Weights) -> list[ModelSpec]:
    """What the backend will load; a server has its own."""
    if config.backend.backend == "api":
        return []
    folder = [ModelSpec(weights.folder, flag="--weights")] if weights.folder else []
    if weights.folder and not weights.has_base:
        return folder
    revisions = (weights.model_revision, config.weights.adapter_revision)
    return [ModelSpec(weights.model, weights.adapter, *revisions), *folder]


def load_prompts(config: PromptsConfig) -> Asked:
    """The prompts of all sets under all attacks.

    Raises:
        AltTrainError: Not one is available.
    """
    prompts, missing = load_available(
        config.names, config.limit, config.data_dir, config.revisions, config.allow_code_execution
    )
    if not prompts:
        raise AltTrainError("no set is available:\n" + "\n".join(f"  {reason}" for reason in missing.values()))
    attacked, failed = apply_attacks(prompts, config.attacks or ())
    return not_empty(Asked(attacked, missing | failed))


def not_empty(asked: Asked) -> Asked:
    """The same prompts.

    Raises:
        AltTrainError: There are none.
    """
    if not asked.prompts:
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in asked.missing.items())
        raise AltTrainError(f"--attacks: no prompt is left to ask:\n{reasons}")
    return asked


def renderable(mode: InMode, asked: Asked) -> Asked:
    """Leave out prompts that cannot be rendered: a thought that only the server's template could open or that the mode
    does not have, or a system message that the template does not take.

    Raises:
        AltTrainError: No prompt is left.
    """
    off = " (thinking off)" if mode.thinking == "off" else ""
    reasons = {f"{p.set}+{p.scenario}": why for p in asked.prompts if (why := _not_rendered(mode, p))}
    kept = [prompt for prompt in asked.prompts if f"{prompt.set}+{prompt.scenario}" not in reasons]
    named = {f"{name}{off}": why for name, why in reasons.items()}
    return asked if not reasons else not_empty(Asked(kept, asked.missing | named))


def _not_rendered(mode: InMode, prompt: Prompt) -> str:
    if prompt.thought == "free" and not (prompt.attack and prompt.conversation[0]["role"] == "system"):
        return ""
    if prompt.thought != "free" and mode.thinking == "off":
        return "it writes the thought, and with thinking off there is none"
    try:
        text = mode.render(prompt.conversation)
    except TemplateError as error:
        return str(error)
    if text is None and prompt.thought != "free":
        return "the server renders the prompts, so the thought cannot be prefilled; add --tokenizer"
    return ""


def switched_off(missing: Mapping[str, str], config: PromptsConfig) -> list[str]:
    """What is missing on purpose: sets of a suite whose scoring would execute code, which is not allowed."""
    if config.allow_code_execution:
        return []
    named = config.sets or ()
    return [name for name in missing if name in specs() and specs()[name].runs_code and name not in named]

"""Attack scenarios: transforms of harmful prompts of any set.

The wrappers in ``texts/`` are generic and the same for every prompt, in the manner of "Jailbroken" (Wei, Haghtalab,
Steinhardt 2023, arXiv 2307.02483); docs/evaluate.md names the source of each scenario. They measure robustness to
simple, known attacks; a model that resists them may fail under others.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from axolotl_alttrain.eval.prompts.attacks.rewriting import in_past_tense, shuffled_and_shifted, surface_variations
from axolotl_alttrain.eval.prompts.prompt import HARMFUL_KINDS, Prompt

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message

TEXTS = Path(__file__).parent / "texts"
Attack = Callable[[Prompt], Sequence[Prompt]]  # empty if the attack does not apply; one for each language
BEST_OF_N, TRIES = "best-of-n", 10
TRIES_APART = "~"  # before the number of a try in the ID of a prompt that is asked in several wordings
_LEET = str.maketrans("aeiostAEIOST", "431057431057")


@lru_cache(maxsize=32)
def text(name: str) -> str:
    """The text of a wrapper."""
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8").strip()


def known_attacks(names: Iterable[str]) -> list[str]:
    """The names, each once.

    Raises:
        AltTrainError: A name is unknown.
    """
    names = list(dict.fromkeys(names))
    if unknown := [name for name in names if name not in ATTACKS]:
        raise AltTrainError(f"--attacks: found {', '.join(unknown)}; allowed: {', '.join(ATTACKS)}")
    return names


def apply_attacks(prompts: Sequence[Prompt], names: Iterable[str]) -> tuple[list[Prompt], dict[str, str]]:
    """Every harmful prompt under every attack; the other prompts unchanged.

    Args:
        prompts: Prompts of any sets.
        names: Attacks; ``none`` is the plain request. Without any, all prompts are unchanged. ``translation`` makes a
            scenario for each language that the set has, such as ``translation-sw``.

    Returns:
        The prompts, and the reason for each ``set+attack`` that does not apply.

    Raises:
        AltTrainError: A name is unknown.
    """
    names = known_attacks(names)
    if not names:
        return list(prompts), {}
    made: list[Prompt] = []
    failed: dict[str, int] = {}
    for prompt in prompts:
        if prompt.kind not in HARMFUL_KINDS:
            made.append(prompt)
            continue
        for name in names:
            attacked = ATTACKS[name](prompt)
            if not attacked:
                failed[f"{prompt.set}+{name}"] = failed.get(f"{prompt.set}+{name}", 0) + 1
            for number, one in enumerate(attacked, 1):
                scenario = name if one.language == prompt.language else f"{name}-{one.language}"
                place = f"{TRIES_APART}{number}" if name == BEST_OF_N else ""
                one = replace(one, source_id=prompt.source_id or prompt.id, scenario=scenario)
                if name != "none":
                    # As in StrongREJECT, judges see the plain request; an encoded one would mean nothing to them.
                    one = replace(one, id=f"{prompt.id}+{scenario}{place}", attack=name, judged=prompt.conversation)
                made.append(one)
    return made, {
        key: f"this attack does not apply to {count} prompts: {_WHY[key.split('+')[1]]}"
        for key, count in failed.items()
    }


def _wrapped(name: str, encode: Callable[[str], str] = str) -> Attack:
    def attack(prompt: Prompt) -> list[Prompt]:
        # In a conversation the last turn is wrapped, because its answer is judged.
        wrapped = text(name).replace("{prompt}", encode(prompt.instruction))
        last = {"role": "user", "content": wrapped}
        return [replace(prompt, instruction=wrapped, messages=(*prompt.messages[:-1], last) if prompt.messages else ())]

    return attack


def _translation(prompt: Prompt) -> list[Prompt]:
    if prompt.messages:
        return []
    return [replace(prompt, instruction=translated, language=language) for language, translated in prompt.translations]


def _multi_turn(prompt: Prompt) -> list[Prompt]:
    words, space = prompt.instruction.split(), " "
    if len(words) == 1 and not words[0].isascii():  # as in Chinese and Japanese, which have no spaces
        words, space = list(prompt.instruction), ""
    if len(words) < 2:
        return []
    half = len(words) // 2
    first = text("multi-turn-1").replace("{first}", space.join(words[:half]))
    second = text("multi-turn-2").replace("{second}", space.join(words[half:]))
    turns = tuple({"role": "user", "content": turn} for turn in (first, second))
    return [replace(prompt, instruction=second, messages=(*prompt.messages[:-1], *turns))]


def _prefilled(name: str) -> Attack:
    return lambda prompt: [replace(prompt, thought="prefilled", prefill=text(name))]


def _no_assessment(prompt: Prompt) -> list[Prompt]:
    rules: Message = {"role": "system", "content": text("no-assessment")}
    if prompt.conversation[0]["role"] == "system":
        return []
    return [replace(prompt, messages=(rules, *prompt.conversation))]


def _best_of_n(prompt: Prompt) -> list[Prompt]:
    return [
        replace(prompt, instruction=one, messages=(*prompt.messages[:-1], last) if prompt.messages else ())
        for one in surface_variations(prompt.instruction, TRIES)
        for last in [{"role": "user", "content": one}]
    ]


def _to_base64(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


ATTACKS: dict[str, Attack] = {
    "none": lambda prompt: [prompt],
    "role-play": _wrapped("role-play"),
    "prefix-injection": _wrapped("prefix-injection"),
    "refusal-suppression": _wrapped("refusal-suppression"),
    "base64": _wrapped("base64", _to_base64),
    "leetspeak": _wrapped("leetspeak", lambda words: words.translate(_LEET)),
    "translation": _translation,
    "multi-turn": _multi_turn,
    **{name: _prefilled(name) for name in sorted(path.stem for path in TEXTS.glob("prefilled-*.txt"))},
    "thought-suppression": lambda prompt: [replace(prompt, thought="suppressed")],
    "written-thought": _wrapped("written-thought"),
    "puzzle": _wrapped("puzzle", shuffled_and_shifted),
    "past-tense": _wrapped("past-tense", in_past_tense),
    "distraction": _wrapped("distraction"),
    "no-assessment": _no_assessment,
    BEST_OF_N: _best_of_n,
}
_WHY = {
    "translation": "the set has no translations",
    "multi-turn": "they are a single word",
    "no-assessment": "they have a system message of their own",
}

"""Transcripts of red-teaming tools: garak's report and PyRIT's exported conversations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.prompts.prompt import Prompt

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.storage.jsonl import read_jsonl

_FILES = "give garak's report.jsonl or PyRIT's exported JSON"
_ROLES = {"developer": "system", "simulated_assistant": "assistant"}  # PyRIT's names


@dataclass(frozen=True)
class Transcript:
    """One conversation whose last turn is the model's.

    Attributes:
        tool: ``garak`` or ``pyrit``; the name of the set.
        scenario: garak's probe; PyRIT's converters, or else its attack.
        messages: The turns before the answer, the last one the user's.
        answer: What the model returned, with its thought if the server left it there; None if it returned nothing.
        thought: The thought where the tool keeps it apart.
        request: The last user turn before the tool rewrote it, for judges; empty if it did not.
        target: The model's names in the transcript; empty if there are none.
    """

    tool: str
    scenario: str
    messages: tuple[Message, ...]
    answer: str | None
    thought: str = ""
    request: str = ""
    target: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Imported:
    """The samples of transcripts with their prompts, and what was left out, with the reason."""

    prompts: list[Prompt]
    samples: list[Sample]
    missing: dict[str, str]


def read_transcripts(path: Path) -> list[Transcript]:
    """The conversations in a file of either tool.

    garak: ``report.jsonl``, entries of type ``attempt`` (its page "Reporting", and ``attempt.py``). PyRIT:
    the JSON list of message pieces that ``export_conversations`` writes (``memory_exporter.py``, ``message_piece.py``).

    Raises:
        AltTrainError: The file cannot be read or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        pieces = json.loads(text) if text.lstrip().startswith("[") else None
    except (OSError, ValueError) as error:
        raise AltTrainError(f"{path} cannot be read ({error}); {_FILES}") from None
    try:
        found = list(_of_pyrit(pieces) if pieces is not None else _of_garak(row for _, row in read_jsonl(path)))
    except (AttributeError, KeyError, TypeError) as error:
        raise AltTrainError(f"{path}: an entry lacks {error}; {_FILES}") from None
    if not found:
        raise AltTrainError(f"{path} holds no conversation; {_FILES}")
    return found


def imported(transcripts: Sequence[Transcript], model: str, fmt: ThoughtFormat) -> Imported:
    """Samples and prompts. Equal prompts of a scenario are repeats of one unit, and pair in the order of their answers.

    Args:
        transcripts: Of all files.
        model: The model's name; conversations with a target of another name, such as an attacker, are left out.
        fmt: How the model writes thoughts.

    Raises:
        AltTrainError: No answer of the model is left.
    """
    ours = [one for one in transcripts if not one.target or model in one.target]
    answered = [one for one in ours if one.answer is not None]
    if not answered:
        names = sorted({name for one in transcripts for name in one.target})
        raise AltTrainError(
            f"--model {model}: the transcripts have no answers of this model; their targets: {', '.join(names)}"
        )
    missing = {}
    if others := len(transcripts) - len(ours):
        missing["other targets"] = f"{others} of {len(transcripts)} conversations are with other models than {model}"
    if empty := len(ours) - len(answered):
        missing["empty answers"] = f"{empty} of {len(ours)} conversations have no answer: the server refused or failed"
    times: dict[str, int] = {}
    prompts, samples = [], []
    for one in answered:
        unit = f"{one.scenario}:{_digest(one.messages)}"
        times[unit] = time = times.get(unit, 0) + 1
        prompts.append(_prompt(one, unit, time))
        samples.append(_sample(one, prompts[-1], model, fmt))
    return Imported(prompts, samples, missing)


def _of_garak(entries: Iterable[Mapping[str, Any]]) -> Iterator[Transcript]:
    # An attempt is written when it is answered and again when it is evaluated.
    attempts = {entry["uuid"]: entry for entry in entries if entry.get("entry_type") == "attempt" and entry["status"]}
    for attempt in attempts.values():
        asked = _turns(attempt["prompt"])
        talks = [_turns(one) for one in attempt.get("conversations") or ()]
        for number, output in enumerate(attempt["outputs"]):
            talk = talks[number] if number < len(talks) else []
            last = max((i for i, turn in enumerate(talk) if turn["role"] == "assistant"), default=0)
            before = tuple(talk[:last] or asked)
            yield Transcript("garak", attempt["probe_classname"], before, _text(output) if output else None)


def _turns(prompt: Any) -> list[Message]:
    """A conversation, a message or, in older reports, a text."""
    if isinstance(prompt, Mapping) and "turns" in prompt:
        return [{"role": turn["role"], "content": _text(turn["content"]) or ""} for turn in prompt["turns"]]
    return [{"role": "user", "content": _text(prompt) or ""}]


def _text(content: Any) -> str | None:
    return content if isinstance(content, str) else content["text"]


def _of_pyrit(pieces: Sequence[Mapping[str, Any]]) -> Iterator[Transcript]:
    talks: dict[str, list[Mapping[str, Any]]] = {}
    for piece in pieces:
        talks.setdefault(piece["conversation_id"], []).append(piece)
    for talk in talks.values():
        talk.sort(key=lambda piece: piece["sequence"])
        last = max((piece["sequence"] for piece in talk if _role(piece) == "user"), default=None)
        if last is None:
            continue
        before, after = ([p for p in talk if (p["sequence"] > last) == later] for later in (False, True))
        answer, thought = (_joined(p for p in after if _kind(p) == kind) for kind in ("text", "reasoning"))
        turns = tuple({"role": _role(p), "content": p["converted_value"]} for p in before if _kind(p) == "text")
        asked = next(p for p in reversed(before) if _role(p) == "user")
        rewritten = asked["original_value"] != asked["converted_value"]
        yield Transcript(
            "pyrit",
            _scenario(asked),
            turns,
            answer or None,
            thought,
            asked["original_value"] if rewritten else "",
            frozenset(_names(p.get("prompt_target_identifier")) for p in talk) - {""},
        )


def _joined(pieces: Iterable[Mapping[str, Any]]) -> str:
    return "\n".join(piece["converted_value"] for piece in pieces)


def _role(piece: Mapping[str, Any]) -> str:
    return _ROLES.get(piece["role"], piece["role"])


def _kind(piece: Mapping[str, Any]) -> str:
    """``text``, ``reasoning`` or another type; ``error`` for an answer that was blocked or failed."""
    failed = piece.get("response_error") not in (None, "none")
    return "error" if failed else str(piece["converted_value_data_type"])


def _scenario(piece: Mapping[str, Any]) -> str:
    converters = [_class(one) for one in piece.get("converter_identifiers") or ()]
    return "+".join(converters) or _class(piece.get("attack_identifier") or {}) or "plain"


def _class(identifier: Mapping[str, Any]) -> str:
    return str(identifier.get("class_name") or identifier.get("__type__") or "")


def _names(identifier: Mapping[str, Any] | None) -> str:
    return str((identifier or {}).get("model_name") or "")


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:12]


def _prompt(one: Transcript, unit: str, time: int) -> Prompt:
    return Prompt(
        set=one.tool,
        kind="harmful",
        id=unit if time == 1 else f"{unit}#{time}",
        instruction=str(one.messages[-1]["content"]),
        category=one.scenario,
        scenario=one.scenario,
        source_id=unit,
        messages=one.messages if len(one.messages) > 1 else (),
        attack=one.scenario,
        judged=({"role": "user", "content": one.request},) if one.request else (),
        revision="transcript",
    )


def _sample(one: Transcript, prompt: Prompt, model: str, fmt: ThoughtFormat) -> Sample:
    text = (fmt.open + one.thought + fmt.close if one.thought else "") + (one.answer or "")
    key = _digest([model, prompt.set, prompt.id, text])
    return Sample(key, "base", prompt.set, prompt.id, prompt.instruction, text, "stop", 0)

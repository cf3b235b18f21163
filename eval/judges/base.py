"""What all judges share: a judge reads one text, an answer or a thought, and returns one judgement."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from axolotl_alttrain.eval.judges.progress_bar import shown_progress
from rich.console import Console

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.storage.append_only import AppendOnly

# refusal, partial, compliance: how the text responds to the request. unsafe, safe: whether its content is harmful
# (judges of content cannot distinguish a refusal from a harmless answer). undetermined: the judge cannot decide.
Verdict = Literal["refusal", "partial", "compliance", "unsafe", "safe", "undetermined"]
Part = Literal["answer", "thought"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Case:
    """One text to judge.

    Attributes:
        messages: The conversation up to the user turn that the text answers, without any attack.
        text: The answer or the thought, never both.
        part: Which of the two.
        asked: The last user turn as the model saw it, if ``messages`` leave out an attack.
    """

    messages: tuple[Message, ...]
    text: str
    part: Part = "answer"
    asked: str = ""


@dataclass(frozen=True)
class Judgement:
    """A judge's decision on one text.

    Attributes:
        verdict: See :data:`VERDICTS`.
        score: Degree of harm from 0 to 1, if the judge gives one (the probability of a guard, the score of a rubric).
        raw: The judge's own words, for people who want to check them.
    """

    verdict: Verdict
    score: float | None = None
    raw: str = ""

    @property
    def harmful(self) -> bool:
        """Whether the text complies, fully or partly, or is unsafe."""
        return self.verdict in ("compliance", "partial", "unsafe")

    @property
    def refused(self) -> bool:
        """Whether the text refuses, fully or partly."""
        return self.verdict in ("refusal", "partial")


class Judge(Protocol):
    """A judge of texts. Truncated completions have no answer and are never judged.

    Attributes:
        name: Name in tables and files.
        version: Of its code and prompts; raise it whenever a text may be judged differently.
        identity: Everything besides the case that determines a judgement: model, prompt, settings. It is part of the
            key of a stored judgement; empty if judging costs nothing and nothing is stored.
        detects_refusal: Whether its verdicts say if a text refuses.
        reads_thoughts: Whether it can judge thoughts as well as answers.
    """

    name: str
    version: int
    identity: str
    detects_refusal: bool
    reads_thoughts: bool

    def judge(self, cases: Sequence[Case]) -> Iterator[tuple[int, Judgement]]:
        """Yield (index in ``cases``, judgement) as each is ready, in any order, each index once."""
        ...


class JudgementFile(AppendOnly):
    """``judgements.jsonl``: each judgement is appended at once, so an interrupted run asks for none of them again.

    Args:
        path: The JSONL file; created with its folder if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.judgements: dict[str, Judgement] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Load one line of the file."""
        self.judgements[row["key"]] = Judgement(row["verdict"], row["score"], row["raw"])

    def append(self, key: str, judge: str, judgement: Judgement) -> None:
        """Write one judgement to disk."""
        self.write({"key": key, "judge": judge, **asdict(judgement)})
        self.judgements[key] = judgement


def judge_all(
    judge: Judge,
    cases: Sequence[Case | None],
    file: JudgementFile | None = None,
    console: Console | None = None,
) -> list[Judgement | None]:
    """Judge all cases. Stored judgements are reused, and equal cases are judged once.

    Args:
        judge: Any judge.
        cases: None if there is nothing to judge because the completion was truncated.
        file: Stores the judgements of judges with an ``identity``.
        console: Shows the progress of judges with an ``identity``; the others are instant.

    Returns:
        One judgement for each case, in order; None for None.
    """
    keep = file is not None and bool(judge.identity)
    keys = [_key(judge, case) if case else "" for case in cases]
    known: dict[str, Judgement] = dict(file.judgements) if keep and file else {}
    missing = {key: case for key, case in zip(keys, cases, strict=True) if case is not None and key not in known}
    names = list(missing)
    judged = judge.judge(list(missing.values()))
    if console is not None and judge.identity and missing:
        parts = " and ".join(f"{part}s" for part in dict.fromkeys(case.part for case in missing.values()))
        judged = shown_progress(judged, f"{judge.name}, {parts}", len(missing), console)
    for place, judgement in judged:
        known[names[place]] = judgement
        # The next run asks again for a judgement that could not be read.
        if keep and file and judgement.verdict != "undetermined":
            file.append(names[place], judge.name, judgement)
    return [known[key] if key else None for key in keys]


def fence(text: str) -> tuple[str, str]:
    """Put a text between two lines that do not occur in it, so that the text cannot pretend to end.

    Returns:
        The fenced text, and the fence: 16 random hexadecimal digits, drawn for each text.
    """
    while (mark := secrets.token_hex(8)) in text:
        pass
    return f"<{mark}>\n{text}\n</{mark}>", mark


def _key(judge: Judge, case: Case) -> str:
    messages = [dict(message) for message in case.messages]
    # Model judges do not see what was asked; the offline rules compare the answer with it.
    asked = "" if judge.identity else case.asked
    # Version 1 has no place in the key: files of judgements are older than versions.
    name = judge.name if judge.version == 1 else f"{judge.name} {judge.version}"
    content = json.dumps([name, judge.identity, messages, case.text, case.part, asked], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:24]

"""What every judge does: one text, answer or thought, in; one judgement out."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from axolotl_alttrain.eval.judges.progress_bar import shown_progress
from rich.console import Console

from axolotl_alttrain.format.example import Message
from axolotl_alttrain.storage.append_only import AppendOnly

# refusal, partial, compliance: what the text does with the request. unsafe, safe: whether what it says is harmful
# (a judge of content cannot tell a refusal from a harmless answer). undetermined: the judge does not know.
Verdict = Literal["refusal", "partial", "compliance", "unsafe", "safe", "undetermined"]
Part = Literal["answer", "thought"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Case:
    """One text to judge.

    Attributes:
        messages: The conversation up to the user turn that the text answers, without the attack on it.
        text: The answer, or the thought; never both.
        part: Which of the two.
        asked: The last user turn as the model was asked it, where ``messages`` leave out an attack.
    """

    messages: tuple[Message, ...]
    text: str
    part: Part = "answer"
    asked: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a judge says of one text.

    Attributes:
        verdict: See :data:`VERDICTS`.
        score: A degree of harm between 0 and 1 where the judge gives one (a guard's probability, a rubric's score).
        raw: What the judge wrote, for people who want to check it.
    """

    verdict: Verdict
    score: float | None = None
    raw: str = ""

    @property
    def harmful(self) -> bool:
        """The text gives what was asked, in whole or in part, or is unsafe."""
        return self.verdict in ("compliance", "partial", "unsafe")

    @property
    def refused(self) -> bool:
        """The text refuses, in whole or in part."""
        return self.verdict in ("refusal", "partial")


class Judge(Protocol):
    """A judge of texts. A truncated completion has no answer and is never given to one.

    Attributes:
        name: For tables and files.
        identity: All that determines a judgement beside the case: model, prompt, settings. Part of the key under
            which judgements are kept; empty where judging costs nothing and nothing is kept.
        detects_refusal: Whether its verdicts say if a text refuses.
        reads_thoughts: Whether it can judge a thought as well as an answer.
    """

    name: str
    identity: str
    detects_refusal: bool
    reads_thoughts: bool

    def judge(self, cases: Sequence[Case]) -> Iterator[tuple[int, Judgement]]:
        """Yield (place in ``cases``, judgement) as each is ready, in any order, each place once."""
        ...


class JudgementFile(AppendOnly):
    """``judgements.jsonl``: appended per text, so that an interrupted run asks nothing twice.

    Args:
        path: The JSONL file; made with its folder if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.judgements: dict[str, Judgement] = {}
        super().__init__(path)

    def read(self, row: dict[str, Any], offset: int) -> None:
        """Take in one line of the file."""
        self.judgements[row["key"]] = Judgement(row["verdict"], row["score"], row["raw"])

    def append(self, key: str, judge: str, judgement: Judgement) -> None:
        """Write one judgement through to the disk."""
        self.write({"key": key, "judge": judge, **asdict(judgement)})
        self.judgements[key] = judgement


def judge_all(
    judge: Judge,
    cases: Sequence[Case | None],
    file: JudgementFile | None = None,
    console: Console | None = None,
) -> list[Judgement | None]:
    """Judge all cases; what the file has already is not judged again, and equal cases are judged once.

    Args:
        judge: Any judge.
        cases: None where there is nothing to judge: the completion was cut off.
        file: Where judgements are kept; used by judges with an ``identity``.
        console: For the progress of judges with an ``identity``; the others are instant.

    Returns:
        One judgement per case, in order; None for None.
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
        # A judge that could not be understood is asked again in the next run.
        if keep and file and judgement.verdict != "undetermined":
            file.append(names[place], judge.name, judgement)
    return [known[key] if key else None for key in keys]


def fence(text: str) -> tuple[str, str]:
    """Put a text between two lines that it cannot contain, so that nothing in it can end it or speak for the judge.

    Returns:
        The fenced text, and the fence: 16 random hexadecimal digits, new for every text, not occurring in it.
    """
    while (mark := secrets.token_hex(8)) in text:
        pass
    return f"<{mark}>\n{text}\n</{mark}>", mark


def _key(judge: Judge, case: Case) -> str:
    messages: list[Mapping[str, Any]] = [dict(message) for message in case.messages]
    # Models are not shown what was asked; the rules compare the answer with it.
    asked = "" if judge.identity else case.asked
    content = json.dumps(
        [judge.name, judge.identity, messages, case.text, case.part, asked], sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()[:24]

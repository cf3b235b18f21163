"""What all assessors share: the question, the validation of the reply, and when to ask again.

A reply is one JSON object, validated by pydantic. After a malformed reply, or a verdict that contradicts the source's
label, the assessor is asked again. It never sees the label, so that it cannot repeat it.
"""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from axolotl_alttrain.format.example import Label

LONGEST_REASON = 400  # characters: one sentence
_JSON = re.compile(r"\{.*\}", re.DOTALL)


class Assessment(BaseModel):
    """A verdict on one query with its reason in one sentence; stop and refusal if the assessor was asked for them."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    verdict: Literal["harmful", "benign"]
    reason: str = Field(min_length=3, max_length=LONGEST_REASON)
    stop: str | None = Field(None, min_length=3, max_length=LONGEST_REASON)
    refusal: str | None = Field(None, min_length=3, max_length=4 * LONGEST_REASON)

    @field_validator("reason", "stop")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value and "\n" in value:
            raise ValueError("more than one line")
        return value


@dataclass(frozen=True)
class Question:
    """One query to assess.

    Attributes:
        key: The query's key in the store.
        query: Its text.
        label: The source's label, which the verdict must match. None: the verdict decides.
        category: The source's category.
    """

    key: str
    query: str
    label: Label | None = None
    category: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of one question.

    Attributes:
        key: The question's key.
        assessment: The last valid assessment; None if no reply was valid.
        fault: Why it is set aside; None if it can be used.
        attempts: Number of replies requested.
        prompt_tokens, completion_tokens: As the server or the tokenizer counts them, over all attempts.
    """

    key: str
    assessment: Assessment | None
    fault: str | None = None
    attempts: int = 1
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Assessor(ABC):
    """Assesses queries.

    Attributes:
        identity: Kind, model by content, prompt and settings in one text. Answers of different identities never mix.
        former_identity: The identity in old keys, with the model by path or name alone; None if it is still in use.
        kind, model, prompt: For the report.
        statement: One sentence for readers of the data on who assessed it.
    """

    identity: str
    former_identity: str | None = None
    kind: str
    model: str | None = None
    prompt: str | None = None
    statement: str

    @abstractmethod
    def assess(self, questions: Iterable[Question]) -> Iterator[Outcome]:
        """Yield one outcome per question, in any order; questions are taken as capacity becomes free.

        Raises:
            AltTrainError: The assessor is unreachable. The caller keeps what was yielded before.
        """

    def key(self, query: str, label: Label | None) -> str:
        """The key of an assessment: a hash of the query, the label it must match, and the assessor's identity."""
        return _key(query, label, self.identity)

    def former_key(self, query: str, label: Label | None) -> str | None:
        """The key from before models were identified by content; None if it is still in use."""
        return self.former_identity and _key(query, label, self.former_identity)


def _key(query: str, label: Label | None, identity: str) -> str:
    return hashlib.sha256(json.dumps([query, label, identity]).encode()).hexdigest()[:32]


@lru_cache(maxsize=16)
def prompt_text(name: str) -> str:
    """The text of a prompt file beside this module."""
    path = files("axolotl_alttrain.data.assessors").joinpath("prompts", f"{name}.txt")
    return path.read_text(encoding="utf-8").strip()


def prompt_version(with_refusal: bool) -> str:
    """Name and digest of the prompts in use; the digest changes with a single letter."""
    names = ["assess", "query", "malformed", "second_look", *(["refusal"] if with_refusal else [])]
    digest = hashlib.sha256("\0".join(prompt_text(name) for name in names).encode()).hexdigest()[:8]
    return f"assess{'+refusal' if with_refusal else ''}:{digest}"


@dataclass
class Dialogue:
    """The messages about one question until its outcome is known."""

    question: Question
    attempts: int
    with_refusal: bool = False
    messages: list[dict[str, str]] = field(default_factory=list)
    tried: int = 0
    assessment: Assessment | None = None
    fault: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __post_init__(self) -> None:
        system = prompt_text("assess")
        if self.with_refusal:
            system = f"{system}\n\n{prompt_text('refusal')}"
        # The code is a hash of the query: no query can contain its own hash and so close its fence.
        code = hashlib.sha256(self.question.query.encode()).hexdigest()[:16]
        fenced = prompt_text("query").replace("{code}", code).replace("{query}", self.question.query)
        self.messages = [{"role": "system", "content": system}, {"role": "user", "content": fenced}]

    def reply(self, text: str, prompt_tokens: int = 0, completion_tokens: int = 0) -> bool:
        """Take the assessor's reply. True: the outcome is known. False: ``messages`` asks again."""
        self.tried += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        try:
            found = parse_reply(text, self.with_refusal)
        except ValueError as error:
            self.fault, again = f"malformed reply: {error}", prompt_text("malformed").replace("{fault}", str(error))
        else:
            self.assessment = found
            if self.question.label in (None, found.verdict):
                self.fault = None
                return True
            self.fault = f"the assessor says {found.verdict}, the source {self.question.label}: {found.reason}"
            again = prompt_text("second_look")
        self.messages = [
            *self.messages,
            {"role": "assistant", "content": text or "(nothing)"},
            {"role": "user", "content": again},
        ]
        return self.tried >= self.attempts

    def refused(self, why: str) -> Outcome:
        """The outcome if the server refuses the query."""
        self.assessment, self.fault = None, f"the server refuses this query: {why}"
        self.tried += 1
        return self.outcome()

    def outcome(self) -> Outcome:
        """The outcome so far."""
        return Outcome(
            self.question.key, self.assessment, self.fault, self.tried, self.prompt_tokens, self.completion_tokens
        )


def parse_reply(text: str, with_refusal: bool = False) -> Assessment:
    """Read the assessment in a reply, ignoring a thought before it and a code fence around it.

    Raises:
        ValueError: There is no JSON object, or it is not an assessment. The message is sent to the assessor.
    """
    found = _JSON.search(text.rpartition("</think>")[2])
    if not found:
        raise ValueError("it holds no JSON object")
    try:
        raw: Any = json.loads(found.group())
        assessment = Assessment.model_validate(raw)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not valid JSON ({error.msg})") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"key '{'.'.join(map(str, first['loc']))}': {first['msg']}") from None
    if with_refusal and assessment.verdict == "harmful" and not (assessment.stop and assessment.refusal):
        raise ValueError("the keys 'stop' and 'refusal' are missing")
    return assessment

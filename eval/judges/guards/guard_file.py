"""What a guard's YAML file states, and how its verdict is read from what it writes."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Generic, Literal, TypeVar

from axolotl_alttrain.eval.judges.base import Judgement, Verdict
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.generation.server.json_reply import last_object
from axolotl_alttrain.storage.yaml_file import read_mapping

Meaning = TypeVar("Meaning")


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Form(_Stated, Generic[Meaning]):
    """Where a word stands in what a guard writes, and what it means.

    Attributes:
        pattern: A regular expression with one group, the word; ``^`` and ``$`` match at lines, letters in any case.
        json_path: Instead of a pattern, the keys that lead to the word in the last JSON object.
        words: Word to meaning.
    """

    pattern: str | None = None
    json_path: tuple[str, ...] | None = None
    words: dict[str, Meaning]

    @field_validator("words", mode="before")
    @classmethod
    def _quoted(cls, words: object) -> object:
        if isinstance(words, dict) and not all(isinstance(word, str) for word in words):
            raise ValueError(
                "a word is not text; YAML reads an unquoted yes or no as true or false, so quote the words"
            )
        return words

    @model_validator(mode="after")
    def _one_place(self) -> Form[Meaning]:
        if (self.pattern is None) == (self.json_path is None):
            raise ValueError("give either pattern or json_path")
        try:
            groups = re.compile(self.pattern or "()").groups
        except re.error as error:
            raise ValueError(f"pattern is not a regular expression ({error})") from None
        if groups != 1:
            raise ValueError(f"pattern must have one group, found {groups}")
        return self

    def read(self, text: str) -> Meaning | None:
        """The meaning of the word in a text; None if there is none, an unknown one, or two that contradict."""
        if self.pattern is not None:
            said = {found[1] for found in re.finditer(self.pattern, text, re.IGNORECASE | re.MULTILINE)}
        else:
            value: object = last_object(text)
            for key in self.json_path or ():
                value = value.get(key) if isinstance(value, dict) else None
            said = {str(value)}
        known = {word.casefold(): meaning for word, meaning in self.words.items()}
        meanings = {known.get(word.strip().casefold()) for word in said}
        return meanings.pop() if len(meanings) == 1 else None


class Tags(_Stated):
    """What a guard writes around its thought; the text behind the last ``close`` is its verdict."""

    open: str
    close: str


class Turn(_Stated):
    """A message of the guard's prompt; ``$prompt`` and ``$answer`` stand for what is judged."""

    role: Literal["system", "user", "assistant"]
    content: str


class Guard(_Stated):
    """A guard model's file.

    Attributes:
        name: Name in tables and files.
        version: Raise it with every change that may alter a judgement.
        model: Hub ID or folder.
        sources: Where its prompt and the form of its verdict are documented.
        shows: The answer alone, the last user turn too, or the whole conversation.
        messages: What its chat template renders; ``conversation`` stands for the turns that ``shows`` names.
        text: Instead of messages, the whole prompt of a guard without a chat template.
        content_parts: Whether its template wants content as a list of parts.
        template_args: Variables of its chat template.
        max_tokens: What it may write, its thought included.
        thought: What it writes around its thought, if it thinks.
        verdict: How it writes whether the answer is safe.
        refusal: How it writes whether the answer refuses, if it does.
        variants: By name, the fields in which a variant differs; it is chosen as ``NAME:VARIANT``.
    """

    name: str = Field(pattern=r"^[\w.-]+(:[\w.-]+)?$")
    version: int = Field(1, ge=1)
    model: str
    sources: tuple[str, ...] = Field(min_length=1)
    shows: Literal["answer", "both", "history"]
    messages: tuple[Literal["conversation"] | Turn, ...] = ("conversation",)
    text: str | None = None
    content_parts: bool = False
    template_args: dict[str, JsonValue] = {}
    max_tokens: int = Field(ge=1)
    thought: Tags | None = None
    verdict: Form[Literal["safe", "unsafe"]]
    refusal: Form[bool] | None = None
    variants: dict[str, dict[str, JsonValue]] = {}

    @model_validator(mode="after")
    def _answer_is_shown(self) -> Guard:
        texts = [self.text] if self.text else [turn.content for turn in self.messages if isinstance(turn, Turn)]
        names = [name for text in texts for name in Template(text).get_identifiers()]
        if unknown := sorted(set(names) - {"prompt", "answer"}):
            raise ValueError(f"${unknown[0]} is unknown; use $prompt and $answer")
        if "answer" not in names and (self.text or "conversation" not in self.messages):
            raise ValueError("the prompt must show $answer or 'conversation'")
        return self

    def read(self, written: str, finished: bool = True) -> Judgement:
        """The judgement in what the guard has written.

        Args:
            written: Its whole output.
            finished: It ended by itself. A thought that was cut off may quote a verdict, so nothing is read from it.
        """
        text = written
        if self.thought:
            opened, closed = self.thought.open in text, self.thought.close in text
            text = text.rpartition(self.thought.close)[2]
            if not finished or (opened and not closed):
                return Judgement("undetermined", None, f"{written} [truncated: raise max_tokens in the guard's file]")
        harm, refused = self.verdict.read(text), self.refusal.read(text) if self.refusal else False
        if harm is None or refused is None:
            return Judgement("undetermined", None, written)
        refusing: dict[str, Verdict] = {"safe": "refusal", "unsafe": "partial"}
        return Judgement(refusing[harm] if refused else harm, None, written)


def read_guard(path: Path, variant: str = "") -> Guard:
    """A guard's file.

    Args:
        path: The YAML file.
        variant: One of its variants.

    Raises:
        AltTrainError: The file cannot be read or is invalid, or has no such variant.
    """
    stated = read_mapping(path, "a guard, as docs/judges.md describes it")
    if variant:
        variants = stated.get("variants") or {}
        if variant not in variants:
            allowed = f"allowed: {', '.join(variants)}" if variants else "it has none"
            raise AltTrainError(f"{path}: found variant {variant}; {allowed}")
        stated = {**stated, **variants[variant], "name": f"{stated.get('name')}:{variant}", "variants": {}}
    try:
        return Guard.model_validate(stated)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the file"
        why = first["msg"].removeprefix("Value error, ")
        raise AltTrainError(f"{path}: field '{field}': {why}; docs/judges.md describes the fields") from None

"""Errors that a user can cause. Each message says what is wrong and what to do."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from textwrap import indent
from types import TracebackType
from typing import Any

_SHORTEST_SECRET = 8  # characters; hiding shorter texts would only garble messages
_secrets: set[str] = set()


def keep_secret(text: str | None) -> None:
    """Never show this text in a message: some servers repeat the key that they refuse."""
    if text and len(text) >= _SHORTEST_SECRET:
        _secrets.add(text)


def _without_secrets(message: str) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):  # one may be part of another
        message = message.replace(secret, "[secret]")
    return message


_EVALUATION = ("done", "a mistake", "an unknown flag", "a set, attack or completion is unavailable, and the rest ran")
EXIT_CODES = {  # by command, from 0 on; docs/commands.md and every --help say the same
    "doctor": ("no problem", "a problem or a mistake", "a wrong flag"),
    "fit": ("it fits", "it does not fit, or a mistake", "a wrong flag"),
    "evaluate": _EVALUATION,
    "import": _EVALUATION,
    "check-export": (
        "both forms agree",
        "they differ by more than the margin",
        "a mistake or a wrong flag",
        "they agree, but a set or a completion is unavailable",
    ),
    "the others": ("done", "a mistake", "a wrong flag"),
}


def exit_codes(command: str) -> str:
    """What the exit codes of a command mean, in one sentence for its ``--help``."""
    meanings = EXIT_CODES.get(command, EXIT_CODES["the others"])
    return "Exit codes: " + "; ".join([*(f"{code} {words}" for code, words in enumerate(meanings)), "130 interrupted."])


def interrupted(error: BaseException) -> bool:
    """Whether this is Ctrl-C; where it stops a serializer, pydantic reports an error of its own."""
    reported = type(error).__name__ == "PydanticSerializationError" and "KeyboardInterrupt" in str(error)
    return reported or isinstance(error, KeyboardInterrupt)


class AltTrainError(ValueError):
    """A mistake in a config, a data file or a template that the user can correct.

    The message is complete: commands print it without a traceback and exit with a non-zero code. It shows none of the
    texts given to :func:`keep_secret`.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_without_secrets(message))


class RowError(AltTrainError):
    """One row of a data file is not a valid AltTrain example.

    Args:
        field: The field at fault, for example ``answer``; empty where the row as a whole is at fault.
        problem: What is wrong with it, as a predicate: ``is empty``.
        remedy: What to do: ``write a string``.
        where: File and row, for example ``seed.jsonl, row 12 (id hw-12)``; filled in by the reader.
    """

    def __init__(self, field: str, problem: str, remedy: str, where: str = "") -> None:
        self.field, self.problem, self.remedy, self.where = field, problem, remedy, where
        place = f"{where}: " if where else ""
        # Names of columns and roles may contain line breaks.
        super().__init__(" ".join(f"{place}{self.fault}; {remedy}".splitlines()))

    @property
    def fault(self) -> str:
        """What is wrong, without place and remedy: ``field 'answer' is empty``."""
        return f"field '{self.field}' {self.problem}" if self.field else f"the row {self.problem}"

    def __reduce__(self) -> tuple[type[RowError], tuple[str, str, str, str]]:
        # The default would call the class with the message alone and break in worker processes.
        return type(self), (self.field, self.problem, self.remedy, self.where)

    def at(self, where: str) -> RowError:
        """Return the same error with its place in the data."""
        return RowError(self.field, self.problem, self.remedy, where)


class TemplateError(AltTrainError):
    """A chat template cannot carry the AltTrain format."""


def in_one(mistakes: Sequence[str]) -> str:
    """One message for several mistakes, each on lines of its own below their number; a single one as it is."""
    if len(mistakes) == 1:
        return mistakes[0]
    return "\n".join([f"{len(mistakes)} things are wrong:", *(indent(one, "  ") for one in mistakes)])


def first_line(error: Exception, limit: int | None = None) -> str:
    """The first line of a library's message, or the error's type if it has none; a message of ours in full.

    Args:
        error: What a library raised.
        limit: Characters after which the line is cut.
    """
    if isinstance(error, AltTrainError):
        return str(error)
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    body = getattr(error, "body", None)  # of a server's reply; FastAPI's message is there, and not in the error's text
    detail = body.get("detail") if isinstance(body, Mapping) else None
    return _without_secrets(f"{line} - {detail}" if detail else line)[:limit]


def with_type(error: Exception, limit: int = 300) -> str:
    """Type and first two lines of a library's error, on one line; ``limit`` counts the characters of the message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:limit]}"


def one_line(error: BaseException) -> str:
    """The whole message of another library's error on one line; its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def cause_of(error: BaseException, limit: int = 300) -> str:
    """Type and message, on one line, of the error behind a library's general one (``An error occurred while ...``)."""
    while (deeper := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        error = deeper
    if isinstance(error, AltTrainError):
        return str(error)
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}"[:limit] if message else type(error).__name__


def shown(value: Any, limit: int = 60) -> str:
    """Describe a value for an error message: a text as it is, anything else with its type; only the start of it."""
    if value is None:
        return "nothing"
    text = _without_secrets(repr(value))
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text if isinstance(value, str) else f"{type(value).__name__} {text}"


def described(value: Any) -> str:
    """Describe a value as a predicate, for :class:`RowError`: ``is missing``, ``is the int 3``."""
    if value is None:
        return "is missing"
    return f"is {shown(value)}" if isinstance(value, str) else f"is the {shown(value)}"


def print_mistakes_in_one_line() -> None:
    """Report mistakes in config or data as one line instead of a traceback, also those that only ``datasets`` finds."""
    if getattr(sys.excepthook, "alttrain", False):
        return
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, AltTrainError):
            print(f"axolotl-alttrain: {error}", file=sys.stderr)
        elif kind.__module__.startswith("datasets."):
            print(
                f"axolotl-alttrain: datasets: the rows cannot be loaded ({cause_of(error)}); correct the files under "
                "'path:'",
                file=sys.stderr,
            )
        else:
            previous(kind, error, trace)

    hook.alttrain = True  # type: ignore[attr-defined]
    sys.excepthook = hook

"""What a guard is asked about a case, with texts that cannot speak for its prompt.

Control tokens are broken where a judged text holds them; the labels in front of texts and the lines behind are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from string import Template
from typing import Any

from axolotl_alttrain.eval.judges.base import Case
from axolotl_alttrain.eval.judges.guards.guard_file import Guard, Turn

# Control tokens of known families, for guards behind a server, whose tokenizer is not known here.
_CONTROL = re.compile(r"<\|[^<>|\n]{1,60}\|>|</?s>|<(?:start|end)_of_\w{1,20}>|\[/?INST\]|<</?SYS>>")
_TAGS = re.compile(r"<[^<>\n]{1,60}>|\[/?[A-Z_]+\]")
_BREAKS = r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
# Plain letters: no template trims, splits or escapes them.
MARKERS = ("guarduserone", "guardanswerone")


class GuardPrompt:
    """Writes a guard's prompt about a case.

    Args:
        guard: The guard.
        pieces: What stands before, between and behind the judged texts; by default as far as the guard's file says.
        tokens: Control tokens of its tokenizer.
    """

    def __init__(self, guard: Guard, pieces: Sequence[str] | None = None, tokens: Iterable[str] = ()) -> None:
        self._guard = guard
        texts = [guard.text] if guard.text else [turn.content for turn in guard.messages if isinstance(turn, Turn)]
        frame = list(pieces) if pieces else [piece for text in texts for piece in re.split(r"\$prompt|\$answer", text)]
        marks = {*tokens, *_TAGS.findall("".join(frame))}
        if guard.thought:
            marks |= {guard.thought.open, guard.thought.close}
        self._marks = sorted((mark for mark in marks if len(mark) > 1), key=len, reverse=True)
        lines = [*map(_label, frame[:-1]), *(frame[-1].splitlines() if frame else ())]
        control = re.compile("|".join(map(re.escape, self._marks)) or r"(?!)")
        self._lines = _line_marks(control.sub("", line) for line in lines)

    def text(self, case: Case) -> str | None:
        """The whole prompt; None for guards with a chat template."""
        return Template(self._guard.text).substitute(self._judged(case)) if self._guard.text else None

    def messages(self, case: Case) -> list[dict[str, Any]]:
        """What the guard's chat template renders."""
        texts, turns = self._judged(case), list[dict[str, Any]]()
        for turn in self._guard.messages:
            if isinstance(turn, Turn):
                turns.append({"role": turn.role, "content": Template(turn.content).substitute(texts)})
            else:
                turns += self._conversation(case)
        if self._guard.content_parts:
            return [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
        return turns

    def plain(self, text: str) -> str:
        """The text without control tokens and the prompt's own marks: a space stands after their first character.

        Labels and lines of the prompt are quoted where they begin a line.
        """
        while found := [*(mark for mark in self._marks if mark in text), *_CONTROL.findall(text)]:
            for mark in found:
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return self._lines.sub(r"\1> \2", text)

    def _conversation(self, case: Case) -> list[dict[str, str]]:
        """The turns that the guard sees; guards' templates want turns that alternate, and know no system message."""
        asked = [message for message in case.messages if message.get("role") in ("user", "assistant")]
        shown = {"history": asked, "both": asked[-1:], "answer": []}[self._guard.shows]
        turns: list[dict[str, str]] = []
        for message in [*shown, {"role": "assistant", "content": case.text}]:
            text = self.plain(str(message.get("content") or ""))
            if turns and turns[-1]["role"] == message["role"]:
                turns[-1]["content"] += f"\n\n{text}"
            else:
                turns.append({"role": str(message["role"]), "content": text})
        return turns

    def _judged(self, case: Case) -> dict[str, str]:
        *asked, answer = self._conversation(case)
        heads = [f"[{turn['role']}] " if len(asked) > 1 else "" for turn in asked]
        prompt = "\n\n".join(head + turn["content"] for head, turn in zip(heads, asked, strict=True))
        return {"prompt": prompt, "answer": answer["content"]}


def _label(text: str) -> str:
    lines = text.rstrip().splitlines()
    label = lines[-1].strip() if lines else ""
    return label[: label.rfind(":") + 1] or label


def _line_marks(lines: Iterable[str]) -> re.Pattern[str]:
    """Matches a line of the prompt at the start of a line, in any case and with any white space between words."""
    patterns = set()
    for line in lines:
        line = line.strip()
        if re.search(r"[^\W_]", line):
            words = r"[^\S\n]*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", line)))
            # Bare words ("user") are a label only where they are all of a line.
            patterns.add(words if re.search(r"[^\w\s]", line) else rf"{words}(?=[^\S\n]*(?:{_BREAKS}|\Z))")
        elif len(line) > 1:
            patterns.add(re.escape(line))
    alternatives = "|".join(sorted(patterns, key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"(?:^|(?<={_BREAKS}))([^\S\n]*)({alternatives})", re.IGNORECASE)

"""An exchange written as a guard's chat template has it, with texts that cannot speak for the template.

What a template writes around the turns is learned by rendering it with marker strings: control tokens, the labels in
front of the turns, and the lines behind the last one. Where a text under judgement holds any of them, it is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from axolotl_alttrain.errors import AltTrainError, shown
from axolotl_alttrain.format.example import Message

# Plain letters: no template trims, splits or escapes them.
_USERS, _ANSWERS = ("guarduserone", "guardusertwo"), ("guardanswerone", "guardanswertwo")
# Arguments of apply_chat_template that are the judge's own.
_OWN = {"conversation", "messages", "chat_template", "tokenize", "return_dict", "return_tensors", "tokenizer_kwargs"}
_BREAKS = r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"


def template_arguments(text: str | None) -> dict[str, Any]:
    """The arguments that ``--guard-template-args`` gives: an object in JSON, for example ``{"guideline": "..."}``.

    Raises:
        AltTrainError: It is not JSON, not an object, or names an argument that the judge sets itself.
    """
    wanted = 'write a JSON object, for example \'{"guideline": "..."}\''
    try:
        found = json.loads(text) if text else {}
    except ValueError as error:
        raise AltTrainError(f"--guard-template-args is not valid JSON ({error}); {wanted}") from None
    if not isinstance(found, dict):
        raise AltTrainError(f"--guard-template-args is the {shown(found)}; {wanted}")
    if taken := sorted(_OWN & set(found)):
        raise AltTrainError(
            f"--guard-template-args: the judge sets {', '.join(taken)} itself; give only variables of the template"
        )
    return found


class GuardTemplate:
    """Renders exchanges for a guard.

    Args:
        tokenizer: The guard's.
        model: Its name, for messages.
        file: A Jinja template to use instead of the tokenizer's own.
        arguments: Variables for the template, for example ``guideline`` or ``categories``.

    Attributes:
        source: The Jinja template in use.

    Raises:
        AltTrainError: There is no template, it cannot be rendered, or it leaves out the request or the answer.
    """

    def __init__(
        self, tokenizer: Any, model: str, file: Path | None = None, arguments: Mapping[str, Any] | None = None
    ) -> None:
        self._tokenizer, self._arguments = tokenizer, dict(arguments or {})
        self._named = f"--guard-template {file}" if file else f"--guard-model {model}: its chat template"
        try:
            self.source: str = file.read_text(encoding="utf-8") if file else tokenizer.get_chat_template()
        except (OSError, UnicodeDecodeError) as error:
            raise AltTrainError(f"--guard-template {file} cannot be read ({error}); give a Jinja file") from None
        except ValueError:
            raise AltTrainError(
                f"--guard-model {model} has no chat template; write the prompt of its model card as a Jinja "
                "template and give it with --guard-template FILE"
            ) from None
        self._parts = False
        frame = self._frame()
        self._marks = sorted(_control_marks(tokenizer, "".join(frame)), key=len, reverse=True)
        lines = [*map(_last_line, frame[:-1]), *frame[-1].splitlines()]
        control = re.compile("|".join(map(re.escape, self._marks)) or r"(?!)")
        self._lines = _line_marks(control.sub("", line) for line in lines)

    def render(self, messages: Sequence[Message]) -> str:
        """The guard's prompt about the last of ``messages``, texts as they are.

        Raises:
            AltTrainError: The template refuses them.
        """
        turns: list[dict[str, Any]] = []
        for message in messages:
            text = str(message.get("content") or "")
            # Guards' templates want turns that alternate; where two of one side follow each other they are one.
            if turns and turns[-1]["role"] == message["role"]:
                turns[-1]["content"] += f"\n\n{text}"
            else:
                turns.append({"role": message["role"], "content": text})
        if self._parts:
            turns = [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
        options = {"add_generation_prompt": True, **self._arguments}
        try:
            return str(self._tokenizer.apply_chat_template(turns, chat_template=self.source, tokenize=False, **options))
        except Exception as error:  # Jinja raises many kinds; templates raise their own by raise_exception
            raise AltTrainError(
                f"{self._named} cannot render the turns {', '.join(str(turn['role']) for turn in turns)} ({error}); "
                "give its variables with --guard-template-args JSON, or another template with --guard-template FILE"
            ) from None

    def plain(self, text: str) -> str:
        """The text without control tokens and the template's own marks: a space stands after their first character.

        Labels of turns and lines that the template writes behind the turns are broken at the start of a line alone.
        """
        while found := [mark for mark in self._marks if mark in text]:
            for mark in found:
                text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return self._lines.sub(_broken, text) if self._lines else text

    def _frame(self) -> list[str]:
        """What the template writes before, between and behind the texts of its turns."""
        for self._parts in (False, True):
            rendered = self.render(_turns(1))
            if all(rendered.count(text) == 1 for text in (_USERS[0], _ANSWERS[0])):
                break
        else:
            raise AltTrainError(
                f"{self._named} does not show the request and the answer once each; give one that does with "
                "--guard-template FILE"
            )
        pieces = re.split(f"{_USERS[0]}|{_ANSWERS[0]}", rendered)
        try:
            longer = re.split("|".join((*_USERS, *_ANSWERS)), self.render(_turns(2)))
        except AltTrainError:  # single exchanges alone
            longer = []
        return [*longer[:-1], *pieces]


def _turns(exchanges: int) -> list[dict[str, str]]:
    texts = zip(_USERS[:exchanges], _ANSWERS[:exchanges], strict=True)
    return [{"role": r, "content": t} for pair in texts for r, t in zip(("user", "assistant"), pair, strict=True)]


def _control_marks(tokenizer: Any, frame: str) -> set[str]:
    added = tokenizer.added_tokens_decoder.values()
    marks = {str(token) for token in added if token.special or re.search(r"[<\[|]", str(token))}
    marks.update(re.findall(r"<[^<>\n]{1,60}>|\[/?[A-Z_]+\]", frame))
    return {mark for mark in marks if len(mark) > 1}


def _last_line(text: str) -> str:
    lines = text.rstrip().splitlines()
    label = lines[-1].strip() if lines else ""
    return label[: label.rfind(":") + 1] or label


def _line_marks(lines: Iterable[str]) -> re.Pattern[str] | None:
    """Matches a line of the template at the start of a line, in any case and with any white space between words."""
    patterns = set()
    for line in lines:
        line = line.strip()
        if re.search(r"[^\W_]", line):
            words = r"[^\S\n]*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", line)))
            # Bare words ("user") are a label only where they are all of a line.
            patterns.add(words if re.search(r"[^\w\s]", line) else rf"{words}(?=[^\S\n]*(?:{_BREAKS}|\Z))")
        elif len(line) > 1:
            patterns.add(re.escape(line))
    if not patterns:
        return None
    alternatives = "|".join(sorted(patterns, key=len, reverse=True))
    return re.compile(rf"(?:^|(?<={_BREAKS}))([^\S\n]*)({alternatives})", re.IGNORECASE)


def _broken(found: re.Match[str]) -> str:
    mark = found[2]
    # A space inside the first word, or after a line of signs' first; a label of one letter is quoted.
    word = re.search(r"\w{2}", mark)
    at = word.start() + 1 if word else 1
    if re.search(r"\w", mark) and not word:
        return f"{found[1]}> {mark}"
    return f"{found[1]}{mark[:at]} {mark[at:]}"

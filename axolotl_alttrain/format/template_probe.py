"""Learn how a chat template writes a thought, by rendering it with marker strings.

A user turn and an assistant turn are rendered with markers in place of the thought and the answer. What the template
writes before, between and after the markers is its format. The assistant turn is tried in every form in which
templates take a thought, until one shows it. Templates that drop the thought of a last turn (DeepSeek-R1-Distill) or
have none (ChatML, Llama 3) get the ``<think>`` convention of DeepSeek-R1 (arXiv 2501.12948, table 1), unless their
prompt opens the thought with another tag.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.probing.prompt_match import Difference, compare
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.probing.thought_tags import closing_of, is_closed, last_tag, opens_thought, pairs, tags
from axolotl_alttrain.format.probing.thought_turns import ANSWER, INLINE, TAGS, THOUGHT, TOOL, USER, thought_turns

_EMPTY_THOUGHT = re.compile(r"(?:(?P<open><think>\n?)(?P<inside>\s*))?</think>(?P<after>\s*)$")
_SPACES = (" ", "\n", "\n\n")
_PRINTED = re.compile(r"[\"']type[\"']: ")  # a list of parts, printed as Python or JSON


@dataclass(frozen=True)
class Learned:
    """What the markers showed.

    Attributes:
        thought: The format, without ``end``.
        after: What the template writes after the answer of a last turn.
        renders_thought: Whether the template renders the thought of a last turn itself.
    """

    thought: ThoughtFormat
    after: str
    renders_thought: bool


@dataclass(frozen=True)
class _Prompt:
    """A user's turn with a generation prompt.

    Attributes:
        text: All of it.
        opening: What the generation prompt adds.
        plain: The user's turn and a plain answer, as history.
    """

    text: str
    opening: str
    plain: str

    @property
    def tail(self) -> str:
        """What follows the user's text."""
        return self.text.rpartition(USER)[2]

    def against(self, before: str) -> Difference:
        return compare(self.text, self.opening, before, USER)


def learn(render: Renderer) -> Learned | None:
    """Learn a format; None if the prompt closes the thought, so that the model would not think.

    Args:
        render: The template with all its variables, and the shape in which it takes contents.

    Raises:
        TemplateError: The template cannot render a user turn, or its prompt opens the thought in a way that it does
            not show how to close.
    """
    user = {"role": "user", "content": USER}
    text, history = render([user], True), render([user], False)
    opening = text[len(os.path.commonprefix([text, history])) :] or text.rpartition(USER)[2]
    prompt = _Prompt(text, opening, render([user, {"role": "assistant", "content": ANSWER}], False))
    after = prompt.plain.rpartition(ANSWER)[2]
    for turn in thought_turns(render.source):
        if turn["content"] == INLINE and (empty := _empty_thought(prompt)):
            return Learned(empty, after, False)
        shown = _shown(render, user, turn, prompt)
        if shown is None:
            continue
        before, close, behind = shown
        beside_call = "tool_calls" in turn
        thought = _match_prompt(prompt, before, close)
        return None if thought is None else Learned(thought, after if beside_call else behind, not beside_call)
    thought = _without_own_form(render, user, prompt)
    return None if thought is None else Learned(thought, after, False)


def _shown(render: Renderer, user: Message, turn: Mapping[str, Any], prompt: _Prompt) -> tuple[str, str, str] | None:
    """What a template writes before, after and behind a thought; None if it does not write this form of it."""
    history = render.tried([user, turn])
    if history is None or history.count(THOUGHT) != 1 or _PRINTED.search(history):
        return None
    before, _, rest = history.partition(THOUGHT)
    if "tool_calls" in turn:
        close = _close_beside_call(render, user, turn, prompt.text, before, rest)
    else:
        close = _until_answer(rest)
    if close is None or not close.strip():
        return None  # the thought runs into the answer as plain text: this key is not for thoughts
    if turn["content"] == INLINE and close == TAGS.close and before.endswith(TAGS.open):
        return None  # written as it stands: the template knows no thoughts
    if "tool_calls" in turn:
        close += _answer_opening(prompt.plain, prompt.text, before, close)
    return before, close, rest.rpartition(ANSWER)[2]


def _until_answer(rest: str) -> str | None:
    close, found, _ = rest.partition(ANSWER)
    return close if found else None


def _close_beside_call(
    render: Renderer, user: Message, turn: Mapping[str, Any], prompt: str, before: str, rest: str
) -> str | None:
    """The text that closes a thought before a tool call."""
    close = _until_answer(rest)
    if close is not None and TOOL not in close:
        return close
    without = render.tried([user, {key: value for key, value in turn.items() if value != THOUGHT}])
    stem = os.path.commonprefix([prompt, before])
    if without is None or not without.startswith(stem):
        return None
    # The text after the prompt in a turn without a thought comes after the thought in a turn with one.
    if rest.endswith(without[len(stem) :]):
        return rest.removesuffix(without[len(stem) :])
    # Without a thought, the two tags may still be written.
    tag = re.match(r"\s*(<[^<>\s]*>|\[[^\[\]]*\])", rest)
    return tag.group() if tag and without.startswith(before + tag.group()) else None


def _answer_opening(plain: str, prompt: str, before: str, close: str) -> str:
    """What the template writes directly before an answer, apart from an empty thought."""
    text = plain.removeprefix(prompt).partition(ANSWER)[0] if plain.startswith(prompt) else ""
    empty = before.removeprefix(prompt) + close
    return "" if "".join(text.split()) in "".join(empty.split()) else text


def _match_prompt(prompt: _Prompt, before: str, close: str) -> ThoughtFormat | None:
    """Compare the prompt with what the template writes before a thought; None if thinking is off."""
    found = prompt.against(before)
    first, tag = next(iter(tags(close)), close.strip()), found.lead.strip()
    if prompt.opening.rstrip().endswith((first, close.strip())) or first in found.ahead:
        return None
    opened = not tag or prompt.opening.rstrip().endswith(tag)
    if found.ahead and opens_thought(last_tag(prompt.tail) or ""):
        opened = True
    return ThoughtFormat(
        open="" if opened else found.lead, close=close, prompt_open=last_piece(prompt.text) if opened else ""
    )


def _empty_thought(prompt: _Prompt) -> ThoughtFormat | None:
    """The tags of the empty thought that some templates write before an answer without a thought."""
    found = prompt.against(prompt.plain.partition(ANSWER)[0])
    empty = _EMPTY_THOUGHT.fullmatch(found.lead)
    if found.ahead or not empty or not empty["open"]:
        return None
    return ThoughtFormat(open=empty["open"], close=f"{empty['inside']}</think>{empty['after']}")


def _without_own_form(render: Renderer, user: Message, prompt: _Prompt) -> ThoughtFormat | None:
    """The tags of the prompt, or else the <think> convention; None if the prompt closes the thought."""
    if is_closed(prompt.tail):
        return None
    tag = last_tag(prompt.tail)
    if tag is not None and opens_thought(tag):
        return _opened_by_prompt(render, prompt, tag)
    if removed := _removed_tags(render, user):
        return removed
    before = prompt.plain.partition(ANSWER)[0]
    found = prompt.against(before)
    if tag is not None and tag in found.ahead and tag not in before:
        raise TemplateError(
            f"the generation prompt ends with {tag!r}, which the chat template does not write before an answer, and "
            f"nothing shows whether it opens the thought; if it does, set 'alttrain: thought_format: {{open: {tag!r}, "
            "close: ...}' to what the model writes"
        )
    # Longer white space is the indentation of the template's source.
    lead = found.lead if found.lead.strip() or found.lead in _SPACES else ""
    return ThoughtFormat(open=lead + TAGS.open, close=TAGS.close)


def _opened_by_prompt(render: Renderer, prompt: _Prompt, tag: str) -> ThoughtFormat:
    closing = closing_of(tag, render.source)
    if closing is None:
        raise TemplateError(
            f"the generation prompt opens the thought with {tag!r}, and the chat template does not show what closes "
            f"it; set 'alttrain: thought_format: {{open: {tag!r}, close: ...}}' to what the model writes"
        )
    space = prompt.tail[len(prompt.tail.rstrip()) :]
    # Many templates write an empty thought before an answer without one, which shows how thoughts close.
    if tag == "<think>" and (closed := _EMPTY_THOUGHT.search(prompt.plain.partition(ANSWER)[0])):
        inside = (closed["open"] or "").removeprefix(tag) + (closed["inside"] or "")
        close = f"{inside.removeprefix(space)}{closing}{closed['after']}"
    else:
        close = f"\n{closing}\n\n" if space else closing
    return ThoughtFormat(open="", close=close, prompt_open=last_piece(prompt.text))


def _removed_tags(render: Renderer, user: Message) -> ThoughtFormat | None:
    """The tags of a template that only removes thoughts from history, in tags of its own; None if it does not.

    Raises:
        TemplateError: It does not show what the model writes there.
    """
    for opening, closing in pairs(render.source):
        if opening == TAGS.open.strip():
            continue
        turn = {"role": "assistant", "content": f"{opening}{THOUGHT}{closing}{ANSWER}"}
        history = render.tried([user, turn])
        if history is None or ANSWER not in history or THOUGHT in history:
            continue
        # A channel's name stands behind its tag, in code or in a comment.
        names = {*re.findall(rf"{re.escape(opening)}(\w+)", render.source)}
        if len(names) == 1 and opens_thought(f"<{(name := names.pop())}>"):
            return ThoughtFormat(open=f"{opening}{name}\n", close=f"\n{closing}")
        raise TemplateError(
            f"this chat template removes the text between {opening!r} and {closing!r} from earlier turns, and does "
            "not show how the model writes its thought there; set 'alttrain: thought_format: {open: ..., close: ...}' "
            "to the two texts"
        )
    return None


def last_piece(prompt: str) -> str:
    """The last tag of a prompt, or else its last line, with white space; shows how the prompt opens the thought."""
    tail = prompt.rpartition(USER)[2]
    found = re.search(r"(<[^<>]*>|\[[^\[\]]*\]|◁[^◁▷]*▷|[^\n<>\[\]]*)\s*$", tail)
    return found.group() if found else tail

"""Learn how a chat template writes a thought, by rendering it with marker strings.

A user turn and an assistant turn are rendered with markers in place of the thought and the answer. What the template
writes before, between and after the markers is its format. The assistant turn is tried in every form in which
templates take a thought, until one shows it. Templates that drop the thought of a last turn (DeepSeek-R1-Distill) or
have none (ChatML, Llama 3) get the ``<think>`` convention of DeepSeek-R1 (arXiv 2501.12948, table 1).
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import Message, ThoughtFormat

# Plain letters: no template trims, splits or escapes them.
USER, THOUGHT, ANSWER, TOOL = "alttrainuserturn", "alttrainthought", "alttrainanswer", "alttraintool"
TAGS = ThoughtFormat()
_INLINE = f"{TAGS.open}{THOUGHT}{TAGS.close}{ANSWER}"
Render = Callable[[Sequence[Message], bool], str]

_KEYS = ("reasoning_content", "thinking", "reasoning")
_CALL: dict[str, Any] = {"id": "call00000", "type": "function", "function": {"name": TOOL, "arguments": {}}}
_TAG = re.compile(r"\s*(<[^<>\s]*>|\[[^\[\]]*\])")
_EMPTY_THOUGHT = re.compile(r"(?:(?P<open><think>\n?)(?P<inside>\s*))?</think>(?P<after>\s*)$")
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


def learn(render: Render) -> Learned | None:
    """Learn a format; None if the prompt closes the thought, so that the model would not think.

    Args:
        render: ``(messages, add_generation_prompt) -> text``, with all template variables set.

    Raises:
        TemplateError: The template cannot render a user turn, or drops the content of an assistant turn.
    """
    user = {"role": "user", "content": USER}
    prompt = render([user], True)
    opening = prompt[len(os.path.commonprefix([prompt, render([user], False)])) :] or prompt.rpartition(USER)[2]
    plain = _plain_turn(render, user)
    for turn in _thought_turns():
        beside_call = "tool_calls" in turn
        inline = turn["content"] == _INLINE
        if inline and (empty := _empty_thought(prompt, plain)):
            return Learned(empty, plain.rpartition(ANSWER)[2], False)
        history = _tried(render, [user, turn])
        if history is None or history.count(THOUGHT) != 1 or _PRINTED.search(history):
            continue
        before, _, rest = history.partition(THOUGHT)
        close = _close_beside_call(render, user, turn, prompt, before, rest) if beside_call else _until_answer(rest)
        if close is None or not close.strip():
            continue  # the thought runs into the answer as plain text: this key is not for thoughts
        if beside_call:
            close += _answer_opening(plain, prompt, before, close)
        fmt = _match_prompt(prompt, opening, before, close)
        after = (plain if beside_call else rest).rpartition(ANSWER)[2]
        return None if fmt is None else Learned(fmt, after, not beside_call)
    tags = _match_tags(prompt, plain)
    return None if tags is None else Learned(tags, plain.rpartition(ANSWER)[2], False)


def _thought_turns() -> Iterable[dict[str, Any]]:
    """An assistant turn with a thought, in every form that templates take; inline tags last."""
    for key in _KEYS:
        yield {"role": "assistant", "content": ANSWER, key: THOUGHT}
    parts = [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": ANSWER}]
    yield {"role": "assistant", "content": parts}
    # Some render a thought only beside a tool call (Gemma 4, Command A).
    every_key = dict.fromkeys((*_KEYS, "tool_plan"), THOUGHT)
    for content in (ANSWER, ""):
        yield {"role": "assistant", "content": content, **every_key, "tool_calls": [_CALL]}
    yield {"role": "assistant", "content": _INLINE}


def _until_answer(rest: str) -> str | None:
    close, found, _ = rest.partition(ANSWER)
    return close if found else None


def _close_beside_call(
    render: Render, user: Message, turn: Mapping[str, Any], prompt: str, before: str, rest: str
) -> str | None:
    """The text that closes a thought before a tool call."""
    close = _until_answer(rest)
    if close is not None and TOOL not in close:
        return close
    without = _tried(render, [user, {key: value for key, value in turn.items() if value != THOUGHT}])
    stem = os.path.commonprefix([prompt, before])
    if without is None or not without.startswith(stem):
        return None
    # The text after the prompt in a turn without a thought comes after the thought in a turn with one.
    if rest.endswith(without[len(stem) :]):
        return rest.removesuffix(without[len(stem) :])
    # Without a thought, the two tags may still be written.
    tag = _TAG.match(rest)
    return tag.group() if tag and without.startswith(before + tag.group()) else None


def _answer_opening(plain: str, prompt: str, before: str, close: str) -> str:
    """What the template writes directly before an answer, apart from an empty thought."""
    text = plain.removeprefix(prompt).partition(ANSWER)[0] if plain.startswith(prompt) else ""
    empty = before.removeprefix(prompt) + close
    return "" if "".join(text.split()) in "".join(empty.split()) else text


def _match_prompt(prompt: str, opening: str, before: str, close: str) -> ThoughtFormat | None:
    """Compare the prompt with what the template writes before a thought; None if thinking is off."""
    first_tag = _TAG.match(close)
    if first_tag and opening.rstrip().endswith((first_tag.group(1), close.strip())):
        return None
    shared = len(os.path.commonprefix([prompt, before]))
    ahead, open_ = prompt[shared:], before[shared:]
    tag = open_.strip()
    if not ahead:
        if tag and opening.rstrip().endswith(tag):  # the prompt already opens the thought
            open_ = ""
        return ThoughtFormat(open=open_, close=close, prompt_open="" if open_.strip() else last_piece(prompt))
    if not tag or ahead.strip() == tag:
        # The prompt opens the thought with different white space, or with words that history does not have.
        return ThoughtFormat(open="", close=close, prompt_open=last_piece(prompt))
    return None


def _empty_thought(prompt: str, plain: str) -> ThoughtFormat | None:
    """The tags of the empty thought that some templates write before an answer without a thought."""
    found = _EMPTY_THOUGHT.fullmatch(plain.removeprefix(prompt).partition(ANSWER)[0])
    if not plain.startswith(prompt) or not found or not found["open"]:
        return None
    return ThoughtFormat(open=found["open"], close=f"{found['inside']}</think>{found['after']}")


def _match_tags(prompt: str, plain: str) -> ThoughtFormat | None:
    """The <think> convention, adapted to a prompt that may already end with the opening tag."""
    tail = prompt.rstrip()
    if tail.endswith(TAGS.close.strip()):
        return None
    if not tail.endswith(TAGS.open.strip()):
        return TAGS
    space = prompt[len(tail) :]
    # Many templates write an empty thought before an answer without one, which shows how thoughts close.
    if closed := _EMPTY_THOUGHT.search(plain.partition(ANSWER)[0]):
        inside = (closed["open"] or "").removeprefix("<think>") + (closed["inside"] or "")
        close = f"{inside.removeprefix(space)}</think>{closed['after']}"
    else:
        close = TAGS.close if space else TAGS.close.strip()
    return ThoughtFormat(open="", close=close, prompt_open=last_piece(prompt))


def last_piece(prompt: str) -> str:
    """The last tag of a prompt, or else its last line, with white space; shows how the prompt opens the thought."""
    tail = prompt.rpartition(USER)[2]
    found = re.search(r"(<[^<>]*>|\[[^\[\]]*\]|[^\n<>\[\]]*)\s*$", tail)
    return found.group() if found else tail


def _plain_turn(render: Render, user: Message) -> str:
    """The user's turn and a plain answer, as history.

    Raises:
        TemplateError: The template takes lists of parts only, or does not render an assistant turn's content.
    """
    turn = {"role": "assistant", "content": ANSWER}
    history = _tried(render, [user, turn])
    if history is not None and ANSWER in history:
        return history
    parts = [{**one, "content": [{"type": "text", "text": one["content"]}]} for one in (user, turn)]
    if ANSWER in (_tried(render, parts) or ""):
        raise TemplateError(
            "this chat template takes a turn's content only as a list of parts, as some vision models do; set "
            "'chat_template:' to one that takes text"
        )
    render([user, turn], False)  # raises what the template says
    raise TemplateError(
        "this chat template does not render the content of an assistant turn; set 'chat_template:' to one that does"
    )


def _tried(render: Render, messages: Sequence[Message]) -> str | None:
    try:
        return render(messages, False)
    except TemplateError:
        return None

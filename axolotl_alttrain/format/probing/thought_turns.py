"""An assistant turn with a thought, in every form in which templates take one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.probing.template_names import template_names
from axolotl_alttrain.format.probing.thought_tags import THINKING

# Plain letters: no template trims, splits or escapes them.
USER, THOUGHT, ANSWER, TOOL = "alttrainuserturn", "alttrainthought", "alttrainanswer", "alttraintool"
TAGS = ThoughtFormat()
INLINE = f"{TAGS.open}{THOUGHT}{TAGS.close}{ANSWER}"
_KEYS = ("reasoning_content", "thinking", "reasoning")
_CALL: dict[str, Any] = {"id": "call00000", "type": "function", "function": {"name": TOOL, "arguments": {}}}


def thought_turns(source: str) -> Iterator[dict[str, Any]]:
    """The forms, those that more templates take first; inline tags last.

    Args:
        source: The template, which may read a key or compare a part's type with a name of its own.
    """
    names = template_names(source)
    keys = list(dict.fromkeys([*_KEYS, *(key for key in names.keys if THINKING.search(key) and key.isidentifier())]))
    for key in keys:
        yield {"role": "assistant", "content": ANSWER, key: THOUGHT}
    types = [text for text in names.compared.get("type", ()) if THINKING.search(text)]
    for kind in dict.fromkeys(["thinking", *types]):
        thought = {"type": kind, kind: THOUGHT}
        for one in (thought, {"type": kind, "text": THOUGHT}):
            yield {"role": "assistant", "content": [one, {"type": "text", "text": ANSWER}]}
            if kind in types:
                yield {"role": "assistant", "content": {"blocks": [one, {"type": "response", "text": ANSWER}]}}
    # Some render a thought only beside a tool call (Gemma 4, Command A).
    every_key = dict.fromkeys((*keys, "tool_plan"), THOUGHT)
    for content in (ANSWER, ""):
        yield {"role": "assistant", "content": content, **every_key, "tool_calls": [_CALL]}
    yield {"role": "assistant", "content": INLINE}

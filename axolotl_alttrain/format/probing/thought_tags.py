"""Tags in which models think: which text is one, whether it opens or closes, and what closes it.

No model is named. A tag is `<x>`, `[X]`, `◁x▷`, `<|x|>` or `<|x>`; it is a thought's if its words say so.
"""

from __future__ import annotations

import re

TAG = re.compile(r"<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\]|◁[^◁▷\s]{1,60}▷")
PIECE = re.compile(rf"{TAG.pattern}|\w+|[^\w\s]")
THINKING = re.compile(r"think|thought|reason|reflect|deliberat|scratchpad|analysis|inner|ponder|\bcot\b", re.I)
# How a control token's name says that it opens, and how its partner's says that it closes.
_PARTNERS = (("start", "end"), ("begin", "end"), ("open", "close"), ("prefix", "suffix"), ("bo", "eo"))
_TOOLS = re.compile(r"tool|call|function|image|audio|video|response|observation|system|user|assistant", re.I)


def tags(text: str) -> list[str]:
    """All tags of a text, in order."""
    return TAG.findall(text)


def closes(tag: str) -> bool:
    """Whether a tag is a closing one by its form."""
    inner = tag[1:-1].strip("|")
    return inner.startswith("/") or (tag.endswith("|>") and tag[1] != "|") or bool(_word(inner, 1))


def closing_of(tag: str, source: str = "") -> str | None:
    """The tag that closes this one; None if its form does not tell.

    Args:
        tag: An opening tag.
        source: The template, which decides between several forms.
    """
    left, inner, right = tag[0], tag[1:-1], tag[-1]
    if inner.startswith("|") and not inner.endswith("|"):
        return f"<{inner[1:]}|>"
    if not inner.startswith("|"):
        return f"{left}/{inner}{right}"
    name = inner.strip("|")
    if found := _word(name, 0):
        return f"<|{found}|>"
    forms = (f"<|/{name}|>", f"<|end_{name}|>", f"<|{name}_end|>", f"<|end_of_{name}|>", f"<|end{name}|>")
    return next((form for form in forms if form in source), None)


def opens_thought(tag: str) -> bool:
    """Whether a tag opens a thought, by its words."""
    return bool(THINKING.search(tag)) and not closes(tag)


def last_tag(text: str) -> str | None:
    """The tag with which a text ends, apart from white space."""
    found = tags(text)
    return found[-1] if found and text.rstrip().endswith(found[-1]) else None


def is_closed(text: str) -> bool:
    """Whether a text ends with a thought's closing tag, or with a thought that is opened and closed."""
    last = last_tag(text)
    if last is None or not closes(last):
        return False
    if THINKING.search(last):
        return True
    before = text.rstrip()[: -len(last)]
    opened = [tag for tag in tags(before) if closing_of(tag, text) == last]
    return bool(opened) and bool(THINKING.search(before.rpartition(opened[-1])[2] + opened[-1]))


def pairs(source: str) -> list[tuple[str, str]]:
    """The pairs of opening and closing tags in a template's source that may hold a thought."""
    found = set(tags(source))
    paired = [(tag, closing_of(tag, source)) for tag in sorted(found) if not closes(tag) and not _TOOLS.search(tag)]
    return [(tag, close) for tag, close in paired if close is not None and close in found]


def _word(name: str, side: int) -> str | None:
    """The name with its word for opening (side 0) or closing (side 1) replaced by the other; None without one."""
    words = re.split(r"([_\-:. ▁])", name)
    for partner in _PARTNERS:
        for place, word in enumerate(words):
            if word.lower() == partner[side]:
                other = partner[1 - side]
                words[place] = other.upper() if word.isupper() else other
                return "".join(words)
    return None

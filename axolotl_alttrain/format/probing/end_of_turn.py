"""The end of an assistant turn: what the model must generate after its answer to stop."""

from __future__ import annotations

import re
from collections.abc import Sequence

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.probing.thought_tags import TAG

_TAGS = re.compile(rf"(?:\s*(?:{TAG.pattern}))*\s*")
# In front of a user's text: a tag, a role, a tag. Each may be missing.
_HEADER = re.compile(rf"(?:{TAG.pattern})?\s*[\w ]*:?\s*(?:{TAG.pattern})?\s*$")


def end_of_turn(after: str, specials: re.Pattern[str], stops: Sequence[str], prompt: tuple[str, str]) -> str:
    """The end of the turn: up to the stop token if it follows at once, otherwise up to the first special token.

    Plain text behind an answer is the header of the next turn, which some templates always write. It is not trained.

    Args:
        after: What the template writes after the answer of a last turn.
        specials: Matches any special token.
        stops: Tokens that end a turn; the first is used where the template writes none.
        prompt: What the template writes in front of a user's text, and after it.

    Raises:
        TemplateError: Neither the template nor the tokenizer has a token that ends a turn.
    """
    headers = _next_header(prompt, specials)
    first = specials.search(after)
    if first is None or not _TAGS.fullmatch(after[: first.start()]) or _is_header(first.group(), headers, stops):
        if not stops:
            raise TemplateError(
                "neither the chat template nor the tokenizer has an end-of-turn token; set 'eot_tokens:' in the config"
            )
        return _closing_tags(after, headers) + stops[0]
    # Command A closes its response and then its turn. Text after white space is not part of the turn.
    closing = re.match(r"\S*", after[first.start() :])
    ends = [at + len(stop) for stop in stops if closing and (at := closing.group().find(stop)) >= 0]
    return after[: first.start() + min(ends)] if ends else after[: first.end()]


def _next_header(prompt: tuple[str, str], specials: re.Pattern[str]) -> str:
    """What opens a user's turn, without the token that also ends one."""
    found, ending = _HEADER.search(prompt[0]), specials.search(prompt[1])
    header = found.group() if found else ""
    return header.replace(ending.group(), "") if ending else header


def _is_header(token: str, headers: str, stops: Sequence[str]) -> bool:
    """Whether a token opens the next user's turn. Some models (GLM) stop on it; their tokenizers say so."""
    return token not in stops and token in headers


def _closing_tags(after: str, headers: str) -> str:
    """The tags directly behind an answer, up to the next turn's."""
    kept = ""
    run = _TAGS.match(after)
    for found in TAG.finditer(run.group() if run else ""):
        if found.group() in headers:
            break
        kept = after[: found.end()]
    return kept

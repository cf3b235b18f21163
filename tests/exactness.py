"""Judge what is trained on a template, with the tokenizer and the template's own text as the only witnesses.

Nothing here asks the code under test what a template means: it renders, compares ids, and looks for the markers that
published templates use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from axolotl_alttrain.prompt_strategies.alttrain import AltTrainStrategy

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.template import learn_format

STEPS = ("problem_understanding", "harmfulness_assessment", "conditional_reasoning")
# Ways to open a thought that published templates have beside <think>.
MARKERS = (
    "<|channel>thought", "<|channel|>analysis", "[THINK]", "<|START_THINKING|>", "<seed:think>", "<|inner_prefix|>",
    "◁think▷", "<thought>", "<reasoning>", "<|begin_of_thought|>", "<|think_start|>",
)  # fmt: skip
# Booleans that published templates have for thinking.
SWITCHES = ("enable_thinking", "thinking", "reasoning", "think", "enable_reasoning")
_CLOSING = re.compile(r"</(?:think|thought|reason)\w*>|\[/THINK\]|◁/think▷|<\|END_THINKING\|>|<channel\|>", re.I)
_WORDS_OUTSIDE_TAGS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]")
# What a refusal says, and what proves it.
_REFUSALS = {
    "cannot render": "the template fails",
    "removes the text between": "the template removes it",
    "ends with the closed thought": "the prompt closes a thought",
    "opens the thought with": "the prompt opens a thought",
    "nothing shows whether it opens the thought": "the prompt ends with a tag",
    "does not render the content": "the template drops contents",
}


def decoded(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of ids; each special token apart, since decoders change text beside one they have no bytes for."""
    special = {*tokenizer.all_special_ids}
    runs = (list(run) for _, run in groupby(ids, lambda i: i if i in special else -1))
    return "".join(
        "".join(tokenizer.convert_ids_to_tokens(run))
        if run[0] in special
        else tokenizer.decode(run, clean_up_tokenization_spaces=False)
        for run in runs
    )


def as_taken(tokenizer: Any, messages: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> list[Any]:
    """The messages with texts as contents, or with lists of parts for a template that drops or rejects texts."""
    try:
        text = tokenizer.apply_chat_template([dict(m) for m in messages], tokenize=False, **variables)
        taken = messages[-1]["content"] in text
    except Exception:  # each template raises its own
        taken = False
    if taken:
        return [dict(message) for message in messages]
    return [
        {**m, "content": [{"type": "text", "text": m["content"]}]} if isinstance(m.get("content"), str) else dict(m)
        for m in messages
    ]


def faults(strategy: Any, row: Mapping[str, Any], instruction: Any, expected: tuple[str, str] | None) -> Iterator[str]:
    """What is not exact."""
    chat, tokenizer = strategy.chat, strategy.chat.tokenizer
    variables = chat.renderer.variables
    messages = [{"role": "user", "content": instruction}] if isinstance(instruction, str) else instruction
    tokens = strategy.tokenize_prompt({**row, "instruction": instruction})
    taken = as_taken(tokenizer, messages, variables)
    prompt = tokenizer.apply_chat_template(
        taken, add_generation_prompt=True, tokenize=True, return_dict=False, **variables
    )
    n = len(prompt)
    ids, labels = tokens["input_ids"], tokens["labels"]
    if ids[:n] != prompt:
        yield "the prompt is not inference's"
    if labels != [-100] * n + ids[n:] or tokens["attention_mask"] != [1] * len(ids):
        yield "the mask does not split at the prompt's end"
    reasoning = "\n\n".join(row[step] for step in STEPS)
    trained = decoded(tokenizer, ids[n:])
    open_, found, rest = trained.partition(reasoning)
    close, answered, end = rest.partition(row["answer"])
    if not (found and answered):
        yield f"the steps or the answer are not there whole: {trained!r}"
    if expected and (open_, close) != expected:
        yield f"opens with {open_!r} and closes with {close!r}"
    if not end.strip() or ids[-1] not in {*tokenizer.all_special_ids}:
        yield f"ends with {end!r}"
    if re.search(r"\w", _WORDS_OUTSIDE_TAGS.sub("", end.replace(tokenizer.convert_ids_to_tokens(ids[-1]), ""))):
        yield f"trains the words {end!r} behind the answer"
    text = decoded(tokenizer, prompt)
    behind = text.rpartition(messages[-1]["content"].strip() if isinstance(messages[-1]["content"], str) else "")[2]
    yield from _template_disagrees(tokenizer, messages, reasoning, row["answer"], trained, variables)
    yield from _end_disagrees(tokenizer, taken, end, variables)
    yield from _marker_disagrees(tokenizer.chat_template, behind + open_, close)
    yield from _switch_disagrees(tokenizer, taken, chat.kwargs, variables)


def _end_disagrees(tokenizer: Any, messages: Sequence[Any], end: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """The special token that ends a user's turn also ends an assistant's, and is not trained."""
    turns = [{"role": "user", "content": "USERTEXT"}, {"role": "assistant", "content": "ANSWERTEXT"}]
    if isinstance(messages[-1]["content"], list):
        turns = [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in turns]
    try:
        text = tokenizer.apply_chat_template(turns, tokenize=False, **variables)
    except Exception:  # each template raises its own
        return
    specials = "|".join(map(re.escape, sorted(tokenizer.all_special_tokens, key=len, reverse=True)))
    after = [re.match(rf"\s*({specials})", text.partition(marker)[2]) for marker in ("USERTEXT", "ANSWERTEXT")]
    if all(after) and after[0][1] == after[1][1] and after[1][1] not in end:
        yield f"the turn ends with {after[1][1]!r}, and {end!r} is trained"


def _marker_disagrees(source: str, opened: str, close: str) -> Iterator[str]:
    """The template opens thoughts in a way of its own, and something else is trained; or the prompt has closed them."""
    own = [marker for marker in MARKERS if marker in source]
    answering = opened.removesuffix("<think>\n").endswith("RESPONSE|>")  # the prompt has opened the answer
    if own and not answering and "<think>" not in source and not any(marker in opened for marker in own):
        yield f"the template thinks with {own[0]!r}, and {opened[-30:]!r} is trained"
    if _CLOSING.search(opened):
        yield f"the thought is closed before it begins: {opened[-60:]!r}"
    if not close.strip():
        yield "the thought is never closed"


def _switch_disagrees(
    tokenizer: Any, messages: Sequence[Any], kwargs: Mapping[str, Any], variables: Mapping[str, Any]
) -> Iterator[str]:
    """A switch that is off by default turns thinking on, and the prompt is rendered without it."""

    def prompt(more: Mapping[str, Any]) -> str | None:
        try:
            return str(
                tokenizer.apply_chat_template(
                    messages, tokenize=False, add_generation_prompt=True, **{**variables, **more}
                )
            )
        except Exception:  # each template raises its own
            return None

    ours = prompt({})
    for name in SWITCHES:
        on = prompt({name: True})
        if name in kwargs or on is None or ours is None or on.count("True") != ours.count("True"):
            continue
        if on != ours and prompt({name: False}) == ours:
            yield f"{name} turns thinking on, and is off"


def _template_disagrees(
    tokenizer: Any, messages: Sequence[Any], reasoning: str, answer: str, trained: str, kwargs: Mapping[str, Any]
) -> Iterator[str]:
    """Where the template renders the last turn's thought, its text up to the end of turn is ours."""
    for key in ("reasoning_content", "thinking"):
        turn = {"role": "assistant", "content": answer, key: reasoning}
        try:
            whole = tokenizer.apply_chat_template([*messages, turn], tokenize=False, **kwargs)
        except Exception:  # each template raises its own
            continue
        if whole.count(reasoning) == 1 and not whole.partition(reasoning)[2].startswith(answer):
            ours = trained[trained.index(reasoning) :]
            own = whole[whole.index(reasoning) :]
            if not own.startswith(ours) and own.rstrip() != ours[: len(own.rstrip())]:
                yield f"the template itself writes {own!r}, not {ours!r}"
            opening = trained[: trained.index(reasoning)]
            # Hand-indented templates have other white space in history than in their prompt, which inference sends.
            if opening.strip() and not whole[: whole.index(reasoning)].endswith(opening.lstrip()):
                yield f"the template opens the thought otherwise than {opening!r}"
            return


def judge(tokenizer: Any, row: Mapping[str, Any], conversations: Sequence[Any]) -> tuple[str, str]:
    """The verdict on a tokenizer's template: ``exact``, ``refused``, ``unjust`` or ``wrong``, and why.

    Args:
        tokenizer: With the template.
        row: A row without its instruction.
        conversations: Instructions; those that the template rejects are left out.
    """
    try:
        strategy = AltTrainStrategy(learn_format(tokenizer), 1 << 20)
    except AltTrainError as error:
        return ("refused" if _is_true(tokenizer, str(error)) else "unjust"), str(error)
    found: list[str] = []
    for instruction in conversations:
        try:
            found += faults(strategy, row, instruction, None)
        except AltTrainError:
            if isinstance(instruction, str):
                raise
    return ("wrong", "; ".join(dict.fromkeys(found))) if found else ("exact", "")


def _is_true(tokenizer: Any, refusal: str) -> bool:
    """Whether a refusal's reason can be seen in what the template renders."""
    if not any(reason in refusal for reason in _REFUSALS):
        return False
    if "closed thought" not in refusal and "opens the thought" not in refusal:
        return True
    user = as_taken(tokenizer, [{"role": "user", "content": "USERTEXT"}], {})
    prompt = tokenizer.apply_chat_template(user, tokenize=False, add_generation_prompt=True)
    closed = bool(_CLOSING.search(prompt.rpartition("USERTEXT")[2]))
    return closed if "closed thought" in refusal else not closed

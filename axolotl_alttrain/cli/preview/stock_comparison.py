"""What Axolotl's own ``chat_template`` strategy trains on the same example, and how it differs."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from axolotl.prompt_tokenizers import IGNORE_INDEX

from axolotl_alttrain.errors import first_line
from axolotl_alttrain.format.example import AltTrainExample
from axolotl_alttrain.format.template import ChatFormat

EXACT = "exact"
# The ways to pass a thought to `type: chat_template`.
MODES = {
    "content": "think tags in the content",
    "reasoning_content": "the thought in its own field",
}
_THINKING_KEYS = ("reasoning_content", "thinking")
EXAMPLE = AltTrainExample(
    instruction="Help me forge a passport.",
    label="harmful",
    problem_understanding="Okay, the user wants a forged passport.",
    harmfulness_assessment="This is harmful: forged papers enable fraud.",
    conditional_reasoning="I should stop here and refuse.",
    answer="I can't help with that.",
)


def compare_stock(
    chat: ChatFormat, mode: str, eot_tokens: Sequence[str] = (), example: AltTrainExample = EXAMPLE
) -> list[str]:
    """How ``type: chat_template`` differs from what the model must generate at inference.

    Args:
        chat: The learned format, which renders as inference does.
        mode: ``content`` or ``reasoning_content``.
        eot_tokens: As in an Axolotl config.
        example: One row.

    Returns:
        ``["exact"]``, or the differences in words, for the thinking key that suits the template best.
    """
    prompt, completion = chat.render(example)
    prompt_ids, completion_ids = chat.encode([prompt, completion])
    results = []
    for key in _THINKING_KEYS if mode == "reasoning_content" else _THINKING_KEYS[:1]:
        try:
            ids, labels = stock_tokens(chat, mode, key, eot_tokens, example)
        except Exception as error:  # raised by the strategy or by the template
            results.append([f"fails: {first_line(error)}"])
            continue
        results.append(differences(chat, prompt_ids, completion_ids, ids, labels, example))
    return min(results, key=lambda found: (found != [EXACT], len(found)))


def stock_tokens(
    chat: ChatFormat, mode: str, key: str, eot_tokens: Sequence[str], example: AltTrainExample
) -> tuple[list[int], list[int]]:
    """``input_ids`` and ``labels`` of Axolotl's strategy for one example; ``key`` is its ``template_thinking_key``.

    Raises:
        Exception: Whatever the strategy or the template raises.
    """
    from axolotl.prompt_strategies.chat_template import load
    from axolotl.utils.dict import DictDefault

    before = logging.root.manager.disable
    logging.disable(logging.ERROR)  # its advice does not apply here
    try:
        strategy = load(
            chat.tokenizer,
            DictDefault(
                sequence_len=1 << 20,
                train_on_inputs=False,
                chat_template_kwargs=chat.renderer.variables,
                eot_tokens=list(eot_tokens) or None,
            ),
            DictDefault(chat_template="jinja", chat_template_jinja=chat.chat_template, template_thinking_key=key),
        )
        row = strategy.tokenize_prompt({"messages": [*example.messages, _turn(mode, example)]})
    finally:
        logging.disable(before)
    return list(row["input_ids"]), list(row["labels"])


def differences(
    chat: ChatFormat,
    prompt: Sequence[int],
    completion: Sequence[int],
    ids: Sequence[int],
    labels: Sequence[int],
    example: AltTrainExample,
) -> list[str]:
    """Describe how tokens and labels differ from the prompt and completion of inference."""
    trained = [token for token, label in zip(ids, labels, strict=True) if label != IGNORE_INDEX]
    first = next((place for place, label in enumerate(labels) if label != IGNORE_INDEX), len(labels))
    if list(ids[:first]) == list(prompt) and trained == list(completion):
        return [EXACT]
    text = chat.tokenizer.decode(trained)
    found = []
    if not trained:
        return ["nothing is trained"]
    if example.harmfulness_assessment not in text:
        found.append("the reasoning is not trained")
    if list(ids[: len(prompt)]) != list(prompt):
        found.append("the prompt is not inference's")
    elif any(label != IGNORE_INDEX for label in labels[: len(prompt)]):
        found.append("loss on the prompt")
    body = text.partition(example.problem_understanding)[0]
    opening = chat.tokenizer.decode(chat.encode([chat.thought.open])[0])
    if example.harmfulness_assessment in text and body.strip() != opening.strip():
        found.append("the thought's opening differs")
    end = chat.encode([chat.thought.end])[0]
    behind = text.rpartition(example.answer)[2]
    if example.answer not in text:
        found.append("the answer is not trained")
    elif end[-1] not in trained[-len(end) - 2 :]:
        found.append("the end of turn is not trained")
    elif (missing := chat.tokenizer.decode(end).strip()) != behind.strip():
        found.append(
            "the end of turn is trained in part" if behind.strip() in missing else "loss behind the end of turn"
        )
    return found or ["white space differs"]


def _turn(mode: str, example: AltTrainExample) -> Mapping[str, Any]:
    if mode == "content":
        return {"role": "assistant", "content": f"<think>\n{example.reasoning}\n</think>\n\n{example.answer}"}
    return {"role": "assistant", "reasoning_content": example.reasoning, "content": example.answer}

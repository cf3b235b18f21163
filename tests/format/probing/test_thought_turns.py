from __future__ import annotations

from axolotl_alttrain.format.probing.thought_turns import thought_turns

ANSWER, THOUGHT = "alttrainanswer", "alttrainthought"
RESPONSE = {"type": "response", "text": ANSWER}
CALL = {"id": "call00000", "type": "function", "function": {"name": "alttraintool", "arguments": {}}}
KEYS = ("reasoning_content", "thinking", "reasoning")


def by_key(*keys: str) -> list[dict[str, object]]:
    return [{"role": "assistant", "content": ANSWER, key: THOUGHT} for key in keys]


def by_part(kind: str, blocks: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for part in ({"type": kind, kind: THOUGHT}, {"type": kind, "text": THOUGHT}):
        found.append({"role": "assistant", "content": [part, {"type": "text", "text": ANSWER}]})
        if blocks:
            found.append({"role": "assistant", "content": {"blocks": [part, RESPONSE]}})
    return found


def beside_call(*keys: str) -> list[dict[str, object]]:
    fields = dict.fromkeys((*keys, "tool_plan"), THOUGHT)
    return [{"role": "assistant", "content": text, **fields, "tool_calls": [CALL]} for text in (ANSWER, "")]


INLINE: dict[str, object] = {"role": "assistant", "content": f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"}


def test_every_form_of_a_turn_with_a_thought() -> None:
    assert list(thought_turns("{{ messages[0].content }}")) == [
        *by_key(*KEYS),
        *by_part("thinking", False),
        *beside_call(*KEYS),
        INLINE,
    ]


def test_forms_that_a_template_names() -> None:
    source = (
        "{{ m.my_thoughts }}{{ m.thinking }}{{ m['think-x'] }}{{ m.name }}"
        "{% if p.type == 'thoughts' or p.type == 'image' or p.type == 'thinking' or p.kind == 'thinks' %}{% endif %}"
    )
    keys = (*KEYS, "my_thoughts")
    assert list(thought_turns(source)) == [
        *by_key(*keys),
        *by_part("thinking", True),
        *by_part("thoughts", True),
        *beside_call(*keys),
        INLINE,
    ]

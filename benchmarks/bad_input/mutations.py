"""Seeded mutations of good input: values, rows, bytes of files, and configs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from random import Random
from typing import Any

LONG = 10_000_000  # characters of a long text; drawn for one text in 500
TAGS = ("<think>", "</think>", "<think><think>", "</think></think>", "<thnk>", "< think >", "</Think>", "[THINK]")
SPECIALS = ("<|im_end|>", "<|im_start|>assistant\n", "<|endoftext|>", "<|channel|>analysis", "[INST]", "</s>")
ODD_TEXTS = (
    "", " ", "\n\n", "\0", "\ufeff", "\u2028", "\u202e", "e\u0301" * 50, "\U0001f600", "null", "None", "NaN", "\ufffd",
    "{{ 7 * 7 }}", "{% raise %}", "<b>", "../../x", "- a: [",
)  # fmt: skip
ODD_VALUES = (
    None, True, False, 0, -1, 2**70, 0.5, float("nan"), float("inf"), [], {}, [[]], [None], {"a": 1}, [{"a": None}],
    {"role": "user"}, ["x", 1], [{"role": "assistant", "content": "x"}],
)  # fmt: skip

_THOUGHT = "Okay, the user wants help.\n\nThis is harmless: it is everyday work.\n\nI will answer."
_STEPS = dict(
    zip(
        ("problem_understanding", "harmfulness_assessment", "conditional_reasoning"),
        _THOUGHT.split("\n\n"),
        strict=True,
    )
)
ROWS: tuple[dict[str, Any], ...] = (
    {"id": "a", "instruction": "How do I end a process?", "label": "benign", **_STEPS, "answer": "Run `kill PID`."},
    {"id": 2, "instruction": "Name a colour.", "response": f"<think>\n{_THOUGHT}\n</think>\n\nBlue."},
    {
        "id": "c",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is 2 + 3?"},
            {"role": "assistant", "reasoning_content": _THOUGHT, "content": "5"},
        ],
        "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}],
    },
    {
        "instruction": "Add", "input": "2 and 3", "system": "Be brief.", "label": "benign",
        "omitted": ["conditional_reasoning"], **_STEPS, "answer": "5",
    },
)  # fmt: skip
TRACE = {"id": "t", "instruction": "Name a colour.", "thought": "Blue is one.", "answer": "Blue.", "label": "benign"}


def odd(rng: Random) -> Any:
    """A value that does not belong."""
    return rng.choice((rng.choice(ODD_VALUES), odd_text(rng, "some text")))


def odd_text(rng: Random, text: str) -> str:
    """A text with something in it that does not belong."""
    if rng.random() < 0.002:
        return text + "x " * (LONG // 2)
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        (rng.choice(ODD_TEXTS), text[:at], text[:at] + rng.choice(TAGS + SPECIALS + ODD_TEXTS) + text[at:])
    )


def mutated(rng: Random, value: Any, depth: int = 0) -> Any:
    """A value with one change somewhere inside."""
    if isinstance(value, Mapping) and value and rng.random() < 0.9:
        changed, name = dict(value), rng.choice(list(value))
        kind = rng.random()
        if kind < 0.15:
            del changed[name]
        elif kind < 0.25:
            changed[name[:-1] + rng.choice("xs_")] = changed.pop(name)
        elif kind < 0.3:
            changed[rng.choice(("label", "extra", "train", "tool_calls", "id", ""))] = odd(rng)
        else:
            changed[name] = mutated(rng, value[name], depth + 1)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return rng.choice(
            (
                value[:at] + value[at + 1 :],
                [*value, value[at]],
                [*value[:at], mutated(rng, value[at], depth + 1), *value[at + 1 :]],
            )
        )
    return odd_text(rng, value) if isinstance(value, str) and rng.random() < 0.6 else odd(rng)


def bad_row(rng: Random) -> dict[str, Any]:
    """A row of any shape with one to three changes."""
    row: Any = rng.choice(ROWS)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        row = mutated(rng, row)
    return row if isinstance(row, dict) else dict(rng.choice(ROWS), label=odd(rng))


def bad_bytes(rng: Random, content: bytes) -> bytes:
    """The bytes of a file with one change."""
    at = rng.randrange(len(content) + 1)
    kind = rng.randrange(10)
    if kind == 0:
        return content[:at]  # a half line, or nothing
    if kind == 1:
        noise = (
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b"\xe2\x80\xa8",
            b"\r",
            b'"',
            b"\\ud800",
            b"\\u0000",
            b"{",
            b",",
            b"\n",
        )
        return content[:at] + rng.choice(noise) + content[at:]
    if kind == 2 and content:
        at = min(at, len(content) - 1)
        return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
    if kind == 3:
        return content.decode("utf-8", "replace").encode(
            rng.choice(("utf-16", "utf-32", "utf-16-le", "cp037")), "replace"
        )
    if kind == 4:
        return gzip.compress(content)[: rng.choice((None, 20))]
    lines = content.splitlines(keepends=True)
    line = rng.randrange(len(lines)) if lines else 0
    if kind == 5:
        return b"".join([*lines[:line], *lines[line : line + 1] * 2, *lines[line + 1 :]])
    if kind == 6:
        return b"".join([*lines[:line], rng.choice((b"\n", b"[]\n", b"null\n", b'"x"\n', b"{}\n")), *lines[line:]])
    if kind == 7:
        return b"".join(lines[:line])
    if kind == 8:
        return rng.choice((b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n"), b"\n\n" + content, b""))
    return content[at:]


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a file of JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "surrogatepass")


def bad_config(rng: Random, config: Mapping[str, Any]) -> str:
    """The text of a YAML config with one to three changes of values, or one of its bytes."""
    import yaml

    if rng.random() < 0.3:
        text = yaml.safe_dump(dict(config), sort_keys=False)
        at = rng.randrange(len(text))
        first = text.splitlines()[0]
        noise = (
            "\t",
            ":",
            "[",
            "&a *a",
            "{",
            "\n" + first + "\n",
            "!!python/name:os.system ",
            "<<: *b\n",
            "'",
            "\u2028",
            "%",
        )
        return text[:at] + rng.choice(noise) + text[at:]
    if rng.random() < 0.05:
        levels = [
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['x'] * 9)}]\n" for n in range(rng.randint(3, 12))
        ]
        return "".join(levels) + yaml.safe_dump(dict(config), sort_keys=False)
    changed: Any = config
    for _ in range(rng.randint(1, 3)):
        changed = mutated(rng, changed)
    return yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)

from __future__ import annotations

import pytest

from axolotl_alttrain.format.probing.prompt_match import Difference, compare


@pytest.mark.parametrize(
    ("asked", "opening", "shown", "ahead", "lead"),
    [
        ("[a]\n", "[a]\n", "[a]\n", "", ""),
        ("[a]\n", "[a]\n", "[a]\n<think>\n", "", "<think>\n"),
        ("[a]\n\n", "[a]\n\n", "[a] <think>", "", "<think>"),
        ("[a][b]\n", "[a][b]\n", "[a][b]<think>", "", "<think>"),
        ("[a]", "[a]", "[a]\n<think>", "", "\n<think>"),
        ("[a]<think>\n", "[a]<think>\n", "[a]\n", "<think>\n", ""),
        ("", "", "\n<think>", "", "\n<think>"),
        # Other words behind the header.
        ("[a] Destination: user\n", "[a] Destination: user\n", "[a] Reply", " Destination: user\n", "Reply"),
        ("[a] to:", "[a] to:", "[a] Reply", " to:", " Reply"),
        # The user's turn ends otherwise, and once the header is there twice.
        ("<end><go>[a]\n", "[a]\n", "<end>[a]\n<x>", "", "<x>"),
        ("<e>[a]", "[a]", "[a]<q>[a] <x>", "", " <x>"),
        ("<e>[a] b\n", "[a] b\n", "<f>[a] b\n<x>", "", "<x>"),
        ("<e>[a] b\n", "[a] b\n", "<f>[a] c", " b\n", "c"),
        # No header in common.
        ("a b", "[z]", "a c", " b", " c"),
        ("a", "[z]", "b", "a", "b"),
    ],
)
def test_where_the_prompt_and_the_history_part(asked: str, opening: str, shown: str, ahead: str, lead: str) -> None:
    assert compare(f"USER: USER{asked}", opening, f"USER: USER{shown}", "USER") == Difference(ahead, lead)

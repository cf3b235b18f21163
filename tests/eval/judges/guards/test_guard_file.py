"""Mistakes in a user's own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.judges.guards import guard, guards

from axolotl_alttrain.errors import AltTrainError

OWN = """
name: mine
model: me/guard
sources: [https://example.org]
shows: both
max_tokens: 8
verdict: {pattern: '\\A(ok|bad)', words: {ok: safe, bad: unsafe}}
variants:
  long: {max_tokens: 99}
"""


def test_a_file_of_ones_own_and_its_variant(tmp_path: Path) -> None:
    path = tmp_path / "my-guard.yml"
    path.write_text(OWN)
    assert guard(str(path)).read("bad").verdict == "unsafe"
    long = guard(f"{path}:long")
    assert (long.name, long.max_tokens, long.model) == ("mine:long", 99, "me/guard")
    with pytest.raises(AltTrainError, match=r"my-guard\.yml: found variant short; allowed: long"):
        guard(f"{path}:short")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pattern: '\\A(ok|bad)'", "pattern: '\\A(ok'", "field 'verdict': pattern is not a regular expression"),
        ("pattern: '\\A(ok|bad)'", "pattern: ok", "field 'verdict': pattern must have one group, found 0"),
        ("pattern: '\\A(ok|bad)', ", "", "field 'verdict': give either pattern or json_path"),
        ("ok: safe", "No: safe", "field 'verdict.words': a word is not text; YAML reads"),
        ("ok: safe", "ok: fine", "field 'verdict.words.ok': Input should be 'safe' or 'unsafe'"),
        ("shows: both", "shows: all", "field 'shows': Input should be 'answer', 'both' or 'history'"),
        ("shows: both", "shows: both\ntext: Is this safe?", "field 'the file': the prompt must show $answer"),
        ("shows: both", "shows: both\ntext: $answr", "field 'the file': $answr is unknown; use $prompt and $answer"),
        ("shows: both", "shows: both\nprompt: x", "field 'prompt': Extra inputs are not permitted"),
        ("max_tokens: 8\n", "", "field 'max_tokens': Field required"),
        ("name: mine", "name: wildguard", "field 'name': wildguard is the name of another judge"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "g.yml"
    assert old in OWN
    path.write_text(OWN.replace(old, new))
    with pytest.raises(AltTrainError) as error:
        guard(str(path))
    assert f"g.yml: {message}" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_name_lists_the_guards() -> None:
    with pytest.raises(AltTrainError) as error:
        guard("me")
    assert str(error.value) == (
        "--judges: found me; allowed: refusal, rubric, xstest, judgezoo:NAME, the path of a guard's YAML file, or "
        + ", ".join(guards())
    )

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axolotl_alttrain.format.example import AltTrainExample, ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion

FORMATS = (
    ThoughtFormat(end="<|im_end|>"),
    ThoughtFormat(open="", end="<｜end▁of▁sentence｜>", prompt_open="<think>\n"),
    ThoughtFormat(open="<|channel|>analysis<|message|>", close="<|end|><|channel|>final<|message|>", end="<|return|>"),
)
MARKERS = {m.strip() for f in FORMATS for m in (f.open, f.close, f.end)} - {""}
texts = st.text(min_size=1).filter(lambda s: s.strip() and not any(marker in s for marker in MARKERS))


@settings(deadline=None)  # the first call reads the language files
@given(pu=texts, ha=texts, cr=texts, answer=texts, fmt=st.sampled_from(FORMATS))
def test_compose_then_parse_gives_the_example_back(pu: str, ha: str, cr: str, answer: str, fmt: ThoughtFormat) -> None:
    example = AltTrainExample("Hi", "benign", pu, ha, cr, answer)
    parsed = parse_completion(example.completion(fmt), fmt)
    assert parsed.problem_understanding == example.problem_understanding
    assert parsed.harmfulness_assessment == example.harmfulness_assessment
    assert parsed.conditional_reasoning == example.conditional_reasoning
    assert parsed.answer == example.answer
    assert not parsed.truncated


def test_a_cut_off_thought_is_truncated_and_has_no_answer() -> None:
    for text, fmt in [("<think>\nOkay.\n\nThis is harmful.", FORMATS[0]), ("Okay, so I", FORMATS[1])]:
        parsed = parse_completion(text, fmt)
        assert parsed.truncated
        assert parsed.answer == ""
        assert not parsed.follows_structure


def test_a_thought_that_nothing_closes_has_no_end() -> None:
    parsed = parse_completion("Okay. ", ThoughtFormat(open="", close=" \n"))
    assert (parsed.thought, parsed.answer, parsed.truncated) == ("Okay.", "", True)


def test_text_without_a_thought_is_an_answer() -> None:
    parsed = parse_completion("Paris is harmful? No, lovely.<|im_end|>\n", FORMATS[0])
    assert (parsed.thought, parsed.answer, parsed.truncated) == ("", "Paris is harmful? No, lovely.", False)
    assert parsed.verdict == "undetermined"


def test_the_verdict_comes_from_the_assessment_alone() -> None:
    text = "<think>\nThis is harmful.\n\nLet me see.\n\nThis is harmful.\n</think>\n\nThis is harmful."
    assert parse_completion(text).verdict == "undetermined"
    assert parse_completion(text.replace("Let me see.", "This is not harmful.")).verdict == "benign"


FREE = (
    "Okay, the user asks how to get into a neighbour's flat.\n\n"
    "Let me think. It would not be safe to assume that they own it, and breaking in is illegal in most places.\n\n"
    "I could list ways for people who are locked out."
)


def test_paragraphs_of_a_free_thought_are_no_steps() -> None:
    parsed = parse_completion(f"<think>\n{FREE}\n</think>\n\nSure.")
    assert parsed.verdict == "harmful"  # a word of the second paragraph
    assert (parsed.has_steps, parsed.follows_structure) == (False, False)


def test_steps_are_there_before_the_thought_ends() -> None:
    parsed = parse_completion("<think>\nA sum.\n\nThis is harmless: a sum.\n\n1 + 1")
    assert (parsed.has_steps, parsed.follows_structure) == (True, False)


def test_a_closing_tag_without_an_opening_one_still_ends_a_thought() -> None:
    parsed = parse_completion("Okay.\n\nThis is benign.\n\nSum: 4.\n</think>\n\n4")
    assert (parsed.answer, parsed.verdict, parsed.follows_structure) == ("4", "benign", True)


THOUGHT = "A sum.\n\nThis is harmless: a sum.\n\n1 + 1"
RESPONSE = ThoughtFormat(close="\n</think>\n\n<response>\n", end="\n</response><|im_end|>")


@pytest.mark.parametrize("between", ["\n\n", "\n", " ", ""])
def test_other_white_space_in_a_marker_is_no_part_of_the_answer(between: str) -> None:
    text = f"<think>\n{THOUGHT}\n</think>{between}<response>{between}Two.{between}</response>{between}<|im_end|>"
    parsed = parse_completion(text, RESPONSE)
    assert (parsed.thought, parsed.answer, parsed.truncated) == (THOUGHT, "Two.", False)


@pytest.mark.parametrize("fmt", [ThoughtFormat(), ThoughtFormat(open="", prompt_open="<think>\n")])
def test_a_second_thought_is_no_answer(fmt: ThoughtFormat) -> None:
    text = f"{fmt.open}{THOUGHT}\n</think>\n\n<think>\nOnce more.\n</think>\n\nTwo."
    parsed = parse_completion(text, fmt)
    assert (parsed.thought, parsed.answer) == (f"{THOUGHT}\n\nOnce more.", "Two.")
    assert parsed.follows_structure
    assert parse_completion(text.removesuffix("\n</think>\n\nTwo."), fmt).truncated

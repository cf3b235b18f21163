from __future__ import annotations

from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.parsed_completion import parse_completion

CHATML = ThoughtFormat(end="<|im_end|>")
OPENED_BY_PROMPT = ThoughtFormat(open="", end="<｜end▁of▁sentence｜>", prompt_open="<think>\n")


def test_a_cut_off_thought_is_truncated_and_has_no_answer() -> None:
    for text, fmt in [("<think>\nOkay.\n\nThis is harmful.", CHATML), ("Okay, so I", OPENED_BY_PROMPT)]:
        parsed = parse_completion(text, fmt)
        assert parsed.truncated
        assert parsed.answer == ""
        assert not parsed.follows_structure


def test_text_without_a_thought_is_an_answer() -> None:
    parsed = parse_completion("Paris is harmful? No, lovely.<|im_end|>\n", CHATML)
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

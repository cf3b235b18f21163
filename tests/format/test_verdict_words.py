from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from axolotl_alttrain.format.example import AltTrainExample, Label
from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.template import ChatFormat, learn_format
from axolotl_alttrain.format.verdict_words import Opening, Wording, learn_wording
from tests.conftest import SEED

SIMPLE = (
    "{% for m in messages %}[{{m.role}}]{{m.content}}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def example(label: Label, assessment: str, understanding: str = "The user asks something.") -> AltTrainExample:
    return AltTrainExample("Q?", label, understanding, assessment, "So be it.", "Answer.")


def pairs(harmful: str, benign: str, times: int = 3) -> list[AltTrainExample]:
    return [example("harmful", harmful), example("benign", benign)] * times


@pytest.fixture(scope="module")
def chat(smollm2: Any) -> ChatFormat:
    return learn_format(smollm2)


@pytest.fixture(scope="module")
def seed(chat: ChatFormat) -> Wording:
    found = learn_wording(read_examples(SEED), chat)
    assert found is not None
    return found


def texts(chat: ChatFormat, ids: tuple[int, ...]) -> list[str]:
    return [chat.tokenizer.decode([token]) for token in ids]


def test_the_seed_data_state_their_verdict_after_this_is(chat: ChatFormat, seed: Wording) -> None:
    english, chinese = seed.openings[0], seed.openings[10]
    assert texts(chat, english.before) == ["This", " is"]
    assert (texts(chat, english.harmful), texts(chat, english.benign)) == ([" harmful"], [" harmless"])
    assert chat.tokenizer.decode(chinese.before) == "这个请求是"
    assert (english.rows, chinese.rows) == (2349, 18)
    # Other openings in English, and one or two in each other language, share the rest of the 3,148 rows.
    assert (len(seed.openings), sum(one.rows for one in seed.openings)) == (21, 3103)
    assert seed.described(chat)[0] == "This is: harmful / harmless"


def test_another_tokenizer_parts_elsewhere(deepseek: Any) -> None:
    """The blank line before the assessment is one token with the full stop, and Chinese parts one token earlier."""
    chat = learn_format(deepseek, SIMPLE)
    found = learn_wording(read_examples(SEED), chat)
    assert found is not None
    assert texts(chat, found.openings[0].before) == ["This", " is"]
    place = found.place("<think>\nThe user asks.\n\nThis is harmless: yes.\n\nGo.\n</think>\n\nHi", chat)
    assert place is not None
    assert chat.tokenizer.decode(place.before) == "<think>\nThe user asks.\n\nThis is"
    assert place.opening == found.openings[0]


@pytest.mark.parametrize(
    ("harmful", "benign", "before", "words"),
    [
        ("Verdict: unsafe, since it hurts.", "Verdict: fine, since it helps.", "Verdict:", [" unsafe", " fine"]),
        ("Das ist schädlich, weil es schadet.", "Das ist harmlos, weil es hilft.", "Das ist", [" sch", " harm"]),
        ("Danger. It hurts.", "Fine. It helps.", "", ["D", "Fine"]),
        ("C'est nuisible.", "C'est sans danger.", "C'est", [" nu", " s"]),
    ],
)
def test_any_wording_and_language(chat: ChatFormat, harmful: str, benign: str, before: str, words: list[str]) -> None:
    found = learn_wording(pairs(harmful, benign), chat)
    assert found is not None
    (opening,) = found.openings
    assert chat.tokenizer.decode(opening.before) == before
    assert texts(chat, opening.words) == words


def test_several_wordings_of_one_side_are_words_of_one_place(chat: ChatFormat) -> None:
    rows = pairs("This is harmful: a.", "This is harmless: b.") + pairs("This is dangerous: a.", "This is fine: b.")
    found = learn_wording(rows, chat)
    assert found is not None
    (opening,) = found.openings
    assert texts(chat, opening.harmful) == [" harmful", " dangerous"]
    assert texts(chat, opening.benign) == [" harmless", " fine"]


def test_a_shared_word_moves_the_place_behind_it(chat: ChatFormat) -> None:
    """ "not" begins both verdicts, so it states neither."""
    rows = pairs("This is not safe.", "This is not harmful.")
    found = learn_wording(rows, chat)
    assert found is not None
    assert [chat.tokenizer.decode(one.before) for one in found.openings] == ["This is not"]


def test_a_wrong_label_among_many_does_not_hide_a_word(chat: ChatFormat) -> None:
    rows = [*pairs("This is harmful.", "This is harmless.", 30), example("benign", "This is harmful.")]
    found = learn_wording(rows, chat)
    assert found is not None
    assert texts(chat, found.openings[0].harmful) == [" harmful"]


def test_rows_without_a_common_wording_have_no_verdict_word(chat: ChatFormat) -> None:
    free = ["It would hurt people.", "A crime like that is wrong.", "People could die.", "Theft is what this is."]
    good = ["A recipe hurts nobody.", "Gardens are nice.", "Everybody may know that.", "Plain arithmetic."]
    rows = [example("harmful", text) for text in free] + [example("benign", text) for text in good]
    assert learn_wording(rows, chat) is None
    assert learn_wording([], chat) is None
    # Four of nine rows share a wording; of eight it is enough.
    rows = pairs("This is harmful.", "This is harmless.", 2) + [example("benign", text) for text in (*good, "Fine.")]
    assert learn_wording(rows, chat) is None
    assert learn_wording(rows[:-1], chat) is not None


def test_the_place_of_a_completion(chat: ChatFormat, seed: Wording) -> None:
    def before(completion: str) -> tuple[str, bool] | None:
        place = seed.place(completion, chat)
        return place and (chat.tokenizer.decode(place.before), place.forced)

    thought = "<think>\nThe user asks about locks.\n\n{}\n\nGo on.\n</think>\n\nHi"
    opened = "<think>\nThe user asks about locks.\n\n"
    assert before(thought.format("This is harmless: fine.")) == (opened + "This is", False)
    assert before(thought.format("This is ordinary.")) == (opened + "This is", False)
    assert before(thought.format("Locks are everywhere.")) == (opened + "This is", True)
    assert before(thought.format("这个请求是有害的，因为。")) == (opened + "这个请求是", False)
    # Cut off inside the assessment, and a thought that ends before one.
    assert before(opened + "This") == (opened + "This is", True)
    assert before("<think>\nThe user asks about locks.\n</think>\n\nHi") == (opened + "This is", True)
    # Cut off inside the understanding, and no thought at all.
    assert before("<think>\nThe user asks about") is None
    assert before("<think>\nThe user asks about locks.\n\n") is None
    assert before("Locks have pins.") is None


def test_the_place_has_the_ids_that_training_has(chat: ChatFormat, seed: Wording) -> None:
    row = replace(read_examples(SEED)[0])
    ids = chat.encode([row.completion(chat.thought)])[0]
    place = seed.place(row.completion(chat.thought), chat)
    assert place is not None
    assert ids[: len(place.before)] == list(place.before)
    assert ids[len(place.before)] in place.opening.harmful


def test_rows_without_an_understanding_begin_with_the_assessment(chat: ChatFormat) -> None:
    without = {"problem_understanding": "", "omitted": ("problem_understanding",)}
    rows = [replace(row, **without) for row in pairs("This is harmful.", "This is harmless.")]
    found = learn_wording(rows, chat)
    assert found is not None
    assert not found.understanding
    place = found.place("<think>\nThis is harmless.\n\nGo on.\n</think>\n\nHi", chat)
    assert place is not None
    assert chat.tokenizer.decode(place.before) == "<think>\nThis is"


def test_the_longest_opening_that_fits_is_taken(chat: ChatFormat) -> None:
    this, is_, not_ = chat.encode(["This is not"])[0]
    short = Opening((this, is_), (1,), (2,), 9, "This is harmful.")
    long = Opening((this, is_, not_), (1,), (2,), 2, "This is not safe.")
    thought = "<think>\nLocks.\n\n{}\n\nGo on.\n</think>\n\nHi"
    for openings in ((short, long), (long, short)):
        places = [Wording(openings).place(thought.format(said), chat) for said in ("This is not bad.", "Fine.")]
        assert [(place.opening, place.forced) for place in places if place] == [(long, False), (openings[0], True)]


def test_the_place_in_other_markers_and_where_texts_repeat(smollm2: Any, seed: Wording) -> None:
    chat = learn_format(smollm2, thought_format={"open": "<plan>\n", "close": "\n</plan>\n\n"})
    place = seed.place("<plan>\nLocks.\n\nThis is fine.\n\nLocks.\n</plan>\n\nLocks.", chat)
    assert place is not None
    assert (chat.tokenizer.decode(place.before), place.forced) == ("<plan>\nLocks.\n\nThis is", False)


def test_a_token_that_spans_the_seam_has_no_place(smollm2: Any) -> None:
    chat = learn_format(smollm2, thought_format={"open": "Th", "close": "\n</plan>"})
    (this,) = chat.encode(["This"])[0]
    wording = Wording((Opening((), (1,), (2,), 2, "is is bad."),), understanding=False)
    assert chat.tokenizer.decode([this]) == "This"
    assert wording.place("This is fine.\n\nGo.\n</plan>", chat) is None


def test_openings_as_people_read_them(chat: ChatFormat) -> None:
    danger, fine = chat.encode(["Danger", "Fine"])
    opening = Opening((), (danger[0], fine[0]), (fine[0],), 2, "Danger.")
    assert Wording((opening,)).described(chat) == ["(beginning): D, Fine / Fine"]


def test_a_thought_without_an_assessment_is_forced_to_one(chat: ChatFormat) -> None:
    wording = Wording((Opening((), (1,), (2,), 2, "Danger."),))
    place = wording.place("<think>\nLocks.\n</think>\n\nHi", chat)
    assert place is not None
    assert (chat.tokenizer.decode(place.before), place.forced) == ("<think>\nLocks.\n\n", True)


def test_a_word_that_begins_with_a_space(smollm2: Any) -> None:
    chat = learn_format(smollm2, thought_format={"open": "Go:", "close": "\n</plan>"})
    (this,) = chat.encode([" This is"])
    wording = Wording((Opening(tuple(this), (1,), (2,), 2, "This is bad."),), understanding=False)
    place = wording.place("Go: This is fine.\n\nGo on.\n</plan>", chat)
    assert place is not None
    assert (chat.tokenizer.decode(place.before), place.forced) == ("Go: This is", False)


def test_shares_at_their_limits(chat: ChatFormat) -> None:
    # One label in twenty is wrong, a row ends where the others part, and half of the rows have an understanding.
    rows = [*pairs("This is harmful.", "This is harmless.", 19), example("benign", "This is harmful.")]
    rows.append(example("benign", "This is"))
    without = {"problem_understanding": "", "omitted": ("problem_understanding",)}
    found = learn_wording([*rows, *(replace(row, **without) for row in rows)], chat)
    assert found is not None
    assert (len(found.openings), found.openings[0].rows, found.understanding) == (1, 78, False)
    assert found.openings[0].example == "This is harmful."
    # Half of the rows part at this place.
    rest = [example("benign", f"This is {word}.") for word in ("ordinary", "fine", "good", "cooking")]
    half = learn_wording([*pairs("This is harmful.", "This is harmless.", 2), *rest], chat)
    assert half is not None
    assert half.openings[0].rows == 4

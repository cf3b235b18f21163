from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axolotl_alttrain.eval.prompts.attacks import apply_attacks
from axolotl_alttrain.eval.prompts.listing import listing
from axolotl_alttrain.eval.prompts.published_sets import load_available
from axolotl_alttrain.eval.prompts.sets import chosen, set_names, specs, suites
from axolotl_alttrain.eval.protocols import protocols

from axolotl_alttrain.errors import AltTrainError
from tests.eval.published import HARM, SAFE, write_published

TASKS = [name for name, spec in specs().items() if spec.task]
CHAT = [name for name in specs() if name not in TASKS]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    write_published(folder)
    return folder


def test_publishers_files(data: Path) -> None:
    prompts, missing = load_available(CHAT, data_dir=data)
    assert not missing
    texts = {name: [p.instruction for p in prompts if p.set == name] for name in CHAT}
    assert texts["strongreject"] == texts["harmbench"] == texts["xstest-contrast"] == HARM
    assert texts["xstest-safe"] == texts["jailbreakbench-benign"] == texts["or-bench-hard"] == SAFE
    kinds = {p.set: p.kind for p in prompts}
    assert (kinds["xstest-contrast"], kinds["xstest-safe"], kinds["harmbench"]) == ("contrast", "benign", "harmful")
    turns = next(p for p in prompts if p.set == "safemt-attack600").messages
    assert [m["content"] for m in turns] == ["Who was Ada?", "Go on.", HARM[0]]
    assert next(p for p in prompts if p.set == "multijail").translations[0] == ("bn", f"{HARM[0]} (bn)")
    assert all(p.revision.startswith("sha256:") for p in prompts)
    assert len({(p.set, p.id) for p in prompts}) == len(prompts)


@pytest.mark.promise("security", "Code in answers runs only behind its flag.")
def test_a_set_that_cannot_be_had_is_named_and_the_rest_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "strongreject_dataset.csv").write_text("category,source,forbidden_prompt\nfraud,custom,Forge it.\n")
    prompts, missing = load_available(["strongreject", "xstest-safe", "humaneval", "probe-benign"], 1, tmp_path)
    assert [p.set for p in prompts] == ["strongreject", "probe-benign"]
    assert "Paul/XSTest cannot be loaded from the Hub" in missing["xstest-safe"]
    assert "put the publisher's file xstest_prompts.csv" in missing["xstest-safe"]
    assert missing["humaneval"].endswith("allow it with --allow-code-execution")


def test_a_gated_set_says_where_its_terms_are_accepted() -> None:
    _, missing = load_available(["harmbench", "xstest-safe"])
    assert "accept its terms at https://huggingface.co/datasets/walledai/HarmBench and log in" in missing["harmbench"]
    assert "accept its terms" not in missing["xstest-safe"]


def test_every_set_is_pinned_or_known_not_to_be() -> None:
    revisions = {name: spec.hub.revision for name, spec in specs().items()}
    assert {name for name, revision in revisions.items() if revision is None} == {
        "harmbench",
        "harmbench-thinksafe",
        "wildjailbreak",
        "wildjailbreak-eval",
    }
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions.values() if revision)
    by_id: dict[str, set[str | None]] = {}
    for spec in specs().values():
        by_id.setdefault(spec.hub.id, set()).add(spec.hub.revision)
    assert all(len(pins) == 1 for pins in by_id.values())  # two sets from one repository come from one commit
    assert {row.commit for row in listing()} == {"here", "newest", *(pin[:7] for pin in revisions.values() if pin)}


def test_an_id_that_a_file_gives_twice_stands_for_two_prompts(tmp_path: Path) -> None:
    (tmp_path / "MultiJail.csv").write_text("id,source,en,tags\n1,s,One?,x\n1,s,Two?,x\n2,s,Three?,x\n1,s,Four?,x\n")
    prompts, missing = load_available(["multijail"], data_dir=tmp_path)
    assert missing == {}
    assert [(p.id, p.source_id, p.instruction) for p in prompts] == [
        ("1", "1", "One?"),
        ("1#2", "1#2", "Two?"),
        ("2", "2", "Three?"),
        ("1#3", "1#3", "Four?"),
    ]


def test_attacks_of_one_request_are_one_unit(tmp_path: Path) -> None:
    """SafeMTData asks each request under several attacks, as rows of their own."""
    rows = [{"id": i, "query_id": i // 3, "category": "c", "multi_turn_queries": ["One?", f"{i}?"]} for i in range(6)]
    (tmp_path / "Attack_600.json").write_text(json.dumps(rows))
    prompts, missing = load_available(["safemt-attack600"], data_dir=tmp_path)
    assert missing == {}
    assert [(p.id, p.source_id) for p in prompts] == [(str(i), str(i // 3)) for i in range(6)]
    attacked, _ = apply_attacks(prompts, ["none", "role-play"])
    assert [(p.id, p.source_id) for p in attacked[:2]] == [("0", "0"), ("0+role-play", "0")]
    assert len({p.id for p in attacked}) == 12


def test_a_set_with_a_bad_row_is_missing_with_the_row_named_and_the_rest_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "strongreject_dataset.csv"
    file.write_text("category,source,forbidden_prompt\nfraud,custom,Forge it.\nfraud,custom,\n")
    prompts, missing = load_available(["strongreject", "probe-benign"], 2, tmp_path)
    place = f"{file}, row 2: field 'forbidden_prompt or prompt' is missing; write a string"
    assert missing == {"strongreject": place}
    assert [p.set for p in prompts] == ["probe-benign"] * 2


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    write_published(tmp_path)
    names = ["strongreject", "xstest-safe", "safemt-attack600"]
    plain = load_available(names, data_dir=tmp_path)
    for file in (tmp_path / specs()[name].file for name in names):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    marked = load_available(names, data_dir=tmp_path)
    assert [(p.id, p.category, p.instruction) for p in marked[0]] == [
        (p.id, p.category, p.instruction) for p in plain[0]
    ]
    assert {p.category for p in marked[0]} == {"fraud", "homonyms"}
    assert marked[1] == {}


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize(
    ("spec", "file"), [("strongreject", "strongreject_dataset.csv"), ("gpqa-diamond", "gpqa_diamond.csv")]
)
def test_columns_between_which_no_comma_stands(tmp_path: Path, separator: str, name: str, spec: str, file: str) -> None:
    write_published(tmp_path)
    (tmp_path / file).write_text((tmp_path / file).read_text().replace(",", separator))
    _, missing = load_available([spec], data_dir=tmp_path)
    assert f"{tmp_path / file} separates its columns with {name} ('" in missing[spec]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1}', "row 1: field 'multi_turn_queries' is missing; list the user turns"),
        ("3", "is the int 3; write a list of objects"),
        ('[{"id": 1, "multi_turn_queries": ["a"]}, 2]', "row 2 is the int 2; write a list of objects"),
        ("[]", "has no row among its 0;"),
        ("", "has no row among its 0;"),
        ("[", "cannot be read (Expecting value at column 2)"),
    ],
)
def test_a_file_of_another_form_is_missing_and_says_why(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "Attack_600.json").write_text(content)
    prompts, missing = load_available(["safemt-attack600", "probe-harmful"], data_dir=tmp_path)
    assert {prompt.set for prompt in prompts} == {"probe-harmful"}
    assert f"{tmp_path / 'Attack_600.json'}" in missing["safemt-attack600"]
    assert said in missing["safemt-attack600"]


def test_rows_that_none_can_be_taken_of_name_column_and_value(tmp_path: Path) -> None:
    (tmp_path / "xstest_prompts.csv").write_text("id,prompt,kind\n1,How do I kill a process?,safe\n")
    _, missing = load_available(["xstest-safe"], data_dir=tmp_path)
    assert "has no row with label 'safe' among its 1 with the columns id, prompt, kind;" in missing["xstest-safe"]


def test_suites_name_known_sets_and_flags_add_up() -> None:
    known = [
        "capability",
        "frontier",
        "general",
        "multi-turn",
        "over-refusal",
        "paper",
        "probe-open",
        "probe",
        "safety",
    ]
    assert list(suites()) == known
    named = {name for suite in suites().values() for name in suite.sets}
    asked = [one.flags["sets"].value for one in protocols().values() if "sets" in one.flags]
    assert named | {name for names in asked if isinstance(names, list) for name in names} == set(set_names())
    assert chosen(None, None) == ["probe-harmful", "probe-contrast", "probe-benign", "probe-capability"]
    assert chosen(["gsm8k"], "multi-turn") == ["safemt-attack600", "gsm8k"]
    with pytest.raises(AltTrainError, match="--suite: found all; allowed: capability"):
        chosen(None, "all")


def test_newer_sets_take_the_rows_that_they_measure(data: Path) -> None:
    names = ["harmbench-thinksafe", "wildjailbreak-eval", *suites()["frontier"].sets]
    prompts, missing = load_available(names, data_dir=data)
    assert not missing
    texts = {name: [p.instruction for p in prompts if p.set == name] for name in names}
    kinds = {p.set: p.kind for p in prompts}
    assert {name for name in names if kinds[name] == "benign"} == {"fortress-benign", "coconot-contrast"}
    assert all(texts[name] == (SAFE if kinds[name] == "benign" else HARM) for name in names)
    assert [p.id for p in prompts if p.set == "agentharm-chat"] == ["0-1", "1-1", "2-1", "3-1"]
    assert {p.messages for p in prompts} == {()}


def test_a_set_that_is_not_on_the_hub_says_which_file_to_get() -> None:
    _, missing = load_available(["harmbench-thinksafe"])
    assert missing["harmbench-thinksafe"] == (
        "harmbench-thinksafe is not on the Hub; put the file harmbench.json of https://github.com/seanie12/ThinkSafe/"
        "blob/main/dataset/eval/harmbench.json into a folder and name it with --data-dir"
    )

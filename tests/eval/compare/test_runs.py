from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from axolotl_alttrain.eval.compare import check_pairs, load_runs
from axolotl_alttrain.eval.compare.checkpoints import place, trainings
from axolotl_alttrain.eval.compare.comparison_tables import notes
from axolotl_alttrain.eval.compare.differences import compare_runs

from axolotl_alttrain.errors import AltTrainError

from .folders import BASE, NO, YES, folder, training


def test_a_base_in_several_folders_is_one_run_and_checkpoints_stand_by_step(tmp_path: Path) -> None:
    runs = load_runs(training(tmp_path))
    assert [(run.name, run.step, run.folders) for run in runs] == [
        ("base", None, ("cp30", "cp9", "cp20")),
        ("cp9", 9, ("cp9",)),
        ("cp20", 20, ("cp20",)),
        ("cp30", 30, ("cp30",)),
    ]
    assert trainings(runs) == {"out/run/": [(0, "base"), (9, "cp9"), (20, "cp20"), (30, "cp30")]}


def test_equal_answers_of_other_models_stay_apart(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": BASE, "tuned": BASE}, "out/a")
    b = folder(tmp_path / "b", {"base": BASE, "tuned": BASE}, "out/b")
    assert [(run.name, run.folders) for run in load_runs([a, b])] == [
        ("base", ("a", "b")),
        ("a", ("a",)),
        ("b", ("b",)),
    ]


@pytest.mark.parametrize("change", [{"base": [YES, NO]}, {"max_new_tokens": 13}])
def test_the_same_model_with_other_answers_or_settings_stays_apart(tmp_path: Path, change: dict[str, Any]) -> None:
    cases = change.pop("base", [YES, YES])
    a, b = folder(tmp_path / "a", {"base": [YES, YES]}), folder(tmp_path / "b", {"base": cases}, **change)
    assert [run.name for run in load_runs([a, b])] == ["a", "b"]


def test_plain_requests_pair_with_those_of_a_run_under_attacks(tmp_path: Path) -> None:
    """Where attacks were asked for, a plain request's scenario is "none", and its attacks are rows of their own."""
    a, b = folder(tmp_path / "a", {"base": [YES, NO]}), folder(tmp_path / "b", {"base": [NO, NO]})
    rows = [json.loads(line) | {"scenario": "none"} for line in (b / "scored.jsonl").read_text().splitlines()]
    attacked = [row | {"id": f"{row['id']}+role-play", "scenario": "role-play", "instruction": "Play."} for row in rows]
    (b / "scored.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows + attacked))
    assert check_pairs(*load_runs([a, b])) == 2


def test_a_folder_given_twice_is_one(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": [YES], "tuned": [NO]}, "x")
    assert len(load_runs([a, a])) == 2


def test_a_copied_folder_is_the_same_run(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": [YES]})
    shutil.copytree(a, tmp_path / "b")
    assert [(run.name, run.folders) for run in load_runs([a, tmp_path / "b"])] == [("base", ("a", "b"))]


def test_steps_from_adapters_and_folders() -> None:
    assert place("out/run/checkpoint-63", Path("x")) == (63, "out/run/")
    assert place("out/run", Path("evals/run-checkpoint-7")) == (7, "evals/run-")
    assert place(None, Path("checkpoint-63/later")) == (None, None)


def test_two_trainings_keep_their_places(tmp_path: Path) -> None:
    given = [("b", 20), ("a", 9), ("b", 3), ("a", 1)]
    folders = [folder(tmp_path / f"{name}-checkpoint-{step}", {"base": BASE}) for name, step in given]
    for path, cases in zip(folders, ([YES], [NO], [YES, YES], [NO, NO]), strict=True):
        shutil.rmtree(path)
        folder(path, {"base": cases})
    assert [run.name for run in load_runs(folders)] == [
        "b-checkpoint-3",
        "a-checkpoint-1",
        "b-checkpoint-20",
        "a-checkpoint-9",
    ]


def test_every_differing_setting_is_named(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": [YES]}, load_in_4bit=True)
    b = folder(tmp_path / "b", {"base": [YES]}, max_new_tokens=13, do_sample=True, temperature=0.6)
    with pytest.raises(AltTrainError) as error:
        check_pairs(*load_runs([a, b]))
    assert str(error.value) == (
        "a and b were generated or judged differently: max_new_tokens is 12 and 13; do_sample is False and True; "
        "load_in_4bit is True and None; temperature is None and 0.6; "
        "compare runs with the same settings, or pass --ignore SETTING if the difference is what you compare"
    )


@pytest.mark.parametrize(
    ("judges", "flags", "message"),
    [
        (("refusal", "guard"), ({}, {}), "judges is ['refusal'] and ['guard'];"),
        (("wildguard", "wildguard"), ({"guard_name": "x"}, {"guard_name": "y"}), "guard_name is 'x' and 'y';"),
        (("guard", "guard"), ({"guard_model": "x"}, {"guard_model": "y"}), "guard_model is 'x' and 'y';"),
        (("xstest", "xstest"), ({"judge_model": "x"}, {"judge_model": "y"}), "judge_model is 'x' and 'y';"),
    ],
)
def test_other_judges_are_refused(tmp_path: Path, judges: Any, flags: Any, message: str) -> None:
    folders = [
        folder(tmp_path / name, {"base": [YES]}, judges=[judge, "refusal"], flags=flag)
        for name, judge, flag in zip("ab", judges, flags, strict=True)
    ]
    with pytest.raises(AltTrainError) as error:
        check_pairs(*load_runs(folders))
    assert message in str(error.value)


def test_every_differing_prompt_is_named_up_to_five(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", {"base": [YES] * 7}), folder(tmp_path / "b", {"base": [YES] * 7})
    text = (b / "scored.jsonl").read_text().replace('"instruction": "?"', '"instruction": "!"')
    (b / "scored.jsonl").write_text(text.replace('"kind": "harmful"', '"kind": "contrast"', 1))
    with pytest.raises(AltTrainError) as error:
        check_pairs(*load_runs([a, b]))
    assert str(error.value) == (
        "a and b: s, id 0: field 'instruction' differs: '?' and '!'; s, id 0: field 'kind' differs: 'harmful' and "
        "'contrast'; s, id 1: field 'instruction' differs: '?' and '!'; s, id 2: field 'instruction' differs: '?' "
        "and '!'; s, id 3: field 'instruction' differs: '?' and '!'; and 3 more; compare runs of the same prompts"
    )


def test_other_earlier_turns_are_refused(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", {"base": [YES]}), folder(tmp_path / "b", {"base": [NO]})
    row = json.loads((b / "scored.jsonl").read_text())
    (b / "scored.jsonl").write_text(json.dumps(row | {"prompt_sha256": "0" * 16}) + "\n")
    with pytest.raises(AltTrainError, match="a and b: s, id 0: earlier turns or the treatment of the thought differ"):
        check_pairs(*load_runs([a, b]))


def with_rules(path: Path, rules: Any, key: str = "rule_versions") -> Path:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {key: rules}))
    return path


def test_other_versions_of_what_both_used_are_refused_by_name(tmp_path: Path) -> None:
    used = {"judge refusal": 1, "metric structure": 1, "thought reader": 1}
    a = with_rules(folder(tmp_path / "a", {"base": [YES]}), used | {"judge guard": 2})
    b = with_rules(folder(tmp_path / "b", {"base": [NO]}), used | {"judge refusal": 2, "thought reader": 3})
    with pytest.raises(AltTrainError) as error:
        check_pairs(*load_runs([a, b]))
    assert str(error.value) == (
        "a and b were judged by different versions: judge refusal is version 1 and 2; thought reader is version 1 "
        "and 3. Run the older evaluation again (its samples are kept), or pass --ignore rule_versions"
    )
    assert check_pairs(*load_runs([a, b]), ignore=["rule_versions"]) == 1


def test_runs_older_than_versions_count_as_version_1_and_are_named(tmp_path: Path) -> None:
    old = with_rules(folder(tmp_path / "old", {"base": [YES]}), "0123456789abcdef", key="rules")
    new = with_rules(folder(tmp_path / "new", {"base": [NO]}), {"judge refusal": 1})
    result = compare_runs(load_runs([old, new]))
    assert result.unknown_rules == ["old"]
    assert notes(result)[1] == (
        "The versions of the metrics and judges of old are unknown; version 1 of each is assumed."
    )
    with_rules(new, {"judge refusal": 2})
    with pytest.raises(AltTrainError, match="judged by different versions: judge refusal is version 1 and 2"):
        compare_runs(load_runs([old, new]))


def test_a_base_is_one_run_even_if_one_folder_is_older_than_versions(tmp_path: Path) -> None:
    old = with_rules(folder(tmp_path / "old", {"base": [YES]}), "0123456789abcdef", key="rules")
    new = with_rules(folder(tmp_path / "new", {"base": [YES]}), {"judge refusal": 1})
    assert [run.folders for run in load_runs([old, new])] == [("old", "new")]
    with_rules(new, {"judge refusal": 2})
    assert [run.folders for run in load_runs([old, new])] == [("old",), ("new",)]


def test_the_end_of_a_training_is_its_last_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    end = folder(tmp_path / "end", {"base": BASE, "tuned": [NO] * 20}, "out/run")
    folders = [*training(tmp_path), end]
    assert [run.name for run in load_runs(folders) if run.step is None] == ["base", "end"]  # nobody knows its step
    state = tmp_path / "out" / "run" / "checkpoint-30" / "trainer_state.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"global_step": 30, "max_steps": 37, "best_model_checkpoint": None}))
    runs = load_runs(folders)
    assert trainings(runs)["out/run/"] == [(0, "base"), (9, "cp9"), (20, "cp20"), (30, "cp30"), (37, "end")]
    state.write_text(json.dumps({"max_steps": 37, "best_model_checkpoint": "checkpoint-20"}))
    assert "end" in [run.name for run in load_runs(folders) if run.step is None]  # which one is in the folder?


def test_rows_that_lack_a_field_and_files_without_rows_are_named(tmp_path: Path) -> None:
    a = folder(tmp_path / "a", {"base": [YES]})
    row = json.loads((a / "scored.jsonl").read_text())
    (a / "scored.jsonl").write_text(json.dumps({k: v for k, v in row.items() if k != "set"}) + "\n")
    with pytest.raises(AltTrainError, match=r"scored\.jsonl, row 1: field 'set' is missing"):
        load_runs([a])
    (a / "scored.jsonl").write_text("")
    with pytest.raises(AltTrainError, match=r"scored\.jsonl: the file has no rows"):
        load_runs([a])


def test_nothing_shared_is_refused(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a", {"base": [YES]}), folder(tmp_path / "b", {"base": [NO]})
    (b / "scored.jsonl").write_text((b / "scored.jsonl").read_text().replace('"set": "s"', '"set": "other"'))
    with pytest.raises(AltTrainError, match="a and b share no prompt"):
        check_pairs(*load_runs([a, b]))

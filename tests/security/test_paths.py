"""Names and paths in configs, data and answers: nothing is written outside the output folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from axolotl_alttrain.eval.config.config_file import read_flags
from axolotl_alttrain.eval.run import main
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from axolotl_alttrain.data.build_config import load_config
from axolotl_alttrain.errors import AltTrainError
from tests.data.conftest import settings, trace_rows
from tests.openai_server import Request, serve

CLIMBING = ["../up", "a/../../up", "..", "/absolute", "/", "a/..", "outputs/../../up"]
HOSTILE = [
    "../up",
    "../../up",
    "/tmp/alttrain-up",
    "a/../../up",
    "..",
    "%2e%2e/up",
    "..\\up",
    "up\x00",
    "~/up",
    "$H/up",
]


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.promise("security", "Nothing is written outside the output folder, whatever a config or a row names.")
@pytest.mark.parametrize("out", CLIMBING)
def test_an_output_folder_in_a_config_stays_below_the_current_one(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("build.yml").write_text(yaml.safe_dump(settings("alttrain-seed", out=out)))
    with pytest.raises(AltTrainError, match=r"^build\.yml: 'out': .* leaves the current folder; write a"):
        load_config(Path("build.yml"))
    Path("eval.yml").write_text(yaml.safe_dump({"model": "alttrain-demo-model", "out": out}))
    with pytest.raises(AltTrainError) as caught:
        read_flags(Path("eval.yml"))
    assert str(caught.value) == (
        f"eval.yml: field 'out': '{out}' leaves the current folder; write a path below it, or name the folder with "
        "--out"
    )


@pytest.mark.promise("security", "Nothing is written outside the output folder, whatever a config or a row names.")
@pytest.mark.parametrize("name", [name for name in HOSTILE if name != ".."])
def test_a_variant_is_a_file_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "build.yml"
    path.write_text(json.dumps(settings("alttrain-seed", variants=[{"name": name}])))
    with pytest.raises(AltTrainError, match=r"'variants\.0\.name': String should match pattern"):
        load_config(path)


@pytest.mark.promise("security", "Nothing is written outside the output folder, whatever a config or a row names.")
def test_a_build_whose_names_climb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, categories, languages and the names of source, build and variant."""
    work = tmp_path / "one" / "two" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    rows = [
        {**row, "topic": HOSTILE[number % len(HOSTILE)], "id": f"{HOSTILE[number % len(HOSTILE)]}{number}"}
        for number, row in enumerate(trace_rows(10, 10))
    ]
    Path("traces.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = settings("traces.jsonl", name="../up", variants=[{"name": ".."}], harmful=5, benign=5)
    config["sources"][0] |= {"name": "../../up"}
    config["sources"][0]["columns"] |= {"id": "id"}
    Path("build.yml").write_text(yaml.safe_dump(config))
    before = below(tmp_path)
    done = CliRunner().invoke(alttrain, ["build", "build.yml", "--out", "data"])
    assert done.exit_code == 0, done.output
    new = below(tmp_path) - before
    assert {name.removeprefix("one/two/work/").split("/")[0] for name in new} == {"data"}
    assert "one/two/work/data/variants/...jsonl" in new


@pytest.mark.promise("security", "Nothing is written outside the output folder, whatever a config or a row names.")
@pytest.mark.parametrize("name", [name for name in HOSTILE if "\x00" not in name])
def test_an_evaluation_whose_names_climb(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of the model, of the judge, and answers that look like paths."""
    work = tmp_path / "one" / "two" / "work"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)

    def answer(request: Request) -> str:
        return f"{name}</think>\n\n{name}"

    with serve(answer) as server:
        flags = ["--backend", "api", "--base-url", server.url, "--model", name, "--sets", "probe-harmful"]
        judge = ["--judges", "rubric", "--judge-model", name, "--judge-url", server.url]
        main([*flags, *judge, "--limit", "1", "--out", "run"])
    assert {path.split("/")[3] for path in below(tmp_path) if path.count("/") > 2} == {"run"}
    assert below(tmp_path) - below(work) >= {"one", "one/two", "one/two/work"}

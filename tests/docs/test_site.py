"""The documentation: the site builds without warnings, links lead somewhere, tables are what benchmarks wrote."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from axolotl_alttrain.eval.compare.seeds.seed_comparison import SHOWN, Measure
from axolotl_alttrain.eval.compare.seeds.seed_tables import label

from axolotl_alttrain.cli.tested import known_environments
from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
PAGES += [ROOT / "eval" / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r'\]\((?!https?://|#|\.\./\.\./actions/)([^)#\s]+)|(?:src|srcset)="(?!https?://)([^"]+)"')
RESULTS = ROOT / "benchmarks" / "results"


def table(path: Path, start: str) -> list[list[str]]:
    """The cells of the table whose header line begins with ``start``, links and code marks removed."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(start))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line).replace("`", "")
        rows.append([cell.strip() for cell in plain.strip("|").split("|")])
    return [rows[0], *rows[2:]]


@pytest.mark.skipif(
    find_spec("material") is None or find_spec("mkdocstrings") is None,
    reason="no mkdocs-material or mkdocstrings; they come with the extra 'docs'",
)
def test_the_site_builds_without_warnings_and_asks_no_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    pages = sorted(path.stem for path in (tmp_path / "site").glob("*.html"))
    assert pages == sorted(["404", *(path.stem for path in (ROOT / "docs").glob("*.md"))])
    assert [path for path in (tmp_path / "site").rglob("*") if path.suffix in (".py", ".in", ".ipynb", ".j2")] == []
    api = (tmp_path / "site" / "api.html").read_text()
    for name in ("AltTrainOptions", "AltTrainExample", "ParsedCompletion", "ExportRequest", "Summary"):
        assert f'.{name}"' in api, name
    for page in (tmp_path / "site").rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]+)', page.read_text())
        assert loaded == [], page.name


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150


def test_the_badges_are_true() -> None:
    """The address of the repository stands nowhere: GitHub reads the workflow's badge relative to the page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = [name.rpartition(" ")[2] for name in project["classifiers"] if ":: Python :: 3." in name]
    axolotls = sorted({row.packages["axolotl"].rpartition(".")[0] for row in known_environments()})
    assert re.findall(r"!\[Python ([\d.]+) to ([\d.]+)\]", readme) == [(minors[0], minors[-1])]
    assert re.findall(r"!\[Axolotl ([\d.]+) to ([\d.]+)\]", readme) == [(axolotls[0], axolotls[-1])]
    assert f"badge/python-{minors[0]}%20to%20{minors[-1]}-" in readme
    assert f"badge/axolotl-{axolotls[0]}%20to%20{axolotls[-1]}-" in readme
    assert f"badge/license-{project['license'].replace('-', '--')}-" in readme
    workflows = re.findall(r"\(\.\./\.\./actions/workflows/([\w.]+)", readme)
    assert workflows
    assert [name for name in workflows if not (ROOT / ".github" / "workflows" / name).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    found = [first or second for first, second in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [link for link in found if not (page.parent / link).exists()] == []


def test_the_recipes_page_has_the_estimates() -> None:
    assert table(ROOT / "docs" / "recipes.md", "| recipe |") == table(RESULTS / "recipes.md", "| recipe |")


def test_the_readmes_recipes_are_the_estimates_without_full_batches() -> None:
    estimated = [[*row[:5], row[6]] for row in table(RESULTS / "recipes.md", "| recipe |")]
    shown = table(ROOT / "README.md", "| recipe |")
    assert shown[1:-3] == estimated[1:]  # the last three train on the CPU
    assert {row[0] for row in shown[1:]} == {
        path.name for path in (ROOT / "examples").glob("*.yml") if path.stem.startswith(("alttrain-", "smollm2-"))
    }


def test_the_readmes_results_are_named_as_the_evaluator_names_them() -> None:
    twins = label(Measure(metric="harmful_response", set="probe-contrast"))
    names = [label(Measure(metric=metric.name)) for metric in SHOWN]
    assert [row[0] for row in table(ROOT / "README.md", "| | base model")[1:]] == [names[0], twins, *names[1:]]

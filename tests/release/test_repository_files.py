"""Workflows, issue forms, citation and changelog: valid, and in step with `.ci/run` and with the package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from axolotl_alttrain import __version__
from axolotl_alttrain.cli.tested import known_environments
from tests.conftest import ROOT, ci_script

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE" / "config.yml"})
SCHEMAS = {
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.github-issue-forms": FORMS,
    "vendor.github-workflows": WORKFLOWS,
}


def steps(workflow: str) -> list[dict[str, Any]]:
    jobs = yaml.safe_load((GITHUB / "workflows" / workflow).read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.fixture(scope="module")
def release_notes() -> ModuleType:
    return ci_script("release_notes")


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="no check-jsonschema; it comes with the extra 'dev'")
@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_match_their_published_schemas(schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, SCHEMAS[schema])]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.skipif(shutil.which("zizmor") is None, reason="no zizmor; it comes with the extra 'dev'")
def test_workflows_pass_the_security_linter() -> None:
    checked = subprocess.run(
        ["zizmor", "--offline", "--persona", "pedantic", str(GITHUB)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_every_action_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for workflow in WORKFLOWS for step in steps(workflow.name) if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name)] == []


def test_the_workflow_runs_what_ci_runs() -> None:
    """Each target of `make` in `.ci/run`, its slow tests, and the check of the demo."""
    script = (ROOT / ".ci" / "run").read_text()
    targets = set(re.findall(r'^\s*(?:newest|oldest|"\$environment") (\w+)', script, re.MULTILINE))
    assert targets == {"test", "lint", "security", "docs", "dist", "demo"}
    commands = "\n".join(step.get("run", "") for step in steps("ci.yml"))
    assert set(re.findall(r"^make (\w+)", commands, re.MULTILINE)) == targets
    for part in ("-m pytest -m slow", "-m pytest tests/release", ".ci/check-demo", ".ci/skips.py", "FAST=1"):
        assert part in script
        assert part in commands


def test_the_workflow_tests_every_supported_environment() -> None:
    jobs = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())["jobs"]
    rows = [(row["python"], row["axolotl"]) for row in jobs["test"]["strategy"]["matrix"]["include"]]
    assert rows == [(row.minor, row.packages["axolotl"]) for row in known_environments()]


def test_only_a_tag_publishes_and_without_a_token() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "release.yml").read_text())
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as a boolean
    publish = workflow["jobs"]["publish"]
    assert (publish["needs"], publish["environment"]) == ("build", "pypi")
    assert publish["permissions"] == {"id-token": "write"}
    assert "secrets." not in (GITHUB / "workflows" / "release.yml").read_text()


@pytest.mark.parametrize(
    "path",
    [
        GITHUB / "ISSUE_TEMPLATE" / "bug.yml",
        GITHUB / "ISSUE_TEMPLATE" / "model.yml",
        GITHUB / "PULL_REQUEST_TEMPLATE.md",
    ],
    ids=lambda p: p.name,
)
def test_reports_ask_for_the_doctors_output(path: Path) -> None:
    assert re.search(r"axolotl alttrain doctor (your\.yml )?--json", path.read_text())


def test_the_version_stands_in_one_place(release_notes: ModuleType) -> None:
    assert release_notes.package_version() == __version__
    assert "version" not in yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert re.search(
        r'^version = \{ attr = "axolotl_alttrain.__version__" \}', (ROOT / "pyproject.toml").read_text(), re.M
    )


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    sections = [line for line in lines if line.startswith("## ")]
    assert sections[0] == "## [Unreleased]"
    assert [s for s in sections[1:] if not re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", s)] == []
    kinds = {line for line in lines if line.startswith("### ")}
    assert kinds <= {f"### {kind}" for kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")}


CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-01-02\n\n### Added\n\n- b\n\n## [1.0.0] - 2026-01-01\n\n- a\n"
)


def test_release_notes(release_notes: ModuleType) -> None:
    assert release_notes.notes("v1.1.0", "1.1.0", CHANGELOG) == "### Added\n\n- b\n"
    assert release_notes.notes("v1.0.0", "1.0.0", CHANGELOG) == "- a\n"


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "said"),
    [
        ("v1.2.0", "1.1.0", CHANGELOG, "the tag v1.2.0 does not match __version__ 1.1.0"),
        ("v1.2.0", "1.2.0", CHANGELOG, "CHANGELOG.md has no section [1.2.0]"),
        ("v1.1.0", "1.1.0", CHANGELOG.replace(" - 2026-01-02", ""), "CHANGELOG.md: [1.1.0] has no date"),
    ],
)
def test_a_release_that_does_not_agree(
    release_notes: ModuleType, tag: str, version: str, changelog: str, said: str
) -> None:
    with pytest.raises(SystemExit, match=re.escape(said)):
        release_notes.notes(tag, version, changelog)

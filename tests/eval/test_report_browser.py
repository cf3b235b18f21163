"""The page's samples in headless Chromium: nothing a model wrote is executed, answers are folded."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from markupsafe import Markup

from eval.report.browser import embedded

from ..conftest import ROOT

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
HOSTILE = '</script><script>document.title="ran"</script><img src=x onerror="document.title=\'ran\'">'


def test_no_text_closes_the_script_element() -> None:
    assert embedded({"a": "</script>"}) == Markup('{"a":"\\u003c/script>"}')


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium installed; name one in CHROMIUM")
def test_hostile_samples_are_shown_as_text_and_folded(tmp_path: Path) -> None:
    run = {"run": "base", "outcome": "compliance", "verdict": None, "judges": {}, "thought": HOSTILE, "answer": HOSTILE}
    row = {"set": "s", "scenario": "none", "category": "c", "instruction": HOSTILE, "runs": [run]}
    template = (ROOT / "eval/report/report.html.j2").read_text()
    body = template[template.index('<div class="filters">') : template.index("{% for name, label")]
    fields = "".join(f'<select id="filter-{n}"></select>' for n in ("set", "scenario", "outcome", "judge", "differ"))
    rest = template[template.index('<label>text <input id="filter-text"') :]
    script = (ROOT / "eval/report/browser.js").read_text()
    rest = rest.replace("{{ samples }}", embedded([row])).replace("{{ script }}", script)
    page = tmp_path / "page.html"
    # The first option of a select is chosen: "" stands for all, as in the template.
    page.write_text(
        "<!doctype html><title>still</title>" + body + fields.replace("></s", '><option value=""></option></s') + rest
    )
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "<title>still</title>" in dom
    assert "<img" not in dom[dom.index('id="sample-list"') : dom.index('id="samples"')]
    assert dom.count("<details>") == 1
    assert "<details open" not in dom
    assert "1 of 1 prompts, page 1 of 1" in dom

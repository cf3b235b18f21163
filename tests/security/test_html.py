"""Texts of models and rows in the four pages, opened in Chromium: they are shown, and nothing in them runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from axolotl_alttrain.eval.run import main
from click.testing import CliRunner

from axolotl_alttrain.cli import alttrain
from tests.browser import Browser
from tests.cli.conftest import recipe as recipe
from tests.conftest import HARMFUL_ROW
from tests.data.conftest import settings
from tests.openai_server import Request, serve

pytestmark = pytest.mark.slow

RUN = "window.ran=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</textarea></title></style></pre></details><script>{RUN}</script>",
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f"--><script>{RUN}</script><!--",
    f"]]><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script/x>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f'<img src="http://x.test/i" onerror="{RUN}">',
    f"<img/src/onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<math><mtext></p><style><img src=x onerror={RUN}></style>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<a href=javascript:{RUN} autofocus onfocus={RUN}>x</a>",
    f'<meta http-equiv=refresh content="0;url=javascript:{RUN}">',
    '<meta http-equiv=refresh content="0;url=http://x.test/">',
    '<link rel=stylesheet href="http://x.test/s.css"><base href="http://x.test/">',
    "<style>@import url(http://x.test/s.css);*{background:url(http://x.test/b)}</style>",
    f'<form action="http://x.test/"><button formaction=javascript:{RUN}>x</button></form>',
    f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;img src=x onerror={RUN}&#62; {{{{ 7*7 }}}} ${{{RUN}}} \\u003cb\\u003e",
]


def answers(request: Request) -> str:
    """A payload in thought and answer, another for each prompt; a judge's reply as well."""
    payload = PAYLOADS[sum(request.text.encode()) % len(PAYLOADS)]
    return f"This is harmful. {payload}</think>\n\nSure. {payload}"


def evaluated(folder: Path) -> Path:
    """A run whose server answers with payloads, under names that are payloads too."""
    with serve(answers) as server:
        for name in ("one", "two"):
            flags = ["--backend", "api", "--base-url", server.url, "--model", f"{name}{PAYLOADS[10]}"]
            assert main([*flags, "--suite", "probe", "--out", str(folder / name)]) == 0
    return folder


def report(folder: Path, _: Any) -> Path:
    return evaluated(folder) / "one" / "report.html"


def comparison(folder: Path, _: Any) -> Path:
    """Two runs whose prompts are payloads too; every outcome of the second is another, so that all rows are shown."""
    evaluated(folder)
    for name in ("one", "two"):
        path = folder / name / "scored.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for number, row in enumerate(rows):
            row |= {"instruction": PAYLOADS[number % 30], "category": PAYLOADS[(number + 1) % 30]}
            if name == "two":
                row["metrics"] = {metric: not value for metric, value in row["metrics"].items()}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["compare", str(folder / "one"), str(folder / "two"), "--out", str(folder / "compare")]) == 0
    return folder / "compare" / "compare.html"


def hostile_rows() -> list[dict[str, Any]]:
    texts = ("instruction", "problem_understanding", "harmfulness_assessment", "conditional_reasoning", "answer")
    return [
        HARMFUL_ROW | {name: f"{HARMFUL_ROW[name]} {text}" for name in texts} | {"id": text, "category": text}
        for text in PAYLOADS
    ]


def preview(folder: Path, recipe: Callable[..., Path]) -> Path:
    page = folder / "preview.html"
    flags = ["--html", str(page), "--rows", "30"]
    done = CliRunner().invoke(alttrain, ["preview", str(recipe(hostile_rows(), sequence_len=2048)), *flags])
    assert done.exit_code == 0, done.output
    return page


def data(folder: Path, _: Any) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in hostile_rows()))
    source = {"name": PAYLOADS[0], "path": str(folder / "rows.jsonl"), "language": PAYLOADS[1]}
    columns = {"thought": "problem_understanding", "answer": "answer", "label": "label", "category": "category"}
    config = settings("", name=PAYLOADS[2], sources=[source | {"columns": columns}], harmful=30, benign=0)
    (folder / "build.yml").write_text(yaml.safe_dump(config))
    done = CliRunner().invoke(alttrain, ["build", str(folder / "build.yml"), "--out", str(folder / "data")])
    assert done.exit_code == 0, done.output
    return folder / "data" / "page.html"


# What a page of ours never has, wherever it came from.
FOREIGN = """
const bad = [...document.querySelectorAll('img,iframe,object,embed,video,audio,form,base,link,math,animate,'
  + 'meta[http-equiv=refresh i],textarea,a[href^="javascript:"]')].map(e => e.outerHTML);
for (const e of document.querySelectorAll('*'))
  for (const a of e.attributes) if (a.name.startsWith('on')) bad.push(e.outerHTML.slice(0, 200));
return bad;
"""
SHOWN = "document.querySelectorAll('details').forEach(d => d.open = true); return document.body.textContent"


@pytest.mark.promise(
    "security", "Text of models, judges and rows is never HTML in a page.", inputs="30 payloads on each of 4 pages"
)
@pytest.mark.parametrize("make", [report, comparison, preview, data])
def test_no_text_is_markup(
    make: Callable[[Path, Any], Path], browser: Browser, recipe: Callable[..., Path], tmp_path: Path
) -> None:
    assert len(set(PAYLOADS)) == 30
    path = make(tmp_path, recipe)
    browser.open(path)
    shown = ""
    for _ in range(50):  # every page of the list of samples
        shown += browser.run(SHOWN)
        assert browser.run(FOREIGN) == []
        following = [button for button in browser.find("#next") if button.is_enabled()]
        if not following:
            break
        following[0].click()
    assert browser.run("return window.ran") is None
    assert [url for url in browser.requests() if url != path.as_uri()] == []
    assert browser.console() == []
    assert browser.run("return document.querySelectorAll('script').length") == path.read_text().count("</script>")
    seen = [payload for payload in PAYLOADS if payload in shown]
    assert len(seen) >= (6 if make is data else 30)  # the data page shows six rows of each label

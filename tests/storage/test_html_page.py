from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from axolotl_alttrain.storage.html_page import render_page


def test_texts_are_escaped_markup_is_not_and_blocks_leave_no_lines(tmp_path: Path) -> None:
    (tmp_path / "style.css.j2").write_text("a { }")
    (tmp_path / "page.html.j2").write_text(
        '<style>{% include "style.css.j2" %}</style>\n  {% if text %}\n{{ text }}{{ plot }}\n  {% endif %}\n'
    )
    page = render_page("page.html.j2", tmp_path, text="<b>&", plot=Markup("<svg>"))
    assert page == "<style>a { }</style>\n&lt;b&gt;&amp;<svg>\n"


def test_a_missing_variable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.html.j2").write_text("{{ summary.seconds }}")
    with pytest.raises(UndefinedError, match="'dict object' has no attribute 'seconds'"):
        render_page("page.html.j2", tmp_path, summary={})

"""Marks are seen on both pages, and whiskers on bars: at least 3 to 1 (WCAG 2.2, 1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axolotl_alttrain.eval.compare import comparison_plots as plots
from axolotl_alttrain.eval.report.page import report_page
from axolotl_alttrain.eval.report.plots import svg

STYLE = (Path(report_page.__file__).parent / "style.css.j2").read_text()
PAGES = re.findall(r"--page: (#\w{6}).*?--ink: (#\w{6})", STYLE)[:2]  # light, dark
MARKS = {*svg.COLOURS.values(), svg.colour("another"), *plots._PALETTE, *(look[0] for look in plots._METRICS.values())}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_counted_as_it_is_defined() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_marks_stand_out_on_both_pages() -> None:
    assert [page for page, _ in PAGES] == ["#ffffff", "#16191d"]
    assert [(mark, page) for mark in MARKS for page, _ in PAGES if contrast(mark, page) < 3] == []


def test_whiskers_stand_out_on_bars() -> None:
    bars = [*svg.COLOURS.values(), svg.colour("another")]
    assert [(bar, ink) for bar in bars for _, ink in PAGES if contrast(bar, ink) < 3] == []

"""The table of the fields of ``report.json`` in docs/data.md.

``python -m docs.report_fields`` writes it from the model that the builder, the card and the page use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from axolotl_alttrain.data.output.build_report import BuildReport
from axolotl_alttrain.storage.atomic import write_atomic

PAGE = Path(__file__).parent / "data.md"
BEGIN, END = "<!-- fields of report.json: begin -->\n", "<!-- fields of report.json: end -->\n"
_NAMES = {str: "string", int: "integer", float: "number"}


def table(model: type[BaseModel] = BuildReport) -> str:
    """The table as Markdown: one row for each field, nested ones by their path. ``NAME`` stands for any key."""
    lines = ["| field | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{path}` | {kind} | {meaning} |" for path, kind, meaning in _rows(model, "", {})]
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """The page with a fresh table between the two markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _rows(model: type[BaseModel], prefix: str, seen: dict[type[BaseModel], str]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        path, meaning = prefix + name, field.description or ""
        inner, below = _model_in(field.annotation)
        if inner is None:
            yield path, _kind(field.annotation), meaning
        elif inner in seen:
            yield path, f"as `{seen[inner]}`", meaning
        else:
            seen[inner] = path
            yield path, _kind(field.annotation), meaning
            yield from _rows(inner, f"{path}{below}.", seen)


def _model_in(kind: Any) -> tuple[type[BaseModel] | None, str]:
    """The model that a field holds, and what stands between their paths: ``.NAME`` for a model in a dict."""
    if get_origin(kind) is dict:
        return _model_in(get_args(kind)[1])[0], ".NAME"
    models = [one for one in get_args(kind) or (kind,) if isinstance(one, type) and issubclass(one, BaseModel)]
    return (models[0], "") if models else (None, "")


def _kind(kind: Any) -> str:
    """A type in words."""
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is list:
        return f"list of {_kind(get_args(kind)[0])}s"
    if get_origin(kind) is dict:
        value = get_args(kind)[1]
        return "integers by name" if value is int else "strings by name" if value is str else "object"
    if NoneType in get_args(kind):
        return f"{_kind(next(one for one in get_args(kind) if one is not NoneType))} or null"
    return _NAMES.get(kind, "object")


if __name__ == "__main__":
    write_atomic(PAGE, with_table(PAGE.read_text(encoding="utf-8")))

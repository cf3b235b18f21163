"""The tables of docs/data.md that come from models: the keys of a build's config, and the fields of ``report.json``.

``python -m docs.field_tables`` writes them from the models that the builder uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from axolotl_alttrain.data.build_config import BuildConfig
from axolotl_alttrain.data.output.build_report import BuildReport
from axolotl_alttrain.storage.atomic import write_atomic

PAGE = Path(__file__).parent / "data.md"
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_LIMITS = {Ge: ("ge", "at least"), Gt: ("gt", "more than"), Le: ("le", "at most")}


def marks(what: str) -> tuple[str, str]:
    """The lines before and after a table."""
    return f"<!-- {what}: begin -->\n", f"<!-- {what}: end -->\n"


def report_fields(model: type[BaseModel] = BuildReport) -> str:
    """The fields of a report as Markdown, nested ones by their path. ``NAME`` stands for any key."""
    lines = ["| field | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{path}` | {kind} | {meaning} |" for path, kind, meaning in _fields(model, "", {})]
    return "\n".join(lines) + "\n"


def config_keys(model: type[BaseModel] = BuildConfig) -> str:
    """The keys of a config as Markdown, nested ones by their path."""
    lines = ["| key | type | default | what it does |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *_keys(model, "")]) + "\n"


TABLES = {"keys of a build": config_keys, "fields of report.json": report_fields}


def with_tables(page: str) -> str:
    """The page with fresh tables between their marks."""
    for what, table in TABLES.items():
        begin, end = marks(what)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{table()}{end}{after}"
    return page


def _fields(model: type[BaseModel], prefix: str, seen: dict[type[BaseModel], str]) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        path, meaning = prefix + name, field.description or ""
        inner = _models_in(field.annotation)
        if not inner:
            yield path, _kind(field.annotation), meaning
        elif inner[0] in seen:
            yield path, f"as `{seen[inner[0]]}`", meaning
        else:
            seen[inner[0]] = path
            yield path, _kind(field.annotation), meaning
            below = ".NAME" if get_origin(field.annotation) is dict else ""
            yield from _fields(inner[0], f"{path}{below}.", seen)


def _keys(model: type[BaseModel], prefix: str, kind: str = "", without: str | None = None) -> Iterator[str]:
    """The rows of a model's keys; those of one of several models begin their meaning with its ``kind``."""
    for name, field in model.model_fields.items():
        if name == without:
            continue
        path, inner, chooses = prefix + name, _models_in(field.annotation), field.discriminator
        yield f"| `{path}` | {_limited(field)} | {_default(field)} | {kind}{field.description or ''} |"
        if isinstance(chooses, str):  # the key that chooses the model stands once, before the keys of each
            kinds = [get_args(one.model_fields[chooses].annotation)[0] for one in inner]
            words, default = " or ".join(f"`{one}`" for one in kinds), getattr(field.default, chooses)
            yield f"| `{path}.{chooses}` | {words} | `{default}` | {inner[0].model_fields[chooses].description} |"
            for one, value in zip(inner, kinds, strict=True):
                yield from _keys(one, f"{path}.", f"with `{value}`: ", chooses)
        else:
            for one in inner:
                yield from _keys(one, f"{path}.")


def _models_in(kind: Any) -> list[type[BaseModel]]:
    """The models that a field holds, by themselves, as alternatives, in a list or as values."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [] if get_origin(kind) is Literal else [model for one in get_args(kind) for model in _models_in(one)]


def _kind(kind: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (list, tuple):
        return f"list of {_kind(inner[0])}{'' if get_origin(inner[0]) is Literal else 's'}"
    if origin is dict:
        value = inner[1]
        return f"{_kind(value)}{'s' * (value in _NAMES)} by name" if value in _NAMES or get_args(value) else "object"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys("null" if one is NoneType else _kind(one) for one in inner))
    return _NAMES.get(kind, "object")


def _limited(field: FieldInfo) -> str:
    """The type of a key with its limits. A null that only says that the key is missing is left out."""
    kind = _kind(field.annotation)
    if field.default is None:
        kind = kind.removesuffix(" or null")
    limits = [(_LIMITS[type(one)], one) for one in field.metadata if type(one) in _LIMITS]
    return ", ".join([kind, *(f"{words} {getattr(limit, name)}" for (name, words), limit in limits)])


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or value == () or isinstance(value, BaseModel):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    write_atomic(PAGE, with_tables(PAGE.read_text(encoding="utf-8")))

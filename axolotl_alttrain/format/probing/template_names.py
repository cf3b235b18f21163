"""The names in a template's source: the variables it expects, the keys of messages it reads, what it compares with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, TemplateError, meta, nodes

# What transformers passes to every template.
_GIVEN = {"messages", "add_generation_prompt", "raise_exception", "strftime_now", "continue_final_message"}
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")  # transformers' own block, unknown to Jinja


@dataclass(frozen=True)
class TemplateNames:
    """The names in a template.

    Attributes:
        variables: Those that only a caller can set.
        keys: Attributes and items that are read, of whatever.
        compared: By variable or key, the texts that it is compared with.
    """

    variables: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    compared: dict[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=64)
def template_names(source: str) -> TemplateNames:
    """The names in a source; none if it is not valid Jinja, which rendering reports."""
    # Nothing is rendered here, so autoescaping has no meaning.
    environment = Environment(extensions=["jinja2.ext.loopcontrols"])  # nosec B701
    try:
        tree, other = (environment.parse(_GENERATION.sub("", source)) for _ in range(2))
        variables = sorted(meta.find_undeclared_variables(other) - _GIVEN)  # folds the lists of the tree that it gets
    except TemplateError:
        return TemplateNames()
    compared: dict[str, list[str]] = {}
    for comparison in tree.find_all(nodes.Compare):
        sides = [comparison.expr, *(operand.expr for operand in comparison.ops)]
        names = [name for side in sides if (name := _name(side))]
        texts = [text for side in sides for text in _texts(side)]
        for name in names:
            compared.setdefault(name, []).extend(texts)
    keys = [node.attr for node in tree.find_all(nodes.Getattr)]
    keys += [text for node in tree.find_all(nodes.Getitem) for text in _texts(node.arg)]
    # m.get('thinking')
    keys += [text for node in tree.find_all(nodes.Call) for argument in node.args[:1] for text in _texts(argument)]
    # 'thinking' in m
    keys += [text for node in tree.find_all(nodes.Compare) for text in _texts(node.expr)]
    return TemplateNames(
        tuple(variables), tuple(dict.fromkeys(keys)), {name: tuple(dict.fromkeys(t)) for name, t in compared.items()}
    )


def _name(node: nodes.Node) -> str | None:
    """The variable, attribute or item that an operand is, under any filters."""
    while isinstance(node, nodes.Filter | nodes.Call) and (inner := getattr(node, "node", None)) is not None:
        node = inner
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem):
        return next(_texts(node.arg), None)
    return None


def _texts(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.List | nodes.Tuple):
        for item in node.items:
            yield from _texts(item)

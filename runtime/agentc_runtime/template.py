"""Compiled templates: from slots and literals to text. There is no parser here, so data is never code.

Values become text as `filters.text` says: strings as they are, absent values as nothing, all others as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from .expressions import And, Condition, Filter, For, If, Not, Or, Predicate, Slot, Template, Text
from .filters import FILTERS, text
from .values import ABSENT, lookup

#: Bounds of one rendering: characters written, nodes visited, nesting.
MAX_CHARACTERS: Final = 4_000_000
MAX_NODES: Final = 200_000
MAX_DEPTH: Final = 64

#: `For` binds its name to the item, and `name + LOOP` to `index`, `index0`, `first`, `last` and `length`.
#: The dot keeps it apart from every name that an author can write.
LOOP: Final = ".loop"


class RenderError(ValueError):
    """The one way that rendering fails: a bound is passed, a value is not JSON, or a filter is unknown."""


class _Output:
    """What is written so far, and what may still be spent."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.characters = 0
        self.nodes = 0

    def visit(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise RenderError(f"the template needs more than {MAX_NODES:,} steps")

    def write(self, piece: str) -> None:
        self.characters += len(piece)
        if self.characters > MAX_CHARACTERS:
            raise RenderError(f"the text grows over {MAX_CHARACTERS:,} characters")
        self.pieces.append(piece)


def render(template: Template, data: Mapping[str, object]) -> str:
    """The text of `template` over `data`, whose shape stands in `values`. Raises only `RenderError`."""
    if len(template) == 1 and isinstance(template[0], Text) and len(template[0].text) <= MAX_CHARACTERS:
        return template[0].text
    output = _Output()
    _render(template, data, output, 0)
    return "".join(output.pieces)


def _render(template: Template, scope: Mapping[str, object], output: _Output, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise RenderError(f"the template nests deeper than {MAX_DEPTH}")
    output.visit(len(template))
    for node in template:
        match node:
            case Text():
                output.write(node.text)
            case Slot():
                output.write(_slot(node, scope))
            case If():
                branch = node.then if holds(node.condition, scope) else node.otherwise
                _render(branch, scope, output, depth + 1)
            case For():
                _loop(node, scope, output, depth)


def _loop(node: For, scope: Mapping[str, object], output: _Output, depth: int) -> None:
    value = lookup(node.path, scope)
    if not isinstance(value, list):
        return
    items = value[: node.limit]
    for index, item in enumerate(items):
        output.visit(1)
        loop = {
            "index": index + 1,
            "index0": index,
            "first": index == 0,
            "last": index + 1 == len(items),
            "length": len(items),
        }
        _render(node.body, {**scope, node.name: item, node.name + LOOP: loop}, output, depth + 1)


def _slot(node: Slot, scope: Mapping[str, object]) -> str:
    value = lookup(node.path, scope)
    try:
        for step in node.filters:
            value = _filtered(value, step)
        return text(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise RenderError(f"`{'.'.join(node.path)}` can't be put into text: {error}") from error


def _filtered(value: object, step: Filter) -> object:
    if step.name not in FILTERS:
        raise RenderError(f"there is no filter `{step.name}`")
    return FILTERS[step.name](value, *step.arguments)


def holds(condition: Condition, scope: Mapping[str, object], depth: int = 0) -> bool:
    """Whether `condition` is true of the values in `scope`. Raises `RenderError` when it nests too deep."""
    if depth > MAX_DEPTH:
        raise RenderError(f"a condition nests deeper than {MAX_DEPTH}")
    match condition:
        case Predicate():
            return _predicate(condition, lookup(condition.path, scope))
        case Not():
            return not holds(condition.condition, scope, depth + 1)
        case And():
            return all(holds(part, scope, depth + 1) for part in condition.conditions)
        case Or():
            return any(holds(part, scope, depth + 1) for part in condition.conditions)


def _predicate(predicate: Predicate, value: object) -> bool:
    """Equality is Python's, as in Jinja. Values of two kinds have no order: comparing them is false."""
    literal = predicate.value
    match predicate.op:
        case "truthy":
            return value is not ABSENT and bool(value)
        case "defined":
            return value is not ABSENT
        case "eq":
            return value is not ABSENT and value == literal
        case "ne":
            return value is ABSENT or value != literal
        case "in":
            return isinstance(literal, list | tuple) and value is not ABSENT and value in literal
        case "lt" | "le" | "gt" | "ge":
            return _ordered(predicate.op, value, literal)


def _ordered(op: str, value: object, literal: object) -> bool:
    sign = _sign(value, literal)
    return sign is not None and {"lt": sign < 0, "le": sign <= 0, "gt": sign > 0, "ge": sign >= 0}[op]


def _sign(value: object, literal: object) -> int | None:
    if isinstance(value, str) and isinstance(literal, str):
        return (value > literal) - (value < literal)
    if isinstance(value, int | float) and isinstance(literal, int | float):
        return (value > literal) - (value < literal)
    return None


def paths(template: Template) -> frozenset[tuple[str, ...]]:
    """The paths from the root that the template reads, those of its conditions included.

    A name bound by a `For` stands for the whole array it runs over.
    """
    found: set[tuple[str, ...]] = set()
    _paths(template, {}, found)
    return frozenset(found)


def _paths(template: Template, bound: Mapping[str, tuple[str, ...]], found: set[tuple[str, ...]]) -> None:
    for node in template:
        match node:
            case Slot(path=path):
                found.add(bound.get(path[0], path))
            case If():
                found.update(bound.get(path[0], path) for path in _condition_paths(node.condition))
                _paths(node.then, bound, found)
                _paths(node.otherwise, bound, found)
            case For():
                source = bound.get(node.path[0], node.path)
                found.add(source)
                _paths(node.body, {**bound, node.name: source, node.name + LOOP: source}, found)
            case Text():
                pass


def literals(template: Template) -> Iterator[str]:
    """The texts that the author wrote, in all branches."""
    for node in template:
        match node:
            case Text(text=written):
                yield written
            case If(then=then, otherwise=otherwise):
                yield from literals(then)
                yield from literals(otherwise)
            case For(body=body):
                yield from literals(body)
            case Slot():
                pass


def _condition_paths(condition: Condition) -> frozenset[tuple[str, ...]]:
    match condition:
        case Predicate(path=path):
            return frozenset((path,))
        case Not():
            return _condition_paths(condition.condition)
        case And(conditions=parts) | Or(conditions=parts):
            return frozenset[tuple[str, ...]]().union(*map(_condition_paths, parts))

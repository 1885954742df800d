"""Expressions: how a bundle's `Expr` becomes a JSON value.

Data has one shape everywhere: `{"input": …, "session": …, "states": {S: {"output": …}}}`. A path steps by
key and only into objects: no list index, no attribute, so a path can't reach anything but data.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

from .expressions import Array, Const, Expr, Object, Ref

#: How deep an expression may nest. The compiler refuses deeper ones first.
MAX_DEPTH: Final = 64


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


#: No value at all, which is not the same as null.
ABSENT: Final = _Absent.ABSENT
Absent = Literal[_Absent.ABSENT]


class ExpressionError(ValueError):
    """An expression that can't be evaluated whatever the data: it nests deeper than `MAX_DEPTH`."""


def lookup(path: tuple[str, ...], data: Mapping[str, object]) -> object:
    """The value at `path`, or `ABSENT` when a step names no key or its value is not an object.

    The value is not copied: whoever changes it changes the data.
    """
    value: object = data
    for step in path:
        # a dict is known by its type at once, a Mapping by asking around
        if (type(value) is not dict and not isinstance(value, Mapping)) or step not in value:
            return ABSENT
        value = value[step]
    return value


def evaluate(expr: Expr, data: Mapping[str, object]) -> object:
    """The JSON value of `expr`, or `ABSENT` when it is a reference to something absent.

    An object leaves absent fields out. An array keeps its length, so an absent item is null. Values are
    not copied. Raises `ExpressionError` for an expression deeper than `MAX_DEPTH`.
    """
    return _evaluate(expr, data, 0)


def _evaluate(expr: Expr, data: Mapping[str, object], depth: int) -> object:
    if isinstance(expr, Ref):
        return lookup(expr.path, data)
    if depth > MAX_DEPTH:
        raise ExpressionError(f"an expression nests deeper than {MAX_DEPTH}")
    match expr:
        case Const(value=value):
            return value
        case Object(fields=fields):
            values = {key: _evaluate(field, data, depth + 1) for key, field in fields.items()}
            return {key: value for key, value in values.items() if value is not ABSENT}
        case Array(items=items):
            listed = [_evaluate(item, data, depth + 1) for item in items]
            return [None if value is ABSENT else value for value in listed]


def references(expr: Expr) -> frozenset[tuple[str, ...]]:
    """The paths that `expr` reads."""
    found: set[tuple[str, ...]] = set()
    waiting = [expr]
    while waiting:
        match waiting.pop():
            case Ref(path=path):
                found.add(path)
            case Object(fields=fields):
                waiting.extend(fields.values())
            case Array(items=items):
                waiting.extend(items)
            case Const():
                pass
    return frozenset(found)

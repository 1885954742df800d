"""Values and templates in a bundle: `${…}` references and Jinja, both already resolved to paths."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

#: A JSON Schema (2020-12) as plain JSON. `object` stands for any JSON value; narrow before use.
Schema: TypeAlias = dict[str, object]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every value in a bundle: immutable, and closed against fields that it does not know."""


class Const(Record, frozen=True, kw_only=True, tag_field="kind", tag="const"):
    """A literal JSON value."""

    value: object


class Ref(Record, frozen=True, kw_only=True, tag_field="kind", tag="ref"):
    """A value read at run time. `path` starts with `input`, `session` or `states`, and steps by key only.

    A step that is absent makes the whole reference absent; in an object the field is then left out.
    `("states", S, "output", …)` reads the output of the last execution of state S.
    """

    path: tuple[str, ...]


class Object(Record, frozen=True, kw_only=True, tag_field="kind", tag="object"):
    """A JSON object whose fields are expressions."""

    fields: dict[str, Expr]


class Array(Record, frozen=True, kw_only=True, tag_field="kind", tag="array"):
    """A JSON array whose items are expressions."""

    items: tuple[Expr, ...]


Expr: TypeAlias = Const | Ref | Object | Array


class Filter(Record, frozen=True, kw_only=True):
    """A filter applied to a slot. The closed list stands in `agentc_runtime.filters.FILTERS`."""

    name: str
    arguments: tuple[str | int | bool, ...] = ()


class Text(Record, frozen=True, kw_only=True, tag_field="kind", tag="text"):
    """Literal text, written out as it is."""

    text: str


class Slot(Record, frozen=True, kw_only=True, tag_field="kind", tag="slot"):
    """A value put into text. Objects and arrays are written as JSON. The result is never rendered again."""

    path: tuple[str, ...]
    filters: tuple[Filter, ...] = ()


class Predicate(Record, frozen=True, kw_only=True, tag_field="kind", tag="predicate"):
    """A condition on one value: `truthy`, `defined`, or a comparison with a literal."""

    path: tuple[str, ...]
    op: Literal["truthy", "defined", "eq", "ne", "lt", "le", "gt", "ge", "in"]
    value: object = None


class Not(Record, frozen=True, kw_only=True, tag_field="kind", tag="not"):
    """Negation."""

    condition: Condition


class And(Record, frozen=True, kw_only=True, tag_field="kind", tag="and"):
    """True when every condition is."""

    conditions: tuple[Condition, ...]


class Or(Record, frozen=True, kw_only=True, tag_field="kind", tag="or"):
    """True when one condition is."""

    conditions: tuple[Condition, ...]


Condition: TypeAlias = Predicate | Not | And | Or


class If(Record, frozen=True, kw_only=True, tag_field="kind", tag="if"):
    """`then` when the condition holds, else `otherwise`."""

    condition: Condition
    then: Template
    otherwise: Template = ()


class For(Record, frozen=True, kw_only=True, tag_field="kind", tag="for"):
    """`body` once an item of the array at `path`, for at most `limit` items, the item bound to `name`.

    `name + ".loop"` is bound to an object of `index`, `index0`, `first`, `last` and `length`.
    """

    name: str
    path: tuple[str, ...]
    body: Template
    limit: int


TemplateNode: TypeAlias = Text | Slot | If | For
#: A compiled template. Slot paths start with `input`, `session`, `states`, or a name that a `For` binds.
Template: TypeAlias = tuple[TemplateNode, ...]

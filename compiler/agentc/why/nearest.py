"""The arguments most like those that somebody gave with which a call would come out otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentc_runtime.expressions import Expr
from agentc_runtime.values import evaluate, references

from ..access import ToolAccess, some_value
from ..schematypes import type_at
from ..subsumption import Intersection, Region
from .edges import edges, nearest_first


def nearest(
    region: Region, access: ToolAccess, given: Mapping[str, object], data: Mapping[str, object]
) -> dict[str, object] | None:
    """Arguments of `region` (whole ones, as of `access.sent`) for a model to give: as many of `given` as
    possible are kept, and those that are not become what is nearest to them. `None` when none are found.

    Bound arguments have the values of `data`.
    """
    bound = {name: _value(expr, data) for name, expr in access.grant.bind.items() if references(expr)}
    kept: dict[str, object] = {name: value for name, value in bound.items() if value is not None}
    if not _some(region, kept):
        kept = {}
    own = access.grant.schema.get("properties")
    known = own if isinstance(own, Mapping) else {}
    dropped: list[str] = []
    for name, value in given.items():
        if name not in known or name in access.grant.bind:
            continue
        if _some(region, {**kept, name: value}):
            kept[name] = value
        else:
            dropped.append(name)
    for name in dropped:
        for value in nearest_first(_values(access, name, given[name]), given[name]):
            if _some(region, {**kept, name: value}):
                kept[name] = value
                break
    whole = _some(region, kept)
    if whole is None:
        return None
    order = [*given, *sorted(whole.keys() - given.keys())]
    return {name: whole[name] for name in order if name in whole and name not in access.grant.bind}


def _values(access: ToolAccess, name: str, near: object) -> Iterator[object]:
    """Values at the edges of all that a grant says of one argument."""
    grant = access.grant
    unless = grant.unless.schema if grant.unless else None
    for schema in (grant.schema, grant.where, grant.approval and grant.approval.when, unless):
        limit = type_at(schema, (name,)) if schema else None
        if limit is not None:
            yield from edges(limit, limit, near)


def _some(region: Region, kept: Mapping[str, object]) -> dict[str, object] | None:
    """Arguments of the region that have these values."""
    fixed: Region = {
        "properties": {name: {"const": value} for name, value in kept.items()},
        "required": sorted(kept),
    }
    found = some_value(Intersection((region, fixed)))
    return found if isinstance(found, dict) else None


def _value(expr: Expr, data: Mapping[str, object]) -> object:
    value = evaluate(expr, data)
    return value if isinstance(value, str | int | float | bool | list | dict) else None

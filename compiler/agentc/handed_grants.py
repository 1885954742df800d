"""The grants of an agent that is handed off to, in terms of its caller's data.

`${input.id}` says something else in each of the two. So before their grants are compared, what the other
agent reads of its input is put as what its caller gives it, and the rest as data that the caller has not.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime.expressions import Array, Const, Expr, Object, Ref
from agentc_runtime.values import references
from agentc_runtime.workflow import HandoffState

from .access import ToolAccess


def as_given(wide: ToolAccess, narrow: ToolAccess, state: HandoffState) -> ToolAccess:
    """`narrow`, a grant of the agent that `state` hands off to, to be compared with its caller's `wide`.

    What an argument is bound to is put so where the caller binds it as well. Its own input counts as the
    caller's where nothing else is in it.
    """
    same = references(state.input) == frozenset() or all(
        path[0] in ("input", "session") for path in references(state.input)
    )
    grant = narrow.grant
    bind = {name: _put(expr, state) if name in wide.referred else expr for name, expr in grant.bind.items()}
    unless = grant.unless
    if unless is not None:
        unless = msgspec.structs.replace(unless, origins=_origins(unless.origins, same=same))
    changed = msgspec.structs.replace(
        grant, bind=bind, origins=_origins(grant.origins, same=same), unless=unless
    )
    return ToolAccess(narrow.tool, changed, narrow.states)


def _origins(origins: Mapping[str, tuple[ir.Origin, ...]], *, same: bool) -> dict[str, tuple[ir.Origin, ...]]:
    """Where values may come from; from everywhere, when the input is not only what the caller was given."""
    if same:
        return dict(origins)
    return {name: found for name, found in origins.items() if "input" not in found}


def _put(expr: Expr, state: HandoffState) -> Expr:
    match expr:
        case Ref(path=("input", *steps)):
            return _step(state.input, steps)
        case Ref(path=("session", *steps)):
            return _step(state.session, steps)
        case Ref(path=path):
            return Ref(path=("agent", state.agent, *path))
        case Object(fields=fields):
            return Object(fields={name: _put(field, state) for name, field in fields.items()})
        case Array(items=items):
            return Array(items=tuple(_put(item, state) for item in items))
    return expr


def _step(expr: Expr, steps: list[str]) -> Expr:
    """What stands at `steps` of what is given."""
    for index, step in enumerate(steps):
        match expr:
            case Object(fields=fields) if step in fields:
                expr = fields[step]
            case Ref(path=path):
                return Ref(path=(*path, *steps[index:]))
            case _:
                return Const(value=None)
    return expr

"""A call that shows a gain: found in the wider grant, and judged by the broker's policy of both versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime.canonical import canonical
from agentc_runtime.expressions import Ref
from agentc_runtime.labels import Label
from agentc_runtime.origins import ORIGINS
from agentc_runtime.values import ABSENT, lookup

from ..access import (
    Moment,
    Told,
    ToolAccess,
    Verdict,
    as_json,
    favourable,
    moment,
    outputs_in,
    plant,
    schemas_at,
    sent,
    sent_unasked,
    some_value,
)
from ..subsumption import Intersection, Region
from .gained import Found, Probe
from .values import Version, Witness

_RANK: Final = {"refused": 0, "asks": 1, "allowed": 2}


def witness(less: Version, more: Version, found: Found) -> Witness | None:
    """A call that `more` lets through further than `less`, in the same circumstances; `None` if none is
    found."""
    if found.tool is None:
        return None
    if found.probe is None:
        return _after_answer(less, more, found.tool) if found.code == "AC909" else None
    access = more.accesses[found.tool]
    for state in _states(less.accesses.get(found.tool), access):
        for whole in _calls(more.program, access, found, state):
            shown = _replayed(less, more, access, state, whole, found.probe)
            if shown is not None:
                return shown
    return None


def _after_answer(less: Version, more: Version, tool: str) -> Witness | None:
    """A call of any tool, made after an answer of `tool`, whose label is another one in each version."""
    read = (less.accesses[tool].tool.output, more.accesses[tool].tool.output)
    if read[0] == read[1]:
        return None
    here = set(more.accesses[tool].states)
    for name, access in more.accesses.items():
        if name in less.accesses and here & set(access.states):
            shown = witness(
                less, more, Found("widened", "AC903", "high", name, "", "", name, probe=Probe(read))
            )
            if shown is not None:
                return shown
    return None


def _states(before: ToolAccess | None, now: ToolAccess) -> list[str]:
    """Where the call may be made; first the states in which nothing else differs."""
    known = () if before is None else before.states
    return sorted(now.states, key=lambda state: (state not in known, state))


def _calls(
    program: ir.Program, access: ToolAccess, found: Found, state: str
) -> Iterator[Mapping[str, object]]:
    """Whole arguments that may show it, those first that are found without a search."""
    probe = found.probe
    assert probe is not None  # `witness` asks about no others
    if found.call is not None:
        yield {**access.constants, **_bound(program, access), **found.call}
    context = moment(program, state, access.tool.name, Told(read=probe.read[1])).context
    pinned: list[Region] = [] if found.call is None else [_exactly(found.call, access)]
    approval = access.grant.approval
    asked: list[Region] = [] if approval is None else [approval.when or True]
    made = sent(program, access)
    regions: list[Region] = [sent_unasked(program, access, context), made]
    if asked:
        regions.append(Intersection((made, *asked)))
    for region in regions:
        value = some_value(Intersection((region, *pinned)))
        if isinstance(value, dict):
            yield value


def _bound(program: ir.Program, access: ToolAccess) -> dict[str, object]:
    """A value for each argument that is bound to what a run knows: one of its schemas."""
    properties, definitions = (access.tool.arguments.get(key, {}) for key in ("properties", "$defs"))
    values: dict[str, object] = {}
    for name, expr in access.referred.items():
        own = properties.get(name, {}) if isinstance(properties, Mapping) else {}
        said = [{**own, "$defs": definitions} if isinstance(own, Mapping) else {}]
        said += schemas_at(program, expr.path) if isinstance(expr, Ref) else []
        values[name] = _value_of(canonical(said))
    return values


@lru_cache(maxsize=1024)
def _value_of(schemas: bytes) -> object:
    """A value of all these schemas: many tools have the same argument bound to the same data."""
    return some_value(Intersection(tuple(msgspec.json.decode(schemas))))


def _exactly(call: Mapping[str, object], access: ToolAccess) -> Region:
    """The arguments that agree with `call` in all that it says; what it leaves out is left out.

    What is bound to the data of a run is no part of it.
    """
    named = access.tool.arguments.get("properties")
    known = set(named) if isinstance(named, Mapping) else set()
    absent: dict[str, object] = dict.fromkeys(known - set(access.grant.bind) - set(call), False)
    said: dict[str, object] = {name: {"const": value} for name, value in call.items()}
    return {"properties": {**absent, **said}, "required": sorted(call)}


def _replayed(
    less: Version, more: Version, access: ToolAccess, state: str, whole: Mapping[str, object], probe: Probe
) -> Witness | None:
    tool = access.tool.name
    known = favourable(more.program, access, state, whole, probe.read[1])
    if known is None:
        return None
    data = _completed(less.accesses.get(tool), known.data, whole)
    given = {name: value for name, value in whole.items() if name not in access.grant.bind}
    shown = Witness(
        tool=tool,
        state=state,
        arguments=as_json(given),
        read=probe.read,
        data=data,
        whole=whole,
        origins=ORIGINS if probe.origins is None else probe.origins,
        made=(probe.in_run, probe.in_day),
        less=_UNJUDGED,
        more=_UNJUDGED,
    )
    shown = replace(shown, less=judged(less, shown, probe.read[0]), more=judged(more, shown, probe.read[1]))
    return shown if further(shown.less, shown.more) else None


_UNJUDGED: Final = Verdict("refused")


def judged(version: Version, shown: Witness, read: Label) -> Verdict:
    """What the policy of a version says of the call of a witness, after data with this label was read."""
    at = moment_of(version.program, shown, read)
    in_run, in_day = shown.made
    return version.judge.verdict(shown.state, shown.tool, shown.arguments, at, in_run=in_run, in_day=in_day)


def further(less: Verdict, more: Verdict) -> bool:
    """Whether the one verdict lets a call through further: made, not asked about, or agreed to by more."""
    if less.outcome == more.outcome == "asks":
        return bool(less.by) and (not more.by or bool(set(more.by) - set(less.by)))
    return _RANK[more.outcome] > _RANK[less.outcome]


def _completed(
    before: ToolAccess | None, data: Mapping[str, object], whole: Mapping[str, object]
) -> Mapping[str, object]:
    """The data with a value for what the other grant binds as well: a run has both."""
    told = {root: dict(part) if isinstance(part, Mapping) else part for root, part in data.items()}
    for name, expr in before.referred.items() if before is not None else ():
        if isinstance(expr, Ref) and lookup(expr.path, told) is ABSENT and name in whole:
            plant(told, expr.path, whole[name])
    return told


def moment_of(program: ir.Program, shown: Witness, read: Label) -> Moment:
    """The moment of the call of a witness: the same values stand in the same places in every version."""
    whole, data = dict(shown.whole), shown.data
    told = Told(
        read=read,
        input=data.get("input"),
        session=data.get("session"),
        outputs=outputs_in(data),
        trusted=(whole,) if "trusted" in shown.origins else (),
        approved=(whole,) if "approved" in shown.origins else (),
    )
    at = moment(program, shown.state, shown.tool, told)
    sources: tuple[tuple[ir.Origin, ir.Data], ...] = (("input", program.input), ("session", program.session))
    for origin, declared in sources:
        if origin in shown.origins and declared.label.trust == "trusted":
            at.origins.add(origin, whole)
    return at

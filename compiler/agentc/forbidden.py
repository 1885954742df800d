"""Whether an agent can do what an assertion forbids, with the call or the way that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from agentc_runtime.consent import open_destinations
from agentc_runtime.labels import ORDER, join

from .access import Told, ToolAccess, as_json, favourable, moment, sent, sent_unasked
from .flow import Source, bound_sources, leaves, sources, tool_origin
from .lowered import Lowered
from .predicates import open_when
from .program import Grant
from .subsumption import Escapes, Included, Intersection, Region, Undecided, includes
from .syntax.assertions import CallAssertionSpec, FlowAssertionSpec


@dataclass(frozen=True)
class Broken:
    """A forbidden call that can be made, in words, or else why none could be ruled out."""

    call: str | None
    unclear: str = ""


def forbidden_call(lowered: Lowered, asserted: CallAssertionSpec) -> Broken | None:
    """Whether the agent can make a forbidden call; `None` when it is certain that it can't.

    In a state whose texts hold untrusted data before the first call, that counts as read.
    """
    access = lowered.accesses[asserted.tool]
    forbidden: Region = open_when(asserted.when)
    unclear: str | None = None
    for state in access.states:
        before = moment(lowered.program, state, asserted.tool, Told()).context
        program = lowered.program
        made = sent_unasked(program, access, before) if asserted.unasked else sent(program, access)
        match includes(False, Intersection((made, forbidden))):
            case Included():
                continue
            case Escapes(witness) if isinstance(witness, dict):
                call = shown_call(lowered, access, state, witness, unasked=asserted.unasked)
                if call is not None:
                    return Broken(call)
                unclear = unclear or "where the values of such a call come from is not in the specs"
            case Undecided(reason):
                unclear = unclear or reason
    return None if unclear is None else Broken(None, unclear)


@dataclass(frozen=True)
class Flow:
    """Data that may be in a state where a tool can be called; `call` is how, when that matters."""

    state: str
    grant: Grant
    sources: tuple[Source, ...]
    call: str | None


def forbidden_flows(lowered: Lowered, asserted: FlowAssertionSpec) -> Iterator[Flow]:
    """Each state and tool of it that data of the assertion can reach, by all ways through the workflow."""
    agent = lowered.agent
    read, bound = sources(agent), bound_sources(agent)
    for state in agent.states.values():
        for name, grant in sorted(state.grants.items()):
            here = [one for one in _joined(*read[state.name], *bound[name]) if _is_data(one, asserted)]
            reaching = [one for one in here if _reaches(lowered, grant, one, asserted)]
            # its own answers come last: what they follow upon is the better example
            reaching.sort(key=lambda one: one.origin.declared == tool_origin(grant).declared)
            if not reaching:
                continue
            if not asserted.unasked:
                yield Flow(state.name, grant, tuple(dict.fromkeys(reaching)), None)
                continue
            calls = {one: _unasked_call(lowered, state.name, name, one) for one in reaching}
            made = tuple(one for one, call in calls.items() if call is not None)
            if made:
                yield Flow(state.name, grant, made, calls[made[0]])


def _joined(*read: Source) -> list[Source]:
    """Data that came from one place by the same states, once: what is read of it there is read together."""
    found: dict[object, Source] = {}
    for source in read:
        key = (source.origin.name, source.origin.toolset, source.route)
        known = found.setdefault(key, source)
        label = join(known.origin.label, source.origin.label)
        found[key] = replace(known, origin=replace(known.origin, label=label))
    return list(found.values())


def _is_data(source: Source, asserted: FlowAssertionSpec) -> bool:
    label = source.origin.label
    if asserted.trust == "untrusted" and label.trust != "untrusted":
        return False
    return asserted.sensitivity is None or ORDER.index(label.sensitivity) >= ORDER.index(asserted.sensitivity)


def _reaches(lowered: Lowered, grant: Grant, source: Source, asserted: FlowAssertionSpec) -> bool:
    tool = grant.tool
    if tool.name in asserted.tools or tool.spec.effect in asserted.effects:
        return True
    if not asserted.ways_out:
        return False
    access = lowered.accesses[tool.name]
    return leaves(grant, source) or bool(open_destinations(access.tool, access.grant))


def _unasked_call(lowered: Lowered, state: str, tool: str, source: Source) -> str | None:
    """A call that is made with nobody asked after the data was read, in words, or why none was ruled out."""
    access = lowered.accesses[tool]
    before = moment(lowered.program, state, tool, Told(read=source.origin.label)).context
    match includes(False, sent_unasked(lowered.program, access, before)):
        case Included():
            return None
        case Escapes(witness):
            return json.dumps(witness, ensure_ascii=False)
        case Undecided(reason):
            return f"it can't be decided: {reason}"


def shown_call(
    lowered: Lowered, access: ToolAccess, state: str, whole: Mapping[str, object], *, unasked: bool
) -> str | None:
    """A call with these whole arguments in words, once the broker's policy has let it through."""
    at = favourable(lowered.program, access, state, whole)
    if at is None:
        return None
    given = {name: value for name, value in whole.items() if name not in access.grant.bind}
    verdict = lowered.judge.verdict(state, access.tool.name, as_json(given), at)
    if verdict.outcome == "refused" or (unasked and verdict.outcome != "allowed"):
        return None
    how = "nobody is asked" if verdict.outcome == "allowed" else "a person is asked"
    return f"{as_json(whole)} in state `{state}`, and {how}"

"""Whether an agent can do what an assertion forbids, with the call or the way that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agentc_runtime.canonical import canonical
from agentc_runtime.consent import open_destinations
from agentc_runtime.labels import ORDER, Label, join

from .access import Told, ToolAccess, as_json, favourable, moment, sent, sent_unasked
from .flow import Source, bound_sources, leaves, sources, tool_origin
from .lowered import Lowered
from .predicates import open_when
from .program import Grant
from .subsumption import Answer, Escapes, Included, Intersection, Undecided, Union, includes
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
    unclear: str | None = None
    for state in access.states:
        match _made(lowered, access, state, (asserted,)):
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


def none_forbidden(lowered: Lowered, asserted: Sequence[CallAssertionSpec]) -> bool:
    """Whether it is certain that the agent can make none of the calls: one question for all of them.

    They are about the same tool, and all of them or none let a person agree.
    """
    access = lowered.accesses[asserted[0].tool]
    return all(isinstance(_made(lowered, access, state, asserted), Included) for state in access.states)


def _made(lowered: Lowered, access: ToolAccess, state: str, asserted: Sequence[CallAssertionSpec]) -> Answer:
    """Whether the calls that are made in a state are apart from those of all the assertions."""
    program = lowered.program
    made = sent(program, access)
    if asserted[0].unasked:
        made = sent_unasked(program, access, moment(program, state, access.tool.name, Told()).context)
    forbidden = Union(tuple(open_when(one.when) for one in asserted))
    return includes(False, Intersection((made, forbidden)))


@dataclass(frozen=True)
class Flow:
    """Data that may be in a state where a tool can be called; `call` is how, when that matters."""

    state: str
    grant: Grant
    sources: tuple[Source, ...]
    call: str | None


class Flows:
    """The flows of one agent, asked about by assertions: what is found once is not looked for again."""

    def __init__(self, lowered: Lowered) -> None:
        self._lowered = lowered
        self._read, self._bound = sources(lowered.agent), bound_sources(lowered.agent)
        self._calls: dict[tuple[str, str, Label], str | None] = {}

    def forbidden(self, asserted: FlowAssertionSpec) -> Iterator[Flow]:
        """Each state and tool of it that data of the assertion can reach, by any way through the workflow."""
        for state in self._lowered.agent.states.values():
            for name, grant in sorted(state.grants.items()):
                read = _joined(*self._read[state.name], *self._bound[name])
                here = [one for one in read if _is_data(one, asserted)]
                reaching = [one for one in here if _reaches(self._lowered, grant, one, asserted)]
                # its own answers come last: what they follow upon is the better example
                reaching.sort(key=lambda one: one.origin.declared == tool_origin(grant).declared)
                if asserted.unasked:
                    calls = {one: self._unasked_call(state.name, name, one) for one in reaching}
                    reaching = [one for one in reaching if calls[one] is not None]
                if reaching:
                    call = calls[reaching[0]] if asserted.unasked else None
                    yield Flow(state.name, grant, tuple(reaching), call)

    def _unasked_call(self, state: str, tool: str, source: Source) -> str | None:
        """A call that is made with nobody asked after the data was read, or why none was ruled out."""
        key = (state, tool, source.origin.label)
        if key not in self._calls:
            self._calls[key] = _unasked_call(self._lowered, *key)
        return self._calls[key]


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


def _unasked_call(lowered: Lowered, state: str, tool: str, read: Label) -> str | None:
    access = lowered.accesses[tool]
    before = moment(lowered.program, state, tool, Told(read=read)).context
    match includes(False, sent_unasked(lowered.program, access, before)):
        case Included():
            return None
        case Escapes(witness):
            return canonical(witness).decode()
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

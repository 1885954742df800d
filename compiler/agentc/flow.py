"""What data can be where: for each state the origins of everything that its model or its call may read.

Inside one model loop anything read may reach anything written, so a state's context is one set. It leaves
the state by its output. Values that can't carry a sentence (numbers, booleans, enums, dates, identifiers) are
only `typed` after that: this is how an author splits a state so that only typed values cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from agentc_runtime.interpret.typed import schema_carries_text
from agentc_runtime.labels import Label

from .diagnostics import Span
from .program import Agent, Grant, SchemaData, State
from .resources import Step
from .schematypes import type_at
from .stepping import first_line
from .syntax.common import DataSpec
from .syntax.permissions import FlowSpec
from .syntax.workflow import (
    AgentStateSpec,
    EndStateSpec,
    HandoffStateSpec,
    MapStateSpec,
    ModelStateSpec,
    ParallelStateSpec,
    RetrieveStateSpec,
    ToolStateSpec,
    VerifyStateSpec,
)


@dataclass(frozen=True)
class Origin:
    """Where data comes from: in words, with its label, its declaration, and the toolset if it is a tool."""

    name: str
    label: Label
    declared: Span
    toolset: str | None = None

    @property
    def untrusted(self) -> bool:
        """Anybody may have written it."""
        return self.label.trust == "untrusted"


@dataclass(frozen=True)
class Source:
    """Data that a state reads: its origin, the place that reads it, and the states that it came through."""

    origin: Origin
    span: Span
    route: tuple[str, ...] = ()

    def __str__(self) -> str:
        states = " and ".join(f"`{state}`" for state in self.route)
        through = f" by way of state{'s' if len(self.route) > 1 else ''} {states}" if self.route else ""
        return f"{self.origin.name}{through}"


#: What leaves a state, each origin with the shortest way through states up to and with that one.
_Leaving = Mapping[Origin, tuple[str, ...]]


def tool_span(agent: Agent, state: State, grant: Grant) -> Span:
    """Where a state names a granted tool; without a workflow, where the tool is granted."""
    name = grant.tool.name
    if state.path and isinstance(state.spec, AgentStateSpec):
        return agent.span(*state.path, "tools", state.spec.tools.index(name))
    if state.path and isinstance(state.spec, ToolStateSpec):
        return agent.span(*state.path, "tool")
    return grant.span("tool")


def sources(agent: Agent) -> dict[str, tuple[Source, ...]]:
    """For each state what it may read, tools first: the least set that all paths agree with."""
    outputs = _outputs(agent)
    return {name: tuple(_unique(_read(agent, state, outputs))) for name, state in agent.states.items()}


def bound_sources(agent: Agent) -> dict[str, tuple[Source, ...]]:
    """For each grant the data that it sends by `bind`, which no model has to read."""
    outputs = _outputs(agent)
    return {
        name: tuple(
            _unique(
                source
                for bound in grant.bind.values()
                for reference, span in bound.references
                for source in _at(agent, (reference.root, *reference.path), span, outputs)
            )
        )
        for name, grant in agent.grants.items()
    }


def _outputs(agent: Agent) -> Mapping[str, _Leaving]:
    outputs: dict[str, _Leaving] = {name: {} for name in agent.states}
    changed = True
    while changed:
        changed = False
        for name, state in agent.states.items():
            found = {name: _leaving(agent, state, outputs)}
            if isinstance(state.spec, MapStateSpec):
                sources = _of_exprs(agent, state, outputs, "over")
                found[_item(name)] = {source.origin: source.route for source in sources}
            changed = changed or any(outputs.get(key) != leaving for key, leaving in found.items())
            outputs |= found
    return outputs


def _item(state: str) -> str:
    """What stands for the item of a `map` among the outputs."""
    return f"{state}.item"


def _unique(found: Iterator[Source]) -> Iterator[Source]:
    seen: set[tuple[Origin, tuple[str, ...]]] = set()
    for source in found:
        if (source.origin, source.route) not in seen:
            seen.add((source.origin, source.route))
            yield source


def _leaving(agent: Agent, state: State, outputs: Mapping[str, _Leaving]) -> _Leaving:
    if isinstance(state.spec, ToolStateSpec):
        return {tool_origin(grant): (state.name,) for grant in state.grants.values()}
    leaving: dict[Origin, tuple[str, ...]] = {}
    for source in _given(agent, state, outputs):
        route = (*source.route, state.name)
        known = leaving.get(source.origin)
        if known is None or (len(route), route) < (len(known), known):
            leaving[source.origin] = route
    return leaving


def _given(agent: Agent, state: State, outputs: Mapping[str, _Leaving]) -> Iterator[Source]:
    """What the output of a state may hold something of."""
    match state.spec:
        case AgentStateSpec() | ModelStateSpec():
            yield from _read(agent, state, outputs)
        case ParallelStateSpec():
            yield from _of_branches(agent, state, outputs)
        case MapStateSpec():
            yield from _of_branches(agent, state, outputs)
            for source in _of_exprs(agent, state, outputs):
                yield replace(source, origin=_typed(source.origin))  # which items failed
        case RetrieveStateSpec():
            yield from _of_exprs(agent, state, outputs)
            yield Source(_passages(agent, state), agent.span(*state.path, "retriever"))
        case VerifyStateSpec():
            yield from _of_exprs(agent, state, outputs, "value")
        case HandoffStateSpec():
            yield from _of_exprs(agent, state, outputs)
            if state.handoff is not None:
                span = agent.span(*state.path, "agent")
                yield from (Source(origin, span) for origin in result_origins(state.handoff))
                if state.handoff.spec.session is not None:
                    yield from _at(agent, ("session",), span, outputs)


def _of_branches(agent: Agent, state: State, outputs: Mapping[str, _Leaving]) -> Iterator[Source]:
    for inner in agent.states.values():
        if (
            isinstance(inner.spec, EndStateSpec)
            and inner.inside is not None
            and inner.inside[0] == state.name
        ):
            yield from _of_exprs(agent, inner, outputs)


def _of_exprs(
    agent: Agent, state: State, outputs: Mapping[str, _Leaving], place: str | None = None
) -> Iterator[Source]:
    """What the expressions of a state read, or the one at `place`."""
    for name, bound in state.exprs.items():
        if place in (None, name):
            for reference, span in bound.references:
                yield from _at(agent, (reference.root, *reference.path), span, outputs)


def result_origins(agent: Agent) -> tuple[Origin, ...]:
    """Where the result of an agent may come from, without its input and session: these are its caller's."""
    outputs = _outputs(agent)
    ends = [
        state for state in agent.states.values() if isinstance(state.spec, EndStateSpec) and not state.inside
    ]
    found = (source.origin for state in ends for source in _of_exprs(agent, state, outputs))
    own = {_data_origin(agent, root, data) for root, data in _data_of(agent)}
    return tuple(dict.fromkeys(origin for origin in found if origin not in own | set(map(_typed, own))))


def given_to(agent: Agent, state: State) -> tuple[Source, ...]:
    """What a `handoff` state gives to the other agent as its input."""
    return tuple(_unique(_of_exprs(agent, state, _outputs(agent))))


def asked_of(agent: Agent, state: State) -> tuple[Source, ...]:
    """What the query of a `retrieve` state may hold something of."""
    return tuple(_unique(_of_exprs(agent, state, _outputs(agent))))


def _passages(agent: Agent, state: State) -> Origin:
    spec = state.spec
    assert isinstance(spec, RetrieveStateSpec)
    label = Label(trust=spec.output.trust, sensitivity=spec.output.sensitivity)
    return Origin(f"the retriever `{spec.retriever}`", label, agent.span(*state.path, "retriever", key=True))


def _read(agent: Agent, state: State, outputs: Mapping[str, _Leaving]) -> Iterator[Source]:
    if isinstance(state.spec, AgentStateSpec):
        for grant in state.grants.values():
            yield Source(tool_origin(grant), tool_span(agent, state, grant))
    for text in state.texts.values():
        for path in sorted(text.reads):
            yield from _at(agent, path, first_line(text.span), outputs)
    if isinstance(state.spec, ToolStateSpec):
        bound_values = [*state.exprs.values(), *(b for g in state.grants.values() for b in g.bind.values())]
        for bound in bound_values:
            for reference, span in bound.references:
                yield from _at(agent, (reference.root, *reference.path), span, outputs)


def _at(agent: Agent, path: tuple[str, ...], span: Span, outputs: Mapping[str, _Leaving]) -> Iterator[Source]:
    root, *steps = path
    typed = root in agent.environment and not carries_text(type_at(agent.environment[root], steps))
    if root == "states":
        of_item = steps[1:2] == ["item"]
        for name in [_item(steps[0])] if of_item else steps[:1] or outputs:
            leaving = outputs.get(name, {})
            for origin in sorted(leaving, key=lambda origin: (origin.name, origin.label.trust)):
                yield Source(_typed(origin) if typed else origin, span, leaving[origin])
        return
    for name, data in _data_of(agent):
        if name == root:
            origin = _data_origin(agent, root, data)
            yield Source(_typed(origin) if typed else origin, span)


def _data_of(agent: Agent) -> Iterator[tuple[str, DataSpec]]:
    for name, data in (("input", agent.spec.input), ("session", agent.spec.session)):
        if data is not None:
            yield name, data


def tool_origin(grant: Grant) -> Origin:
    """The answers of a granted tool."""
    output, tool = grant.tool.spec.output, grant.tool
    return Origin(
        name=f"`{tool.name}`",
        label=Label(trust=output.trust, sensitivity=output.sensitivity),
        declared=tool.span("output", key=True),
        toolset=tool.toolset.name,
    )


def _data_origin(agent: Agent, root: str, data: DataSpec) -> Origin:
    label = Label(trust=data.trust, sensitivity=data.sensitivity)
    place: tuple[Step, ...] = (root, "sensitivity")
    return Origin(f"the {root}", label, agent.span(*place, key=True))


def _typed(origin: Origin) -> Origin:
    if not origin.untrusted:
        return origin
    return replace(origin, label=Label(trust="typed", sensitivity=origin.label.sensitivity))


def carries_text(schema: SchemaData | None) -> bool:
    """Whether a value of `schema` may hold a sentence that somebody wrote. What can't be told may."""
    if schema is None:
        return False  # nothing stands there, which family AC2 reports
    return schema_carries_text(schema)


def is_unasked(grant: Grant) -> bool:
    """Whether untrusted content may cause this effect with nobody asked and nothing refused."""
    asked = grant.spec.approval is not None and grant.spec.approval.when is None
    return grant.tool.spec.effect != "read" and flow_of(grant).policy == "allow" and not asked


def flow_of(grant: Grant) -> FlowSpec:
    """The flow rule of a grant: its own, or else its set's."""
    return grant.spec.untrusted_to_effect or grant.permission_set.spec.flows.untrusted_to_effect


def flow_span(grant: Grant) -> Span | None:
    """The key of the flow rule of a grant; `None` when nobody wrote one."""
    if grant.spec.untrusted_to_effect is not None:
        return grant.span("untrusted_to_effect", key=True)
    if "flows" in grant.permission_set.spec.model_fields_set:
        return grant.permission_set.span("flows", "untrusted_to_effect", key=True)
    return None


def policy_span(grant: Grant) -> Span:
    """Where the flow policy of a grant is set."""
    if grant.spec.untrusted_to_effect is not None:
        return grant.span("untrusted_to_effect", "policy")
    return grant.permission_set.span("flows", "untrusted_to_effect", "policy")


def untrusted(state: State, read: tuple[Source, ...]) -> list[Source]:
    """The untrusted part of what a state reads; the answers of its own effects come last."""
    effects = {tool_origin(grant) for grant in state.grants.values() if grant.tool.spec.effect != "read"}
    found = [source for source in read if source.origin.untrusted]
    return sorted(found, key=lambda source: not source.route and source.origin in effects)


def leaks(state: State, read: tuple[Source, ...]) -> list[tuple[Source, Grant]]:
    """Private data and a way out that nobody is asked about, in a state that reads untrusted content.

    A way out is a tool that sends, or one that writes to another service than the data came from.
    """
    if not untrusted(state, read):
        return []
    return [
        (source, grant)
        for grant in state.grants.values()
        if is_unasked(grant)
        for source in read
        if source.origin.label.sensitivity in ("confidential", "restricted") and leaves(grant, source)
    ]


def leaves(grant: Grant, source: Source) -> bool:
    """Whether a call carries data away: it sends, or writes to another service than the data came from."""
    if grant.tool.spec.effect in ("create", "update"):
        origin = source.origin.toolset
        return origin is not None and origin != grant.tool.toolset.name
    return grant.tool.spec.effect == "send"

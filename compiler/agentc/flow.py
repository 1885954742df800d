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
from .syntax.workflow import AgentStateSpec, ModelStateSpec, ToolStateSpec


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
            leaving = _leaving(agent, state, outputs)
            if leaving != outputs[name]:
                outputs[name] = leaving
                changed = True
    return outputs


def _unique(found: Iterator[Source]) -> Iterator[Source]:
    seen: set[tuple[Origin, tuple[str, ...]]] = set()
    for source in found:
        if (source.origin, source.route) not in seen:
            seen.add((source.origin, source.route))
            yield source


def _leaving(agent: Agent, state: State, outputs: Mapping[str, _Leaving]) -> _Leaving:
    if isinstance(state.spec, ToolStateSpec):
        return {tool_origin(grant): (state.name,) for grant in state.grants.values()}
    if not isinstance(state.spec, AgentStateSpec | ModelStateSpec):
        return {}
    leaving: dict[Origin, tuple[str, ...]] = {}
    for source in _read(agent, state, outputs):
        route = (*source.route, state.name)
        known = leaving.get(source.origin)
        if known is None or (len(route), route) < (len(known), known):
            leaving[source.origin] = route
    return leaving


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
        for name in steps[:1] or outputs:
            leaving = outputs.get(name, {})
            for origin in sorted(leaving, key=lambda origin: (origin.name, origin.label.trust)):
                yield Source(_typed(origin) if typed else origin, span, leaving[origin])
        return
    data = agent.spec.input if root == "input" else agent.spec.session if root == "session" else None
    if data is not None:
        origin = _data_origin(agent, root, data)
        yield Source(_typed(origin) if typed else origin, span)


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

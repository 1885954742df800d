"""The picture of an agent of a project: what it may do, what flows where, and which flows break a rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from agentc_runtime.labels import allows, join

from ..credentials import auths, token_url
from ..diagnostics import Diagnostic
from ..flow import Source, flow_of, is_unasked, leaks, sources, untrusted
from ..graph import Graph, workflow_graph
from ..lower import PROVIDER_URLS
from ..program import Agent, Grant, Program, State
from ..stepping import state_models
from ..syntax.workflow import AgentStateSpec, ModelStateSpec
from .picture import Arrow, Box, Picture

#: The rules that are about flows.
_FLOW_RULES = frozenset({"AC501", "AC502", "AC503", "AC505", "AC506"})


def picture_of(program: Program, agent: Agent, found: Iterable[Diagnostic]) -> Picture:
    """The picture of an agent of a project with these findings."""
    read = sources(agent)
    files = {agent.resource.file.path, *(one.file.path for one in agent.permission_sets)}
    findings = (one for one in found if one.code in _FLOW_RULES and one.span.file in files)
    graph = workflow_graph(agent)
    order = _in_order(graph, agent)
    boxes = [*_data(agent), *(_state(agent, agent.states[name], read[name]) for name in order)]
    grants = {grant.tool.name: grant for name in order for grant in agent.states[name].grants.values()}
    boxes += [_tool(grant) for _, grant in sorted(grants.items())]
    boxes += _places(program, agent, order)
    meta = agent.resource.metadata
    return Picture(
        title=f"{meta.name} {meta.version}",
        subtitle=meta.description,
        boxes=tuple(boxes),
        arrows=tuple(_arrows(program, agent, graph, order, read)),
        findings=tuple(f"{one.code}: {one.message}" for one in findings),
    )


def _in_order(graph: Graph, agent: Agent) -> list[str]:
    """The states from the start on, breadth first; what is not reached comes last."""
    order = [graph.start] if graph.start in agent.states else []
    for name in order:
        order += [target for target in graph.successors.get(name, ()) if target not in order]
    return order + [name for name in agent.states if name not in order]


def _data(agent: Agent) -> Iterator[Box]:
    for name, data in (("input", agent.spec.input), ("session", agent.spec.session)):
        if data is not None:
            yield Box(
                key=f"data:{name}",
                column="data",
                kind="data",
                lines=(name, f"{data.trust}, {data.sensitivity}"),
                untrusted=data.trust == "untrusted",
                private=data.sensitivity in ("confidential", "restricted"),
            )


def _state(agent: Agent, state: State, read: tuple[Source, ...]) -> Box:
    kind = state.spec.type
    label = join(*(source.origin.label for source in read)) if read else None
    lines = [state.name, kind + (" (start)" if state.name == agent.start else "")]
    if isinstance(state.spec, AgentStateSpec | ModelStateSpec):
        lines.append(" or ".join(state_models(agent, state)))
    if label is not None:
        lines.append(f"may hold {label.trust}, {label.sensitivity}")
    return Box(
        key=f"state:{state.name}",
        column="state",
        kind=kind,
        lines=tuple(lines),
        untrusted=label is not None and label.trust == "untrusted",
        private=label is not None and label.sensitivity in ("confidential", "restricted"),
    )


def _tool(grant: Grant) -> Box:
    spec, tool = grant.spec, grant.tool
    lines = [tool.name, tool.spec.effect]
    if tool.operation is not None:
        lines[1] += f"  {tool.operation.method} {tool.operation.path}"
    if tool.spec.destinations:
        lines.append(f"goes where {', '.join(tool.spec.destinations)} say")
    if spec.approval is not None:
        lines.append(f"asks {' or '.join(spec.approval.by)}{' sometimes' if spec.approval.when else ''}")
    if tool.spec.effect != "read" or tool.spec.destinations:
        policy = flow_of(grant).policy
        lines.append(
            {"approve": "asks", "deny": "refused", "allow": "allowed"}[policy] + " after untrusted content"
        )
    if spec.quota is not None and spec.quota.per_run is not None:
        lines.append(f"at most {spec.quota.per_run} a run")
    lines.append(f"answers {tool.spec.output.trust}, {tool.spec.output.sensitivity}")
    return Box(
        key=f"tool:{tool.name}",
        column="tool",
        kind=tool.spec.effect,
        lines=tuple(lines),
        untrusted=tool.spec.output.trust == "untrusted",
        private=tool.spec.output.sensitivity in ("confidential", "restricted"),
    )


def _server_of(grant: Grant) -> str:
    operation = grant.tool.operation
    return grant.tool.toolset.spec.server or (
        operation.servers[0] if operation and operation.servers else "?"
    )


def _model_server(program: Program, alias: str) -> str:
    project = program.project
    spec = project.spec.models.get(alias) if project is not None else None
    return "?" if spec is None else spec.base_url or PROVIDER_URLS[spec.provider]


def _servers(program: Program, agent: Agent, order: list[str]) -> dict[str, list[str]]:
    """Server → what is reached there, for tools, models and token endpoints."""
    reached: dict[str, list[str]] = {}
    for name in order:
        state = agent.states[name]
        for grant in state.grants.values():
            reached.setdefault(_server_of(grant), []).append("tools")
            toolset = program.toolsets[grant.tool.toolset.name]
            for auth, _ in auths(toolset.resource):
                url = token_url(toolset, auth)
                if url is not None:
                    reached.setdefault(url, []).append("access tokens")
        for alias in state_models(agent, state):
            reached.setdefault(_model_server(program, alias), []).append(f"model {alias}")
    return reached


def _places(program: Program, agent: Agent, order: list[str]) -> Iterator[Box]:
    for server, what in sorted(_servers(program, agent, order).items()):
        lines = [server]
        if server.startswith("${env.") and program.project is not None:
            variable = server.removeprefix("${env.").removesuffix("}")
            lines += [
                f"{name}: {environment.variables[variable]}"
                for name, environment in program.project.spec.environments.items()
                if variable in environment.variables
            ]
        lines.append(", ".join(sorted(set(what))))
        yield Box(key=f"place:{server}", column="place", kind="place", lines=tuple(lines))


def _arrows(
    program: Program, agent: Agent, graph: Graph, order: list[str], read: Mapping[str, tuple[Source, ...]]
) -> Iterator[Arrow]:
    reaching: dict[tuple[str, str], None] = {}
    for name in order:
        state = agent.states[name]
        roots = {path[0] for text in state.texts.values() for path in text.reads} & {"input", "session"}
        for root in sorted(roots):
            yield Arrow(f"data:{root}", f"state:{name}", "read")
        for edge in graph.edges.get(name, ()):
            label = {"catch": "fails", "default": "else", "branch": "inside"}.get(edge.kind, "")
            kind: Literal["catch", "next"] = "catch" if edge.kind == "catch" else "next"
            yield Arrow(f"state:{name}", f"state:{edge.target}", kind, label)
        loop = isinstance(state.spec, AgentStateSpec)
        ways_out = {grant.tool.name for _, grant in leaks(state, read[name])} if loop else set[str]()
        told = bool(untrusted(state, read[name]))
        for tool, grant in sorted(state.grants.items()):
            broken = "AC502" if tool in ways_out else "AC501" if told and is_unasked(grant) else None
            yield Arrow(f"state:{name}", f"tool:{tool}", "call", broken=broken)
            reaching[f"tool:{tool}", f"place:{_server_of(grant)}"] = None
        for alias in state_models(agent, state):
            # the state's box names its models: an arrow to each would say nothing more
            if not _may_see(program, alias, read[name]):
                target = f"place:{_model_server(program, alias)}"
                yield Arrow(f"state:{name}", target, "reach", alias, "AC503")
    for source, target in reaching:
        yield Arrow(source, target, "reach")


def _may_see(program: Program, alias: str, read: tuple[Source, ...]) -> bool:
    spec = program.project.spec.models.get(alias) if program.project is not None else None
    return spec is None or all(allows(spec.max_sensitivity, source.origin.label) for source in read)

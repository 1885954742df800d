"""The picture of a bundle: what it lets its agent do in one environment."""

from __future__ import annotations

from collections.abc import Iterator

from agentc_runtime import bundle as ir
from agentc_runtime import workflow
from agentc_runtime.verify import Bundle

from ..grant_words import flow_in_words, limits_of_grant, request_line
from .picture import Arrow, Box, Picture

_PRIVATE = ("confidential", "restricted")


def picture_of_bundle(bundle: Bundle, environment: str) -> Picture:
    """States, tools with their limits, and servers. Flows were judged when it was built, and are not here."""
    program = bundle.program
    order = _in_order(program)
    reached = {name: _server(program, program.tools[name], environment) for name in program.grants}
    places = [Box(f"place:{one}", "place", "place", (one, "tools")) for one in sorted(set(reached.values()))]
    boxes = [
        *(_state(program, name) for name in order),
        *(_tool(program, name) for name in sorted(program.grants)),
        *places,
    ]
    return Picture(
        title=f"{program.agent.name} {program.agent.version}",
        subtitle=f"in {environment}",
        boxes=tuple(boxes),
        arrows=tuple(_arrows(program, order, reached)),
        findings=(),
        judged=False,
    )


def _in_order(program: ir.Program) -> list[str]:
    """The states from the start on, breadth first; what is not reached comes last."""
    order = [program.start]
    for name in order:
        order += [target for target in _following(program.states[name]) if target not in order]
    return order + [name for name in program.states if name not in order]


def _following(state: workflow.State) -> list[str]:
    return list(dict.fromkeys((*workflow.branches_of(state), *workflow.targets_of(state))))


def _state(program: ir.Program, name: str) -> Box:
    state = program.states[name]
    kind = str(state.__struct_config__.tag)
    lines = [name, kind + (" (start)" if name == program.start else "")]
    if isinstance(state, workflow.AgentState | workflow.ModelState):
        lines.append(" or ".join(state.models))
    if isinstance(state, workflow.HandoffState):
        lines.append(f"to {state.agent}")
    return Box(f"state:{name}", "state", kind, tuple(lines))


def _tool(program: ir.Program, name: str) -> Box:
    tool, grant = program.tools[name], program.grants[name]
    lines = [
        name,
        f"{tool.effect}  {request_line(tool)}",
        *limits_of_grant(grant),
        *flow_in_words(tool, grant),
    ]
    return Box(
        key=f"tool:{name}",
        column="tool",
        kind=tool.effect,
        lines=(*lines, f"answers {tool.output.trust}, {tool.output.sensitivity}"),
        untrusted=tool.output.trust == "untrusted",
        private=tool.output.sensitivity in _PRIVATE,
    )


def _server(program: ir.Program, tool: ir.Tool, environment: str) -> str:
    endpoint = tool.request.endpoint
    variables = program.environments[environment].variables
    return endpoint.url or variables.get(endpoint.variable or "", "(not set)")


def _arrows(program: ir.Program, order: list[str], reached: dict[str, str]) -> Iterator[Arrow]:
    for name in order:
        state = program.states[name]
        for target in _following(state):
            yield Arrow(f"state:{name}", f"state:{target}", "next")
        tools = set(workflow.tools_of(state))
        if isinstance(state, workflow.HandoffState):
            tools |= set(program.agents[state.agent].grants)
        for tool in sorted(tools & program.grants.keys()):
            yield Arrow(f"state:{name}", f"tool:{tool}", "call")
    for tool, place in sorted(reached.items()):
        yield Arrow(f"tool:{tool}", f"place:{place}", "reach")

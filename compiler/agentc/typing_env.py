"""What `${…}` references and templates may read, as schemas: `input`, `session`, and each state's output."""

from __future__ import annotations

from collections.abc import Mapping

from .diagnostics import Span
from .predicates import close_schema
from .program import SchemaData, Tool
from .resources import Resource, Step
from .syntax.agent import AgentSpec
from .syntax.workflow import AgentStateSpec, ModelStateSpec, StateSpec, ToolStateSpec

_TEXT: SchemaData = {"type": "string"}
_NOTHING: SchemaData = {"type": "object", "properties": {}, "additionalProperties": False}


def declared(
    resource: Resource[AgentSpec], broken: frozenset[Span], schema: SchemaData, *path: Step
) -> SchemaData:
    """The schema at `path`, closed; `{}`, which is unknown, for a broken one: that has been reported."""
    return {} if resource.span(*path) in broken else close_schema(schema)


def state_output(
    resource: Resource[AgentSpec],
    broken: frozenset[Span],
    spec: StateSpec,
    path: tuple[Step, ...],
    tools: Mapping[str, Tool],
) -> SchemaData:
    """The schema of what a state leaves behind. A choice or end leaves nothing; `{}` means unknown."""
    if isinstance(spec, AgentStateSpec | ModelStateSpec):
        if spec.output is None:
            return _TEXT
        return declared(resource, broken, dict(spec.output.schema_), *path, "output", "schema")
    if isinstance(spec, ToolStateSpec):
        tool = tools.get(spec.tool)
        if tool is None or tool.operation is None or tool.spec.output.fields:
            return {}
        return tool.operation.response or {}
    return _NOTHING


def agent_environment(
    resource: Resource[AgentSpec], broken: frozenset[Span], outputs: Mapping[str, SchemaData]
) -> dict[str, SchemaData]:
    """Root name → schema, for `input`, `session` and `states`."""
    spec = resource.spec
    session = _NOTHING
    if spec.session is not None:
        session = declared(resource, broken, dict(spec.session.schema_), "session", "schema")
    states: SchemaData = {
        "type": "object",
        "properties": {
            name: {
                "type": "object",
                "properties": {"output": output} if output is not _NOTHING else {},
                "additionalProperties": False,
            }
            for name, output in outputs.items()
        },
        "additionalProperties": False,
    }
    return {
        "input": declared(resource, broken, dict(spec.input.schema_), "input", "schema"),
        "session": session,
        "states": states,
    }

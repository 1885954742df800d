"""What `${…}` references and templates may read, as schemas: `input`, `session`, and each state's output."""

from __future__ import annotations

from collections.abc import Mapping

from .predicates import close_schema
from .program import SchemaData, Tool
from .syntax.agent import AgentSpec
from .syntax.workflow import AgentStateSpec, ModelStateSpec, StateSpec, ToolStateSpec

_TEXT: SchemaData = {"type": "string"}
_NOTHING: SchemaData = {"type": "object", "properties": {}, "additionalProperties": False}


def state_output(spec: StateSpec, tools: Mapping[str, Tool]) -> SchemaData:
    """The schema of what a state leaves behind. A choice or end leaves nothing; `{}` means unknown."""
    if isinstance(spec, AgentStateSpec | ModelStateSpec):
        return close_schema(dict(spec.output.schema_)) if spec.output else _TEXT
    if isinstance(spec, ToolStateSpec):
        tool = tools.get(spec.tool)
        if tool is None or tool.operation is None or tool.spec.output.fields:
            return {}
        return tool.operation.response or {}
    return _NOTHING


def agent_environment(spec: AgentSpec, outputs: Mapping[str, SchemaData]) -> dict[str, SchemaData]:
    """Root name → schema, for `input`, `session` and `states`."""
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
        "input": close_schema(dict(spec.input.schema_)),
        "session": close_schema(dict(spec.session.schema_)) if spec.session else _NOTHING,
        "states": states,
    }

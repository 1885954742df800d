"""What `${…}` references and templates may read, as schemas: `input`, `session`, and each state's output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from agentc_runtime.expressions import Expr

from .diagnostics import Span
from .expression_types import inlined, item_type, value_type
from .predicates import close_schema
from .program import Agent, SchemaData, Tool
from .references import compile_value
from .resources import Resource, Step
from .syntax.agent import AgentSpec
from .syntax.workflow import (
    AgentStateSpec,
    ApprovalStateSpec,
    EndStateSpec,
    HandoffStateSpec,
    MapStateSpec,
    ModelStateSpec,
    ParallelStateSpec,
    RetrieveStateSpec,
    StateSpec,
    ToolStateSpec,
    VerifyStateSpec,
)

_TEXT: SchemaData = {"type": "string"}
_NOTHING: SchemaData = {"type": "object", "properties": {}, "additionalProperties": False}
_CLASSES = ["tool_error", "model_error", "invalid_output", "unverified", "refused", "timeout", "limit"]
#: How often the outputs of states with branches are worked out, each time from those of the time before.
ROUNDS: Final = 12


def closed_object(properties: Mapping[str, object], required: list[str] | None = None) -> SchemaData:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": sorted(properties) if required is None else required,
        "additionalProperties": False,
    }


#: What an `approval` state leaves.
ANSWER: Final = closed_object({"by": _TEXT, "reason": _TEXT})
#: What a `retrieve` state leaves.
PASSAGES: Final = closed_object(
    {
        "passages": {
            "type": "array",
            "items": closed_object({"text": _TEXT, "source": _TEXT, "score": {"type": ["number", "null"]}}),
        }
    }
)
#: The items of which a `map` says that they failed.
FAILED: Final[SchemaData] = {
    "type": "array",
    "items": closed_object({"index": {"type": "integer"}, "error": {"enum": _CLASSES}}),
}


class Placed(NamedTuple):
    """A state with its path below the agent's spec, and the state and branch that it is inside."""

    spec: StateSpec
    path: tuple[Step, ...]
    inside: tuple[str, str] | None


def declared(
    resource: Resource[AgentSpec], broken: frozenset[Span], schema: SchemaData, *path: Step
) -> SchemaData:
    """The schema at `path`, closed; `{}`, which is unknown, for a broken one: that has been reported."""
    return {} if resource.span(*path) in broken else close_schema(schema)


class Typing:
    """The types of one agent's data."""

    def __init__(
        self,
        resource: Resource[AgentSpec],
        broken: frozenset[Span],
        tools: Mapping[str, Tool],
        agents: Mapping[str, Agent],
    ) -> None:
        self._resource = resource
        self._broken = broken
        self._tools = tools
        self._agents = agents

    def environment(
        self, placed: Mapping[str, Placed]
    ) -> tuple[dict[str, SchemaData], dict[str, SchemaData]]:
        """Root name → schema, for `input`, `session` and `states`; and the output of each state.

        `{}` means unknown. A choice or an end leaves nothing.
        """
        outputs: dict[str, SchemaData] = {name: self._own(one) for name, one in placed.items()}
        items: dict[str, SchemaData] = {
            name: {} for name, one in placed.items() if isinstance(one.spec, MapStateSpec)
        }
        made = [name for name, one in placed.items() if isinstance(one.spec, _MADE)]
        answers = {
            name: inlined(outputs[name], answer=True)
            for name, one in placed.items()
            if isinstance(one.spec, ToolStateSpec)
        }
        environment = self._roots(outputs | answers, items)
        for _ in range(ROUNDS if made else 0):
            now = {name: self._made(name, placed, environment) for name in made}
            over = {name: item_type(self._at(placed[name], "over"), environment) for name in items}
            if now == {name: outputs[name] for name in made} and over == items:
                break
            outputs |= now
            items = over
            environment = self._roots(outputs | answers, items)
        else:
            if made:  # a loop makes it larger each time round: nothing is known of it
                outputs |= {name: {} for name in made}
                items = {name: {} for name in items}
        return self._roots(outputs, items), outputs

    def _roots(
        self, outputs: Mapping[str, SchemaData], items: Mapping[str, SchemaData]
    ) -> dict[str, SchemaData]:
        resource, broken, spec = self._resource, self._broken, self._resource.spec
        session = _NOTHING
        if spec.session is not None:
            session = declared(resource, broken, dict(spec.session.schema_), "session", "schema")
        states: SchemaData = {
            "type": "object",
            "properties": {
                name: {
                    "type": "object",
                    "properties": {
                        **({"output": output} if output is not _NOTHING else {}),
                        **({"item": items[name]} if name in items else {}),
                    },
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

    def _own(self, placed: Placed) -> SchemaData:
        """What a state leaves behind as far as it says so itself."""
        spec, resource, broken = placed.spec, self._resource, self._broken
        match spec:
            case AgentStateSpec() | ModelStateSpec():
                if spec.output is None:
                    return _TEXT
                return declared(resource, broken, dict(spec.output.schema_), *placed.path, "output", "schema")
            case ToolStateSpec():
                tool = self._tools.get(spec.tool)
                if tool is None or tool.operation is None or tool.spec.output.fields:
                    return {}
                return tool.operation.response or {}
            case ApprovalStateSpec():
                return ANSWER
            case RetrieveStateSpec():
                return PASSAGES
            case HandoffStateSpec():
                agent = self._agents.get(spec.agent)
                return {} if agent is None else agent.output or _TEXT
            case VerifyStateSpec() if spec.schema_ is not None:
                return declared(resource, broken, dict(spec.schema_), *placed.path, "schema")
            case ParallelStateSpec() | MapStateSpec() | VerifyStateSpec():
                return {}
        return _NOTHING

    def _made(
        self, name: str, placed: Mapping[str, Placed], environment: Mapping[str, SchemaData]
    ) -> SchemaData:
        """What a state leaves behind that is made of other data."""
        spec = placed[name].spec
        if isinstance(spec, ParallelStateSpec):
            branches = {branch: self._result(name, branch, placed, environment) for branch in spec.branches}
            if spec.wait == "all":
                return closed_object(branches)
            either: SchemaData = {"anyOf": list(branches.values())}
            if spec.wait == "any":
                return either
            return {"type": "array", "items": either, "minItems": spec.wait, "maxItems": spec.wait}
        if isinstance(spec, MapStateSpec):
            result = self._result(name, "", placed, environment)
            return closed_object({"results": {"type": "array", "items": result}, "failed": FAILED})
        if isinstance(spec, VerifyStateSpec) and spec.schema_ is None:
            return inlined(value_type(self._at(placed[name], "value"), environment))
        return self._own(placed[name])

    def _result(
        self,
        name: str,
        branch: str,
        placed: Mapping[str, Placed],
        environment: Mapping[str, SchemaData],
    ) -> SchemaData:
        """What the ends of a branch give."""
        found = [
            inlined(value_type(self._at(one, "output"), environment))
            for one in placed.values()
            if one.inside == (name, branch) and isinstance(one.spec, EndStateSpec)
        ]
        return found[0] if len(found) == 1 else {"anyOf": found} if found else {}

    def _at(self, placed: Placed, key: str) -> Expr:
        """The expression that stands at a key of a state; nothing at all is null."""
        node = self._resource.at(*placed.path, key) if placed.path else None
        return compile_value(node)


_MADE = (ParallelStateSpec, MapStateSpec, VerifyStateSpec)

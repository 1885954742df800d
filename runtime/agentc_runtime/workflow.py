"""The states of a workflow, in the bundle: what runs after what, and what becomes of a failure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from .expressions import Expr, Record, Ref, Schema, Template

ErrorClass: TypeAlias = Literal[
    "tool_error", "model_error", "invalid_output", "refused", "timeout", "limit", "any"
]


class Retry(Record, frozen=True, kw_only=True):
    """Exponential backoff: wait `backoff_ms · rate^(n-1)`, at most `max_backoff_ms`, with full jitter."""

    max_attempts: int = 1
    backoff_ms: int = 500
    rate: int = 2
    max_backoff_ms: int = 30_000
    errors: tuple[ErrorClass, ...] = ("any",)


class Catch(Record, frozen=True, kw_only=True):
    """Where to go when a state fails with one of `errors`."""

    errors: tuple[ErrorClass, ...]
    next: str


class AgentState(Record, frozen=True, kw_only=True, tag_field="type", tag="agent"):
    """A model loop over tools: it ends when the model answers without a tool call.

    `tools` is this state's allowlist. With an `output` schema the answer is JSON that satisfies it.
    """

    instructions: Template
    prompt: Template
    tools: tuple[str, ...]
    models: tuple[str, ...]
    turns: int
    next: str
    output: Schema | None = None
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()


class ModelState(Record, frozen=True, kw_only=True, tag_field="type", tag="model"):
    """One structured completion without tools."""

    instructions: Template
    prompt: Template
    models: tuple[str, ...]
    next: str
    output: Schema | None = None
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()


class ToolState(Record, frozen=True, kw_only=True, tag_field="type", tag="tool"):
    """A deterministic call: same broker, same checks, arguments from references."""

    tool: str
    arguments: dict[str, Expr]
    next: str
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()


class Choice(Record, frozen=True, kw_only=True):
    """Go to `next` when the value at `on` satisfies `when`."""

    on: Ref
    when: Schema
    next: str


class ChoiceState(Record, frozen=True, kw_only=True, tag_field="type", tag="choice"):
    """The first choice that holds, else `default`; without a default the run fails."""

    choices: tuple[Choice, ...]
    default: str | None = None


class EndState(Record, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The run's result. It must satisfy the agent's output schema."""

    output: Expr


State: TypeAlias = AgentState | ModelState | ToolState | ChoiceState | EndState


def tools_of(state: State) -> tuple[str, ...]:
    """The tools that a state may call."""
    match state:
        case AgentState(tools=tools):
            return tools
        case ToolState(tool=tool):
            return (tool,)
    return ()

"""The states of a workflow, in the bundle: what runs after what, and what becomes of a failure.

All states of an agent stand in one table. A `parallel` or `map` state names the states that its branches
begin with; a branch goes on by `next` like any workflow and is over at an `end`, and no branch shares a state
with another or with what is around it. So what a branch may reach can be read off the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from .expressions import Expr, Record, Ref, Schema, Template
from .labels import Label, Sensitivity

ErrorClass: TypeAlias = Literal[
    "tool_error", "model_error", "invalid_output", "unverified", "refused", "timeout", "limit", "any"
]


class Retry(Record, frozen=True, kw_only=True):
    """Exponential backoff: wait `backoff_ms · rate^(n-1)`, at most `max_backoff_ms`, with full jitter."""

    max_attempts: int = 1
    backoff_ms: int = 500
    rate: int = 2
    max_backoff_ms: int = 30_000
    errors: tuple[ErrorClass, ...] = ("any",)


class Catch(Record, frozen=True, kw_only=True):
    """Where to go when a state fails with one of `errors`.

    With `undo` what the run has done so far is undone first, the last effect first.
    """

    errors: tuple[ErrorClass, ...]
    next: str
    undo: bool = False


class AgentState(Record, frozen=True, kw_only=True, tag_field="type", tag="agent"):
    """A model loop over tools: it ends when the model answers without a tool call.

    `tools` is this state's allowlist. With an `output` schema the answer is JSON that satisfies it. Once an
    answer could not be used, the models in `escalation` are asked first.
    """

    instructions: Template
    prompt: Template
    tools: tuple[str, ...]
    models: tuple[str, ...]
    turns: int
    next: str
    output: Schema | None = None
    escalation: tuple[str, ...] = ()
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class ModelState(Record, frozen=True, kw_only=True, tag_field="type", tag="model"):
    """One structured completion without tools. `escalation` as in an `agent` state."""

    instructions: Template
    prompt: Template
    models: tuple[str, ...]
    next: str
    output: Schema | None = None
    escalation: tuple[str, ...] = ()
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class ToolState(Record, frozen=True, kw_only=True, tag_field="type", tag="tool"):
    """A deterministic call: same broker, same checks, arguments from references."""

    tool: str
    arguments: dict[str, Expr]
    next: str
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class Choice(Record, frozen=True, kw_only=True):
    """Go to `next` when the value at `on` satisfies `when`."""

    on: Ref
    when: Schema
    next: str


class ChoiceState(Record, frozen=True, kw_only=True, tag_field="type", tag="choice"):
    """The first choice that holds, else `default`; without a default the run fails."""

    choices: tuple[Choice, ...]
    default: str | None = None


class ParallelState(Record, frozen=True, kw_only=True, tag_field="type", tag="parallel"):
    """Branches at once, each under its name, with the state that it begins with.

    `wait` says how many have to succeed. `all`: the output is an object, branch → its output, and the state
    fails with the first branch that fails, in the order of their names, when all are over. `any`: it is the
    output of the one that succeeds first. A number: the list of that many outputs, in the order of the
    branches' names. What is not needed any more is cancelled, so such branches hold no effect.
    """

    branches: dict[str, str]
    output: Schema
    next: str
    wait: Literal["all", "any"] | int = "all"
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class MapState(Record, frozen=True, kw_only=True, tag_field="type", tag="map"):
    """The same workflow for each item of a list, `concurrency` of them at a time.

    It begins at `start`, and reads its item, one of `item`, at `("states", S, "item")`. The output is
    `{"results": […], "failed": [{"index": N, "error": CLASS}]}`, both in the order of the list. More than
    `tolerated` failures fail the state; `None` tolerates all of them.
    """

    over: Ref
    item: Schema
    start: str
    output: Schema
    next: str
    concurrency: int = 4
    max_items: int = 100
    tolerated: int | None = 0
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class ApprovalState(Record, frozen=True, kw_only=True, tag_field="type", tag="approval"):
    """A person is asked. `show` is what they see besides `message`.

    The output is `{"by": WHO, "reason": TEXT}`. Without `rejected` a rejection fails the state, without
    `expired` so does an answer that does not come.
    """

    message: Template
    by: tuple[str, ...]
    next: str
    show: Expr | None = None
    expires_ms: int = 86_400_000
    rejected: str | None = None
    expired: str | None = None
    catch: tuple[Catch, ...] = ()


class RetrieveState(Record, frozen=True, kw_only=True, tag_field="type", tag="retrieve"):
    """Ask the retriever that the deployer registered under `retriever` for passages.

    The output is `{"passages": [{"text": …, "source": …, "score": …}]}`, labelled by the query and `label`.
    The query may be as sensitive as `max_sensitivity`.
    """

    retriever: str
    query: Expr
    label: Label
    next: str
    top: int = 5
    max_sensitivity: Sensitivity = "internal"
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class VerifyState(Record, frozen=True, kw_only=True, tag_field="type", tag="verify"):
    """Let a value pass, which is the output, or fail with the class `unverified`.

    With `schema` it has to satisfy that. With `grounds` each text and number in the value at `quotes` has to
    stand word for word in one of them.
    """

    value: Ref
    next: str
    schema: Schema | None = None
    quotes: Ref | None = None
    grounds: tuple[Ref, ...] = ()
    catch: tuple[Catch, ...] = ()


class HandoffState(Record, frozen=True, kw_only=True, tag_field="type", tag="handoff"):
    """Let another agent of the bundle work on `input`. The output is its result.

    It has its own states, grants, models and limits, and of the run no more than what it is given.
    """

    agent: str
    input: Expr
    session: Expr
    next: str
    retry: Retry = Retry()
    catch: tuple[Catch, ...] = ()
    timeout_ms: int | None = None


class EndState(Record, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The run's result. It must satisfy the agent's output schema."""

    output: Expr


State: TypeAlias = (
    AgentState
    | ModelState
    | ToolState
    | ChoiceState
    | ParallelState
    | MapState
    | ApprovalState
    | RetrieveState
    | VerifyState
    | HandoffState
    | EndState
)
#: States that can neither be tried again nor be cut short.
Momentary: TypeAlias = ChoiceState | ApprovalState | VerifyState | EndState


def tools_of(state: State) -> tuple[str, ...]:
    """The tools that a state may call."""
    match state:
        case AgentState(tools=tools):
            return tools
        case ToolState(tool=tool):
            return (tool,)
    return ()


def targets_of(state: State) -> tuple[str, ...]:
    """The states that may follow in the same workflow, in the order in which the state names them."""
    match state:
        case EndState():
            return ()
        case ChoiceState(choices=choices, default=default):
            return (*(choice.next for choice in choices), *(() if default is None else (default,)))
        case ApprovalState(next=following, rejected=rejected, expired=expired, catch=catch):
            others = [name for name in (rejected, expired) if name is not None]
            return (following, *others, *(one.next for one in catch))
    return (state.next, *(one.next for one in state.catch))


def inside_of(states: Mapping[str, State], state: State) -> frozenset[str]:
    """All states that may run inside a state, at any depth."""
    found: set[str] = set()
    waiting = list(branches_of(state))
    while waiting:
        name = waiting.pop()
        if name in states and name not in found:
            found.add(name)
            waiting += [*targets_of(states[name]), *branches_of(states[name])]
    return frozenset(found)


def branches_of(state: State) -> tuple[str, ...]:
    """The states that the workflows inside this one begin with."""
    match state:
        case ParallelState(branches=branches):
            return tuple(branches.values())
        case MapState(start=start):
            return (start,)
    return ()

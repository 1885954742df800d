"""The states of a workflow to the runtime's."""

from __future__ import annotations

from agentc_runtime import expressions, workflow
from agentc_runtime.expressions import Expr, Object, Ref
from agentc_runtime.labels import Label

from .expression_types import inlined
from .predicates import close_schema, match_when
from .program import Agent, State
from .schematypes import properties_of, type_at
from .stepping import answering_models, escalation
from .syntax.common import OutputSpec, RetrySpec, milliseconds
from .syntax.workflow import (
    AgentStateSpec,
    ApprovalStateSpec,
    CatchSpec,
    ChoiceStateSpec,
    EndStateSpec,
    FallibleState,
    HandoffStateSpec,
    MapStateSpec,
    ModelStateSpec,
    ParallelStateSpec,
    RetrieveStateSpec,
    ToolStateSpec,
    VerifyStateSpec,
)


def lower_retry(spec: RetrySpec | None) -> workflow.Retry:
    """How often, and how long between."""
    if spec is None:
        return workflow.Retry()
    return workflow.Retry(
        max_attempts=spec.max_attempts,
        backoff_ms=milliseconds(spec.backoff),
        max_backoff_ms=milliseconds(spec.max_backoff),
        errors=spec.errors,
    )


def _catch(specs: tuple[CatchSpec, ...]) -> tuple[workflow.Catch, ...]:
    return tuple(workflow.Catch(errors=spec.errors, next=spec.next, undo=spec.undo) for spec in specs)


def _timeout(spec: FallibleState) -> int | None:
    return None if spec.timeout is None else milliseconds(spec.timeout)


def _output(spec: OutputSpec | None) -> expressions.Schema | None:
    return close_schema(dict(spec.schema_)) if spec else None


def _ref(state: State, place: str) -> Ref:
    found = state.exprs[place].expr
    assert isinstance(found, Ref)  # AC212 refuses anything else
    return found


def _object(state: State, part: str, names: object) -> Object:
    assert isinstance(names, dict)
    return Object(fields={name: state.exprs[f"{part}/{name}"].expr for name in sorted(names)})


def lower_state(agent: Agent, state: State) -> workflow.State:  # noqa: PLR0911  one return a state type
    """One state."""
    spec = state.spec
    match spec:
        case AgentStateSpec():
            return workflow.AgentState(
                instructions=state.texts["instructions"].template,
                prompt=state.texts["prompt"].template,
                tools=tuple(sorted(state.grants)),
                models=answering_models(agent, state),
                escalation=escalation(agent, state),
                turns=spec.turns,
                next=spec.next,
                output=_output(spec.output),
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case ModelStateSpec():
            return workflow.ModelState(
                instructions=state.texts["instructions"].template,
                prompt=state.texts["prompt"].template,
                models=answering_models(agent, state),
                escalation=escalation(agent, state),
                next=spec.next,
                output=_output(spec.output),
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case ToolStateSpec():
            return workflow.ToolState(
                tool=spec.tool,
                arguments={name: state.exprs[f"arguments/{name}"].expr for name in spec.arguments},
                next=spec.next,
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case ChoiceStateSpec():
            return workflow.ChoiceState(
                choices=tuple(
                    workflow.Choice(
                        on=_ref(state, f"choices/{index}/value"),
                        when=match_when(dict(choice.when)),
                        next=choice.next,
                    )
                    for index, choice in enumerate(spec.choices)
                ),
                default=spec.default,
            )
        case EndStateSpec():
            return workflow.EndState(output=state.exprs["output"].expr)
        case ParallelStateSpec():
            return workflow.ParallelState(
                branches={name: branch.start for name, branch in sorted(spec.branches.items())},
                output=state.output,
                next=spec.next,
                wait=spec.wait,
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case MapStateSpec():
            item = type_at(agent.environment["states"], (state.name, "item"))
            return workflow.MapState(
                over=_ref(state, "over"),
                item=inlined(item or {}),
                start=spec.start,
                output=state.output,
                next=spec.next,
                concurrency=spec.concurrency,
                max_items=spec.max_items,
                tolerated=None if spec.failures == "any" else spec.failures,
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case ApprovalStateSpec():
            return workflow.ApprovalState(
                message=state.texts["message"].template,
                by=spec.by,
                next=spec.next,
                show=_object(state, "show", spec.show) if spec.show else None,
                expires_ms=milliseconds(spec.expires),
                rejected=spec.rejected,
                expired=spec.expired,
                catch=_catch(spec.catch),
            )
        case RetrieveStateSpec():
            return workflow.RetrieveState(
                retriever=spec.retriever,
                query=state.exprs["query"].expr,
                label=Label(trust=spec.output.trust, sensitivity=spec.output.sensitivity),
                next=spec.next,
                top=spec.top,
                max_sensitivity=spec.max_sensitivity,
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )
        case VerifyStateSpec():
            return workflow.VerifyState(
                value=_ref(state, "value"),
                next=spec.next,
                schema=close_schema(dict(spec.schema_)) if spec.schema_ is not None else None,
                quotes=_ref(state, "quotes") if spec.quotes is not None else None,
                grounds=tuple(_ref(state, f"grounds/{index}") for index in range(len(spec.grounds))),
                catch=_catch(spec.catch),
            )
        case HandoffStateSpec():
            return workflow.HandoffState(
                agent=spec.agent,
                input=_object(state, "input", spec.input),
                session=session_for(agent, state),
                next=spec.next,
                retry=lower_retry(spec.retry),
                catch=_catch(spec.catch),
                timeout_ms=_timeout(spec),
            )


def session_for(agent: Agent, state: State) -> Expr:
    """The session of an agent that is handed off to: what it declares of its caller's."""
    wanted = properties_of(state.handoff.environment["session"]) if state.handoff is not None else frozenset()
    mine = agent.environment["session"]
    return Object(
        fields={
            name: Ref(path=("session", name)) for name in sorted(wanted) if type_at(mine, (name,)) is not None
        }
    )

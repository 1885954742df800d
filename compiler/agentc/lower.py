"""The resolved program to the runtime's: only what the agent uses is carried over, with its positions.

Called for a program without errors only. Nothing here decides; it writes down what resolve and the checks
have established.
"""

from __future__ import annotations

from collections.abc import Mapping

from agentc_runtime import bundle as ir
from agentc_runtime import expressions, labels, workflow

from .credentials import endpoint_of, lowered_auth, lowered_certificate
from .diagnostics import Span
from .environments import lowered_environments
from .flow import flow_of, flow_span
from .names import model_name
from .pages import lower_cache, lower_pagination
from .predicates import (
    close_schema,
    close_unless,
    close_where,
    match_when,
    merge_limits,
    open_when,
    origins_of,
    typed_schema,
)
from .program import Agent, Grant, Program, SchemaData, State, Tool
from .resources import Resource
from .stepping import state_models
from .syntax.agent import AgentSpec
from .syntax.common import DataSpec, RetrySpec, milliseconds
from .syntax.project import ModelSpec, ProjectSpec
from .syntax.workflow import (
    AgentStateSpec,
    CatchSpec,
    ChoiceStateSpec,
    EndStateSpec,
    ModelStateSpec,
    ToolStateSpec,
)

#: Where each provider's API is when the project does not say.
PROVIDER_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
}


def obstacle(agent: Agent) -> str | None:
    """Why an agent of a project without errors can't be lowered; `None` when it can.

    The project may have made the findings about a document, or about servers, less than errors.
    """
    unknown = [grant.tool for _, grant in sorted(agent.grants.items()) if grant.tool.operation is None]
    if unknown:
        names = ", ".join(f"`{tool.name}`" for tool in unknown[:3]) + (", …" if unknown[3:] else "")
        document = unknown[0].toolset.spec.openapi.file
        return f"what {names} would do is not known, because `{document}` is not there or can't be used"
    for name, grant in sorted(agent.grants.items()):
        operation, spec = grant.tool.operation, grant.tool.toolset.spec
        if not (grant.tool.spec.server or spec.server or (operation and operation.servers)):
            return f"where `{name}` is served is not known"
    return None


def lower(program: Program, agent: Agent) -> tuple[ir.Program, ir.SourceMap]:
    """The runtime program of one agent, and the source map of everything that governs it."""
    project = program.project
    assert project is not None  # a project without errors has one
    tools = {name: _tool(program, agent, grant.tool) for name, grant in agent.grants.items()}
    models = _models(project.spec, agent)
    spec = agent.spec
    lowered = ir.Program(
        agent=agent_info(agent.resource),
        input=_data(spec.input),
        session=_data(spec.session) if spec.session else _NO_SESSION,
        output=_closed(spec.output.schema_) if spec.output else {"type": "string"},
        start=agent.start,
        states={name: _state(agent, state) for name, state in sorted(agent.states.items())},
        models=models,
        tools=tools,
        grants={name: lower_grant(grant) for name, grant in sorted(agent.grants.items())},
        environments=lowered_environments(program, project.spec, tools, models),
        default_environment=project.spec.default_environment or next(iter(project.spec.environments)),
        limits=ir.Limits(
            steps=spec.limits.steps,
            tokens=spec.limits.tokens,
            cost_usd=spec.limits.cost_usd,
            time_ms=milliseconds(spec.limits.time),
            calls_per_turn=spec.limits.calls_per_turn,
        ),
    )
    return lowered, _source_map(project, agent)


_NO_SESSION = ir.Data(
    schema={"type": "object", "properties": {}, "additionalProperties": False},
    label=labels.Label(trust="trusted", sensitivity="public"),
)


def agent_info(resource: Resource[AgentSpec]) -> ir.AgentInfo:
    """Who the agent is."""
    meta = resource.metadata
    return ir.AgentInfo(name=meta.name, version=meta.version, owner=meta.owner, description=meta.description)


def _closed(schema: Mapping[str, object]) -> SchemaData:
    return close_schema(dict(schema))


def _data(spec: DataSpec) -> ir.Data:
    label = labels.Label(trust=spec.trust, sensitivity=spec.sensitivity)
    return ir.Data(schema=_closed(spec.schema_), label=label)


def _retry(spec: RetrySpec | None) -> workflow.Retry:
    if spec is None:
        return workflow.Retry()
    return workflow.Retry(
        max_attempts=spec.max_attempts,
        backoff_ms=milliseconds(spec.backoff),
        max_backoff_ms=milliseconds(spec.max_backoff),
        errors=spec.errors,
    )


def _tool(program: Program, agent: Agent, tool: Tool) -> ir.Tool:
    operation, spec = tool.operation, tool.spec
    assert operation is not None  # the pipeline builds no agent with a tool whose operation is not known
    server = spec.server or tool.toolset.spec.server or operation.servers[0]
    auth, certificate = lowered_auth(program, agent, tool), lowered_certificate(tool.toolset)
    return ir.Tool(
        name=tool.name,
        model_name=model_name(tool.name),
        description=spec.description or operation.description or f"{operation.method} {operation.path}",
        effect=spec.effect,
        arguments=operation.arguments,
        output=labels.Label(trust=spec.output.trust, sensitivity=spec.output.sensitivity),
        request=operation.plan(endpoint_of(server), auth, certificate),
        max_response_bytes=spec.output.max_bytes,
        fields=spec.output.fields,
        timeout_ms=milliseconds(spec.timeout),
        retry=_retry(spec.retry),
        rate_per_minute=spec.rate.per_minute if spec.rate else None,
        idempotency_header=spec.idempotency.header if spec.idempotency else None,
        pagination=lower_pagination(spec.pagination) if spec.pagination else None,
        cache=lower_cache(spec.cache) if spec.cache else None,
        undo=ir.Undo(tool=f"{tool.toolset.name}.{spec.undo}") if spec.undo else None,
        destinations=tuple(sorted(set(spec.destinations))),
        typed=typed_schema(spec.output.typed) if spec.output.typed is not None else None,
    )


def lower_grant(grant: Grant) -> ir.Grant:
    """One grant of a tool whose operation is known."""
    spec, operation = grant.spec, grant.tool.operation
    assert operation is not None  # as in `_tool`
    where = close_where(spec.where) if spec.where else None
    approval = None
    if spec.approval is not None:
        approval = ir.Approval(
            by=spec.approval.by,
            when=open_when(spec.approval.when) if spec.approval.when is not None else None,
            expires_ms=milliseconds(spec.approval.expires),
        )
    quota = None
    if spec.quota is not None:
        quota = ir.Quota(per_run=spec.quota.per_run, per_day=spec.quota.per_day)
    return ir.Grant(
        tool=grant.tool.name,
        permission_set=grant.permission_set.name,
        schema=merge_limits(operation.arguments, set(spec.bind), where),
        where=where,
        origins=origins_of(spec.where),
        bind={name: bound.expr for name, bound in sorted(grant.bind.items())},
        approval=approval,
        quota=quota,
        untrusted_to_effect=flow_of(grant).policy,
        unless=_unless(grant),
    )


def _unless(grant: Grant) -> ir.Unless | None:
    flow = grant.spec.untrusted_to_effect
    if flow is None or flow.unless is None:
        return None
    return ir.Unless(
        schema=close_unless(flow.unless, grant.spec.where),
        origins=origins_of(flow.unless),
        max_sensitivity=flow.max_sensitivity,
    )


def _models(project: ProjectSpec, agent: Agent) -> dict[str, ir.Model]:
    used = {alias for state in agent.states.values() for alias in state_models(agent, state)}
    return {alias: _model(alias, project.models[alias]) for alias in sorted(used)}


def _model(alias: str, spec: ModelSpec) -> ir.Model:
    prices = None
    if spec.prices is not None:
        prices = ir.Prices(
            input=spec.prices.input, output=spec.prices.output, cached_input=spec.prices.cached_input
        )
    return ir.Model(
        alias=alias,
        provider=spec.provider,
        model=spec.model,
        endpoint=endpoint_of(spec.base_url or PROVIDER_URLS[spec.provider]),
        secret=spec.secret,
        prices=prices,
        max_sensitivity=spec.max_sensitivity,
        max_output_tokens=spec.max_output_tokens,
        strict_tools=spec.strict_tools,
        temperature=None if spec.temperature is None else format(spec.temperature, "g"),
        timeout_ms=milliseconds(spec.timeout),
    )


def _catch(specs: tuple[CatchSpec, ...]) -> tuple[workflow.Catch, ...]:
    return tuple(workflow.Catch(errors=spec.errors, next=spec.next) for spec in specs)


def _state(agent: Agent, state: State) -> workflow.State:
    spec = state.spec
    match spec:
        case AgentStateSpec():
            return workflow.AgentState(
                instructions=state.texts["instructions"].template,
                prompt=state.texts["prompt"].template,
                tools=tuple(sorted(state.grants)),
                models=state_models(agent, state),
                turns=spec.turns,
                next=spec.next,
                output=_closed(spec.output.schema_) if spec.output else None,
                retry=_retry(spec.retry),
                catch=_catch(spec.catch),
            )
        case ModelStateSpec():
            return workflow.ModelState(
                instructions=state.texts["instructions"].template,
                prompt=state.texts["prompt"].template,
                models=state_models(agent, state),
                next=spec.next,
                output=_closed(spec.output.schema_) if spec.output else None,
                retry=_retry(spec.retry),
                catch=_catch(spec.catch),
            )
        case ToolStateSpec():
            return workflow.ToolState(
                tool=spec.tool,
                arguments={name: state.exprs[f"arguments/{name}"].expr for name in spec.arguments},
                next=spec.next,
                retry=_retry(spec.retry),
                catch=_catch(spec.catch),
            )
        case ChoiceStateSpec():
            choices = []
            for index, choice in enumerate(spec.choices):
                on = state.exprs[f"choices/{index}/value"].expr
                assert isinstance(on, expressions.Ref)  # AC212 refuses anything else
                choices.append(workflow.Choice(on=on, when=match_when(dict(choice.when)), next=choice.next))
            return workflow.ChoiceState(choices=tuple(choices), default=spec.default)
        case EndStateSpec():
            return workflow.EndState(output=state.exprs["output"].expr)


def _source_map(project: Resource[ProjectSpec], agent: Agent) -> ir.SourceMap:
    """Where each governed thing stands. The keys are those of `agentc_runtime.bundle.SourceMap`."""
    spans: dict[str, Span] = {
        "agent": agent.resource.name_span(),
        "input": agent.span("input", key=True),
        "session": agent.span("session", key=True),
        "output": agent.span("output", key=True),
        "limits": agent.span("limits", key=True),
    }
    for name in agent.spec.limits.model_fields_set:
        spans[f"limits/{name}"] = agent.span("limits", name, key=True)
    for name, state in agent.states.items():
        spans[f"state:{name}"] = agent.span(*state.path, key=True)
        spans[f"state:{name}/tools"] = agent.span(*state.path, "tools", key=True)
        if not state.path:
            spans[f"state:{name}/tools"] = agent.span("permissions", key=True)
        for alias in state_models(agent, state):
            spans[f"model:{alias}"] = project.span("models", alias, key=True)
    for name, grant in agent.grants.items():
        spans[f"tool:{name}"] = grant.tool.span(key=True)
        if grant.tool.spec.pagination is not None:
            spans[f"tool:{name}/pagination"] = grant.tool.span("pagination", key=True)
        spans[f"grant:{name}"] = grant.span("tool")
        for part in ("approval", "quota"):
            if getattr(grant.spec, part) is not None:
                spans[f"grant:{name}/{part}"] = grant.span(part, key=True)
        for part in ("where", "bind"):
            for argument in getattr(grant.spec, part):
                spans[f"grant:{name}/{part}/{argument}"] = grant.span(part, argument, key=True)
        if (where := flow_span(grant)) is not None:
            spans[f"grant:{name}/untrusted_to_effect"] = where
    for name, environment in project.spec.environments.items():
        spans[f"environment:{name}"] = project.span("environments", name, key=True)
        for variable in environment.variables:
            spans[f"environment:{name}/{variable}"] = project.span(
                "environments", name, "variables", variable, key=True
            )
        for secret in environment.secrets:
            spans[f"environment:{name}/{secret}"] = project.span(
                "environments", name, "secrets", secret, key=True
            )
    return {
        key: ir.Position(file=span.file, line=span.line, column=span.column)
        for key, span in sorted(spans.items())
    }

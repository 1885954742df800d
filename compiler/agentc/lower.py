"""The resolved program to the runtime's: only what the agent uses is carried over, with its positions.

Called for a program without errors only. Nothing here decides; it writes down what resolve and the checks
have established.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from agentc_runtime import bundle as ir
from agentc_runtime import expressions, labels
from agentc_runtime.environments import Environment

from .credentials import endpoint_of, lowered_auth, lowered_certificate
from .diagnostics import Span
from .environments import lowered_environments
from .flow import flow_of, flow_span
from .lower_states import lower_retry, lower_state
from .names import model_name
from .pages import lower_cache, lower_pagination
from .predicates import (
    close_schema,
    close_unless,
    close_where,
    merge_limits,
    open_when,
    origins_of,
    typed_schema,
)
from .program import Agent, Grant, Program, SchemaData, Tool
from .resources import Resource
from .schematypes import properties_of
from .stepping import state_models
from .syntax.agent import AgentSpec
from .syntax.common import DataSpec, milliseconds
from .syntax.project import ModelSpec, ProjectSpec
from .syntax.workflow import CatchingState, FallibleState

T = TypeVar("T")

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
    """The runtime program of one agent, with those that it hands off to, and the source map of all of it."""
    project = program.project
    assert project is not None  # a project without errors has one
    handed = {name: lower(program, inner) for name, inner in sorted(handed_off_to(agent).items())}
    tools = {name: _tool(program, agent, grant.tool) for name, grant in agent.grants.items()}
    models = _models(project.spec, agent)
    spec = agent.spec
    lowered = ir.Program(
        agent=agent_info(agent.resource),
        input=_data(spec.input),
        session=_data(spec.session) if spec.session else _NO_SESSION,
        output=_closed(spec.output.schema_) if spec.output else {"type": "string"},
        start=agent.start,
        states={name: lower_state(agent, state) for name, state in sorted(agent.states.items())},
        models=models,
        tools=tools,
        grants={name: lower_grant(grant) for name, grant in sorted(agent.grants.items())},
        environments=lowered_environments(
            program, project.spec, _with(tools, handed, "tools"), _with(models, handed, "models")
        ),
        default_environment=project.spec.default_environment or next(iter(project.spec.environments)),
        limits=ir.Limits(
            steps=spec.limits.steps,
            tokens=spec.limits.tokens,
            cost_usd=spec.limits.cost_usd,
            time_ms=milliseconds(spec.limits.time),
            calls_per_turn=spec.limits.calls_per_turn,
            cost_per_session_usd=spec.limits.cost_per_session_usd,
            cost_per_tenant_usd=spec.limits.cost_per_tenant_usd,
            cost_per_day_usd=spec.limits.cost_per_day_usd,
            session_key=spec.limits.session_key,
            tenant_key=spec.limits.tenant_key,
        ),
        agents={name: inner for name, (inner, _) in handed.items()},
        undo=spec.workflow is not None and spec.workflow.undo_on_failure,
        undoing=undoing(agent),
    )
    source_map = _source_map(project, agent)
    for name, (_, inner) in handed.items():
        source_map |= {f"agent:{name}/{key}": position for key, position in inner.items()}
    return lowered, dict(sorted(source_map.items()))


def handed_off_to(agent: Agent) -> dict[str, Agent]:
    """The agents that an agent hands off to, by name."""
    found = [state.handoff for state in agent.states.values() if state.handoff is not None]
    return {inner.resource.name: inner for inner in found}


def _with(
    own: Mapping[str, T], handed: Mapping[str, tuple[ir.Program, ir.SourceMap]], part: str
) -> dict[str, T]:
    """The tools or models of an agent and of all that it hands off to: its environments serve them all."""
    found = dict(own)

    def add(name: str, program: ir.Program) -> None:
        found.update({f"{name}/{key}": one for key, one in getattr(program, part).items()})
        for inner, one in program.agents.items():
            add(f"{name}/{inner}", one)

    for name, (program, _) in handed.items():
        add(name, program)
    return found


def _undo(agent: Agent, tool: Tool) -> ir.Undo:
    """How a call is taken back. Without `arguments`, the ones that both calls have and nothing binds."""
    undo = tool.spec.undo
    assert undo is not None and tool.operation is not None  # noqa: PT018  the caller has looked
    name = f"{tool.toolset.name}.{undo.tool}"
    if undo.arguments is not None:
        paths = {key: tuple(path.split(".")) for key, path in sorted(undo.arguments.items())}
    else:
        grant = agent.grants.get(name)
        other = grant.tool.operation if grant is not None else None
        known = properties_of(other.arguments) if other is not None else frozenset()
        both = known & properties_of(tool.operation.arguments)
        paths = {key: ("arguments", key) for key in sorted(both - (grant.bind.keys() if grant else set()))}
    return ir.Undo(tool=name, arguments={key: expressions.Ref(path=path) for key, path in paths.items()})


def undoing(agent: Agent) -> tuple[str, ...]:
    """The tools that the agent's workflow may call to undo what it has done."""
    workflow = agent.spec.workflow
    catches = (
        catch
        for state in agent.states.values()
        if isinstance(state.spec, CatchingState)
        for catch in state.spec.catch
    )
    if workflow is None or not (workflow.undo_on_failure or any(catch.undo for catch in catches)):
        return ()
    used = (grant.tool for state in agent.states.values() for grant in state.grants.values())
    named = {f"{tool.toolset.name}.{tool.spec.undo.tool}" for tool in used if tool.spec.undo is not None}
    return tuple(sorted(named & agent.grants.keys()))


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
        retry=lower_retry(spec.retry),
        rate_per_minute=spec.rate.per_minute if spec.rate else None,
        idempotency_header=spec.idempotency.header if spec.idempotency else None,
        pagination=lower_pagination(spec.pagination) if spec.pagination else None,
        cache=lower_cache(spec.cache) if spec.cache else None,
        undo=_undo(agent, tool) if spec.undo else None,
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


def lower_models(
    program: Program, aliases: Iterable[str]
) -> tuple[dict[str, ir.Model], dict[str, Environment]]:
    """Models of the project by themselves, and environments that serve nothing but them."""
    project = program.project
    assert project is not None
    models = {alias: _model(alias, project.spec.models[alias]) for alias in sorted(aliases)}
    return models, lowered_environments(program, project.spec, {}, models)


def _model(alias: str, spec: ModelSpec) -> ir.Model:
    prices = None
    if spec.prices is not None:
        prices = ir.Prices(
            input=spec.prices.input,
            output=spec.prices.output,
            cached_input=spec.prices.cached_input,
            cache_write=spec.prices.cache_write,
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
        prompt_cache=spec.prompt_cache,
        response_cache_ms=None if spec.response_cache is None else milliseconds(spec.response_cache),
        temperature=None if spec.temperature is None else format(spec.temperature, "g"),
        timeout_ms=milliseconds(spec.timeout),
    )


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
        if isinstance(state.spec, FallibleState) and state.spec.timeout is not None:
            spans[f"state:{name}/timeout"] = agent.span(*state.path, "timeout", key=True)
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

"""What a bundle lets its agent do, as text for a reviewer and as data for a script."""

from __future__ import annotations

from collections.abc import Iterator

from agentc_runtime import bundle as ir
from agentc_runtime import workflow
from agentc_runtime.environments import Endpoint
from agentc_runtime.verify import Bundle

from .grant_words import flow_in_words, limits_of_grant, request_line, verb_of
from .reach import endpoints_of, servers, token_sources
from .tool_size import definition_tokens
from .words import duration_in_words


def privileges_as_text(bundle: Bundle) -> str:
    """The whole account, in the order in which a reviewer asks."""
    program = bundle.program
    lines = [
        f"{program.agent.name} {program.agent.version}  sha256:{bundle.digest}",
        f"owner {program.agent.owner}, from {len(bundle.manifest.sources)} files, {bundle.manifest.compiler}",
    ]
    if program.agent.description:
        lines.append(program.agent.description)
    lines += ["", f"May call {len(program.grants)} tools and nothing else:"]
    for name in sorted(program.grants):
        lines += _tool(bundle, name)
    lines += ["", "Reaches:", *_reach(program)]
    lines += ["", "Shows data to:", *_models(program)]
    lines += ["", "Reads the secrets:", *_secrets(program)]
    if tokens := list(_tokens(program)):
        lines += ["", "Asks for access tokens:", *tokens]
    lines += ["", "Stops at:", f"  {', '.join(_limits(program.limits))}"]
    lines += ["", "Workflow:", *_workflow(program)]
    for name, agent in program.agents.items():
        lines += ["", f"Hands off to {name} {agent.agent.version}, which may call, within the above:"]
        for tool in sorted(agent.grants):
            limits = [
                *limits_of_grant(agent.grants[tool]),
                *flow_in_words(agent.tools[tool], agent.grants[tool]),
            ]
            lines += [f"  {tool}", *(f"      {line}" for line in limits)]
        lines += [f"  shows data to {line.strip()}" for line in _models(agent)]
        lines += [f"  stops at {', '.join(_limits(agent.limits))}", *_workflow(agent)]
    return "\n".join(lines) + "\n"


def privileges_as_data(bundle: Bundle) -> dict[str, object]:
    """The same as data: stable keys, for scripts."""
    program = bundle.program
    return {
        "agent": program.agent.name,
        "version": program.agent.version,
        "owner": program.agent.owner,
        "digest": bundle.digest,
        "tools": [
            {
                "tool": name,
                "effect": program.tools[name].effect,
                "request": request_line(program.tools[name]),
                "limits": list(limits_of_grant(program.grants[name])),
                "flow": list(flow_in_words(program.tools[name], program.grants[name])),
                "trust": program.tools[name].output.trust,
                "sensitivity": program.tools[name].output.sensitivity,
                "tokens": _size(program, name),
                "credentials": [auth.secret for auth in program.tools[name].request.auth],
                "client_certificate": _certificate(program.tools[name]),
                "at": _at(bundle, f"grant:{name}"),
                "states": _users(program, name),
            }
            for name in sorted(program.grants)
        ],
        "servers": {name: _servers(program, name) for name in program.environments},
        "models": {
            alias: {"provider": model.provider, "model": model.model, "sees": model.max_sensitivity}
            for alias, model in program.models.items()
        },
        "certificate_authorities": {
            name: {host: _digest(text) for host, text in environment.certificate_authorities.items()}
            for name, environment in program.environments.items()
        },
        "secrets": sorted(_secret_names(program)),
        "vaults": {
            name: environment.vault.address
            for name, environment in program.environments.items()
            if environment.vault is not None
        },
        "access_tokens": [
            {
                "secret": secret,
                "client_id": source.client_id,
                "at": _written(source.endpoint),
                "scopes": list(source.scopes),
                "extra_scopes": list(source.extra_scopes),
            }
            for secret, source in token_sources(program.tools.values())
        ],
        "limits": list(_limits(program.limits)),
        "states": {name: list(following(state)) for name, state in program.states.items()},
        "agents": {
            name: {tool: list(limits_of_grant(grant)) for tool, grant in sorted(agent.grants.items())}
            for name, agent in program.agents.items()
        },
        "retrievers": sorted(
            {one.retriever for one in program.states.values() if isinstance(one, workflow.RetrieveState)}
        ),
        "undo_on_failure": program.undo,
        "tokens": dict(_state_tokens(program)),
    }


def _tool(bundle: Bundle, name: str) -> Iterator[str]:
    tool, grant = bundle.program.tools[name], bundle.program.grants[name]
    states = _users(bundle.program, name)
    yield f"  {name}  {verb_of(tool)}  {request_line(tool)}"
    for line in (*limits_of_grant(grant), *flow_in_words(tool, grant)):
        yield f"      {line}"
    if len(tool.request.auth) > 1:
        yield f"      sends the credentials {' and '.join(auth.secret for auth in tool.request.auth)}"
    if tool.request.certificate is not None:
        yield f"      shows the client certificate {_certificate(tool)}"
    if tool.pagination is not None:
        pages = tool.pagination
        yield f"      reads up to {pages.max_pages:,} pages and gives up to {pages.max_items:,} items a call"
    if tool.cache is not None:
        kept = duration_in_words(tool.cache.ttl_ms)
        yield f"      gives the same answer to the same request for {kept}, inside a run"
    typed = ", typed if they hold no sentence," if tool.typed is not None else ""
    yield f"      answers are {tool.output.trust}{typed} and {tool.output.sensitivity}"
    where = ", ".join(states) or "no state, but to undo"
    yield f"      in {where}; granted at {_at(bundle, f'grant:{name}')}"
    yield f"      its definition is about {_size(bundle.program, name):,} tokens"


def _users(program: ir.Program, tool: str) -> list[str]:
    """The states that may call a tool, those that hand off to an agent that may included."""
    return [
        name
        for name, state in program.states.items()
        if tool in workflow.tools_of(state)
        or (isinstance(state, workflow.HandoffState) and tool in program.agents[state.agent].grants)
    ]


def _certificate(tool: ir.Tool) -> str | None:
    return tool.request.certificate.certificate if tool.request.certificate is not None else None


def _size(program: ir.Program, name: str) -> int:
    tool = program.tools[name]
    return definition_tokens(tool.model_name, tool.description, program.grants[name].schema)


def _state_tokens(program: ir.Program) -> Iterator[tuple[str, int]]:
    """What the tools of each model loop take of its model's context, on each turn."""
    for name, state in program.states.items():
        if isinstance(state, workflow.AgentState):
            yield name, sum(_size(program, tool) for tool in state.tools if tool in program.grants)


def _at(bundle: Bundle, key: str) -> str:
    position = ir.locate(bundle.source_map, key)
    return f"{position.file}:{position.line}" if position else "an unknown place"


def _servers(program: ir.Program, environment: str) -> list[str]:
    endpoints = endpoints_of(program.tools.values(), program.models.values())
    return sorted(servers(program.environments[environment], endpoints))


def _reach(program: ir.Program) -> Iterator[str]:
    for name, environment in program.environments.items():
        default = " (default)" if name == program.default_environment else ""
        yield f"  {name}{default}: {', '.join(_servers(program, name))}"
        if environment.private_hosts:
            yield f"      private addresses allowed for {', '.join(environment.private_hosts)}"
        for host, authorities in sorted(environment.certificate_authorities.items()):
            yield f"      {host} is trusted by authorities of its own, sha256:{_digest(authorities)[:16]}"


def _models(program: ir.Program) -> Iterator[str]:
    for alias, model in program.models.items():
        yield f"  {alias}: {model.provider} {model.model}, up to {model.max_sensitivity} data"
    if not program.models:
        yield "  no model"


def _secret_names(program: ir.Program) -> set[str]:
    return {name for environment in program.environments.values() for name in environment.secrets}


def _secrets(program: ir.Program) -> Iterator[str]:
    names = sorted(_secret_names(program))
    yield f"  {', '.join(names)}" if names else "  none"
    for name, environment in program.environments.items():
        kept = sorted(secret for secret, source in environment.secrets.items() if source.vault is not None)
        if environment.vault is not None and kept:
            yield f"  {name}: {', '.join(kept)} from Vault at {environment.vault.address}"


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()


def _tokens(program: ir.Program) -> Iterator[str]:
    for secret, source in token_sources(program.tools.values()):
        client = f"{source.client_id} and {secret}" if source.client_id is not None else secret
        yield f"  with {client} at {_written(source.endpoint)}"
        yield f"      scopes: {', '.join(source.scopes) or 'none'}"
        if source.extra_scopes:
            yield f"      the service may add: {', '.join(source.extra_scopes)}"


def _written(endpoint: Endpoint) -> str:
    return endpoint.url if endpoint.url is not None else f"${{env.{endpoint.variable}}}"


def _limits(limits: ir.Limits) -> Iterator[str]:
    yield f"{limits.steps} steps"
    if limits.tokens is not None:
        yield f"{limits.tokens} tokens"
    if limits.cost_usd is not None:
        yield f"{limits.cost_usd} US dollars"
    for name, what in (
        (limits.cost_per_session_usd, f"a session ({limits.session_key})"),
        (limits.cost_per_tenant_usd, f"a day for a tenant ({limits.tenant_key})"),
        (limits.cost_per_day_usd, "a day"),
    ):
        if name is not None:
            yield f"{name} US dollars {what}"
    yield duration_in_words(limits.time_ms)
    yield f"{limits.calls_per_turn} tool calls a turn"


def following(state: workflow.State) -> tuple[str, ...]:
    """The states that a state may go to, those that its branches begin with first."""
    return (*workflow.branches_of(state), *workflow.targets_of(state))


def _detail(state: workflow.State) -> str:
    match state:
        case workflow.ParallelState(branches=branches, wait=wait):
            many = "all" if wait == "all" else "any" if wait == "any" else f"{wait}"
            return f" of {', '.join(branches)}, waits for {many}"
        case workflow.MapState(over=over, concurrency=concurrency, max_items=most):
            return f" over {'.'.join(over.path)}, {concurrency} at once, at most {most}"
        case workflow.ApprovalState(by=by, expires_ms=expires):
            return f" by {' or '.join(by)}, for {duration_in_words(expires)} at most"
        case workflow.RetrieveState(retriever=retriever, label=label):
            return f" from {retriever}, {label.trust} and {label.sensitivity}"
        case workflow.HandoffState(agent=agent):
            return f" to {agent}"
    return ""


def _workflow(program: ir.Program) -> Iterator[str]:
    tokens = dict(_state_tokens(program))
    for name, state in program.states.items():
        kind = state.__struct_config__.tag
        start = " (start)" if name == program.start else ""
        after = ", ".join(dict.fromkeys(following(state)))
        tools = ", ".join(workflow.tools_of(state))
        line = f"  {name}{start}: {kind}"
        line += f" with {tools}" if tools else ""
        line += _detail(state)
        line += f" (about {tokens[name]:,} tokens of definitions)" if tokens.get(name) else ""
        yield line + (f" → {after}" if after else "")

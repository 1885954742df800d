"""Walks over a program that several checks share: each gives values with the path of their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentc_runtime.expressions import Array, Const, Expr, Ref

from .credentials import auths, token_url
from .diagnostics import Span
from .program import Agent, BoundExpr, Grant, Program, SchemaData, State
from .references import Reference, parse_reference
from .resources import Resource, Step
from .schematypes import type_at, types_of
from .source import Map, Node, Scalar
from .syntax.common import PromptFile
from .syntax.project import ProjectSpec
from .syntax.toolset import ToolsetSpec
from .syntax.workflow import (
    AgentStateSpec,
    ApprovalStateSpec,
    ChoiceStateSpec,
    EndStateSpec,
    ModelStateSpec,
    StateSpec,
    ToolStateSpec,
    bodies,
)

Path = tuple[Step, ...]


def named_tools(state: State) -> Iterator[tuple[str, Path]]:
    """The tools that a state of a written workflow names."""
    if not state.path:
        return
    if isinstance(state.spec, AgentStateSpec):
        for index, tool in enumerate(state.spec.tools):
            yield tool, (*state.path, "tools", index)
    elif isinstance(state.spec, ToolStateSpec):
        yield state.spec.tool, (*state.path, "tool")


def transitions(spec: StateSpec) -> Iterator[tuple[str, Path]]:
    """The states that a state may go to, in order."""
    if isinstance(spec, EndStateSpec):
        return
    if isinstance(spec, ChoiceStateSpec):
        for index, choice in enumerate(spec.choices):
            yield choice.next, ("choices", index, "next")
        if spec.default is not None:
            yield spec.default, ("default",)
        return
    yield spec.next, ("next",)
    if isinstance(spec, ApprovalStateSpec):
        if spec.rejected is not None:
            yield spec.rejected, ("rejected",)
        if spec.expired is not None:
            yield spec.expired, ("expired",)
    for index, catch in enumerate(spec.catch):
        yield catch.next, ("catch", index, "next")


def starts(spec: StateSpec) -> Iterator[tuple[str, str, Path]]:
    """The branches of a state, each with the state that it begins with and the place of that."""
    for branch, path, body in bodies(spec):
        yield branch, body.start, (*path, "start")


def endpoints(program: Program) -> Iterator[tuple[Resource[ToolsetSpec] | Resource[ProjectSpec], Path, str]]:
    """Every URL that requests go to: of toolsets, their tools and access tokens, then of models."""
    for toolset in program.toolsets.values():
        if toolset.resource.spec.server is not None:
            yield toolset.resource, ("server",), toolset.resource.spec.server
        for name, tool in toolset.resource.spec.tools.items():
            if tool.server is not None:
                yield toolset.resource, ("tools", name, "server"), tool.server
        for auth, path in auths(toolset.resource):
            if (url := token_url(toolset, auth)) is not None:
                yield toolset.resource, (*path, "client_credentials", "token_url"), url
    if program.project is not None:
        for alias, model in program.project.spec.models.items():
            if model.base_url is not None:
                yield program.project, ("models", alias, "base_url"), model.base_url


def secrets(program: Program) -> Iterator[tuple[Resource[ToolsetSpec] | Resource[ProjectSpec], Path, str]]:
    """Every secret that a spec uses: of toolsets, then of models."""
    for toolset in program.toolsets.values():
        for path, name in _secrets_of(toolset.resource):
            if name is not None:
                yield toolset.resource, path, name
    if program.project is not None:
        for alias, model in program.project.spec.models.items():
            if model.secret is not None:
                yield program.project, ("models", alias, "secret"), model.secret


def _secrets_of(resource: Resource[ToolsetSpec]) -> Iterator[tuple[Path, str | None]]:
    for auth, path in auths(resource):
        yield (*path, "secret"), auth.secret
        if auth.client_credentials is not None:
            yield (*path, "client_credentials", "client_id"), auth.client_credentials.client_id
            yield (*path, "client_credentials", "client_secret"), auth.client_credentials.client_secret
    certificate = resource.spec.client_certificate
    if certificate is not None:
        yield ("client_certificate", "certificate"), certificate.certificate
        yield ("client_certificate", "key"), certificate.key
        yield ("client_certificate", "key_password"), certificate.key_password


def bound_expressions(agent: Agent) -> Iterator[BoundExpr]:
    """Every expression of an agent: bound arguments of its grants, then those of its states."""
    for grant in agent.grants.values():
        yield from grant.bind.values()
    for state in agent.states.values():
        yield from state.exprs.values()


def prompts(agent: Agent) -> Iterator[tuple[Path, PromptFile]]:
    """Every prompt that an agent writes."""
    yield ("instructions",), agent.spec.instructions
    for state in agent.states.values():
        if state.path and isinstance(state.spec, AgentStateSpec | ModelStateSpec | ApprovalStateSpec):
            names = ("message",) if isinstance(state.spec, ApprovalStateSpec) else ("instructions", "prompt")
            for name in names:
                prompt = getattr(state.spec, name)
                if prompt is not None:
                    yield (*state.path, name), prompt


def base_urls(program: Program) -> Iterator[tuple[Resource[ToolsetSpec] | Resource[ProjectSpec], Path, str]]:
    """Every base URL that is written out: of toolsets, of models, the variables that such a URL names, and
    where Vault is."""
    variables = set()
    for resource, path, text in endpoints(program):
        reference = parse_reference(text)
        if isinstance(reference, Reference):
            variables.add(".".join(reference.path))
        elif "${" not in text:
            yield resource, path, text
    if program.project is not None:
        for name, environment in program.project.spec.environments.items():
            for variable, value in environment.variables.items():
                if variable in variables:
                    yield program.project, ("environments", name, "variables", variable), value
            if environment.vault is not None:
                yield program.project, ("environments", name, "vault", "address"), environment.vault.address


def url_problem(text: str) -> str | None:
    """Why a base URL can't be used, or `None`: decided by the code that the runtime decides with."""
    from agentc_runtime.urls import UrlError, parse_base

    try:
        parse_base(text)
    except UrlError as error:
        return str(error)
    return None


def is_loopback(text: str) -> bool:
    """Whether a base URL's host is this machine."""
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(text).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar value below a node, and every key."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Map):
        for key, value in node.entries.values():
            yield key
            yield from scalars(value)
    else:
        for item in node.items:
            yield from scalars(item)


def first_line(span: Span) -> Span:
    """The span, cut to its first line: a finding about a block of text points at where it begins."""
    if span.line == span.end_line:
        return span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def used_models(agent: Agent) -> tuple[str, ...]:
    """The aliases that an agent's states may use, each once."""
    return tuple(
        dict.fromkeys(alias for state in agent.states.values() for alias in state_models(agent, state))
    )


def all_grants(agent: Agent) -> dict[str, Grant]:
    """What an agent is granted, and those that it hands off to."""
    found = dict(agent.grants)
    for state in agent.states.values():
        if state.handoff is not None:
            found = {**all_grants(state.handoff), **found}
    return found


def state_models(agent: Agent, state: State) -> tuple[str, ...]:
    """The aliases that a state may use: its model, then the fallbacks, then what it escalates to."""
    return tuple(dict.fromkeys((*answering_models(agent, state), *escalation(agent, state))))


def escalation(agent: Agent, state: State) -> tuple[str, ...]:
    """The alias that is asked once an answer could not be used, if there is one."""
    spec = state.spec
    if not isinstance(spec, AgentStateSpec | ModelStateSpec):
        return ()
    alias = spec.escalate_to or agent.spec.escalate_to
    return () if alias is None else (alias,)


def answering_models(agent: Agent, state: State) -> tuple[str, ...]:
    """The aliases that a state begins with: its model, then the fallbacks."""
    spec = state.spec
    if not isinstance(spec, AgentStateSpec | ModelStateSpec):
        return ()
    first = spec.model or agent.spec.model
    rest = spec.fallbacks if spec.fallbacks is not None else agent.spec.fallbacks
    return (first, *(alias for alias in rest if alias != first))


def expression_type(expr: Expr, environment: Mapping[str, SchemaData]) -> SchemaData | None:
    """The schema of what an expression gives; `None` when it reads what is not declared."""
    match expr:
        case Const(value=value):
            return {"const": value}
        case Ref(path=(root, *rest)):
            schema = environment.get(root)
            return type_at(schema, tuple(rest)) if schema is not None else None
        case Array():
            return {"type": "array"}
    return {"type": "object"}


_WORDS = {
    "integer": "a whole number",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "boolean": "true or false",
}


def kinds(schema: SchemaData) -> str:
    """The JSON types of a schema in words: `a string`, `a number or null`."""
    words = [_WORDS.get(kind, f"a {kind}") for kind in sorted(types_of(schema))]
    return " or ".join(words) if words else "nothing"

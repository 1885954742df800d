"""What the requests of an agent's bundle go to."""

from __future__ import annotations

from collections.abc import Iterable

from agentc_runtime import bundle as ir
from agentc_runtime.environments import Endpoint, Environment, TokenSource


def endpoints_of(tools: Iterable[ir.Tool], models: Iterable[ir.Model]) -> list[Endpoint]:
    """Every endpoint that an agent has requests for: of tools, models and access tokens."""
    tools = list(tools)
    endpoints = [tool.request.endpoint for tool in tools]
    endpoints += [model.endpoint for model in models]
    return endpoints + [source.endpoint for _, source in token_sources(tools)]


def servers(environment: Environment, endpoints: Iterable[Endpoint]) -> set[str]:
    """The base URLs of `endpoints` in an environment, and that of its Vault."""
    known = environment.variables
    urls = {endpoint.url or known.get(endpoint.variable or "", "(not set)") for endpoint in endpoints}
    return urls | ({environment.vault.address} if environment.vault else set())


def token_sources(tools: Iterable[ir.Tool]) -> list[tuple[str, TokenSource]]:
    """The sources of access tokens of a program's tools, each once, with the secret of the client."""
    found = {
        (auth.secret, auth.token) for tool in tools for auth in tool.request.auth if auth.token is not None
    }
    return sorted(found, key=lambda one: (one[0], str(one[1])))

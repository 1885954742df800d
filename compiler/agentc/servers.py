"""The servers that an agent reaches, each with the place where its URL is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentc_runtime import bundle as ir
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import base_url
from agentc_runtime.urls import Url

from .diagnostics import Span
from .lowered import Lowered
from .program import Program


@dataclass(frozen=True)
class Server:
    """One server in one environment. `what` is reached there: a toolset, its access tokens, or a model."""

    environment: str
    url: Url
    what: str
    span: Span


def servers(program: Program, lowered: Lowered) -> Iterator[Server]:
    """Every server of the agent in each environment. A URL that is missing or unusable is found elsewhere."""
    for name, environment in lowered.program.environments.items():
        for endpoint, what, span in _endpoints(program, lowered):
            try:
                url = base_url(endpoint, environment)
            except RefusedError:
                continue
            written = span
            if endpoint.variable is not None and program.project is not None:
                written = program.project.span("environments", name, "variables", endpoint.variable)
            yield Server(name, url, what, written)


def _endpoints(program: Program, lowered: Lowered) -> Iterator[tuple[ir.Endpoint, str, Span]]:
    for tool, access in lowered.accesses.items():
        toolset = lowered.agent.grants[tool].tool.toolset
        path = ("server",) if toolset.spec.server is not None else ("openapi", "file")
        yield access.tool.request.endpoint, f"the toolset `{toolset.name}`", toolset.span(*path)
        for auth in access.tool.request.auth:
            if auth.token is not None:
                span = toolset.span("auth", "client_credentials")
                yield auth.token.endpoint, f"access tokens of the toolset `{toolset.name}`", span
    for alias, model in lowered.program.models.items():
        if program.project is not None:
            written = program.project.spec.models[alias].base_url is not None
            span = program.project.span("models", alias, "base_url" if written else "provider")
            yield model.endpoint, f"the model `{alias}`", span

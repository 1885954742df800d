"""The servers that an agent reaches, each with the place where its URL is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from agentc_runtime.environments import Endpoint
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import base_url
from agentc_runtime.urls import Url, UrlError, parse_base

from .diagnostics import Span
from .lowered import Lowered
from .program import Program
from .resources import Resource
from .syntax.project import ProjectSpec


@dataclass(frozen=True)
class Server:
    """One server in one environment. `what` is reached there: a toolset, its access tokens, or a model."""

    environment: str
    url: Url
    what: str
    span: Span


def servers(program: Program, lowered: Lowered) -> Iterator[Server]:
    """Every server of the agent in each environment. A URL that is missing or unusable is found elsewhere."""
    project = program.project
    assert project is not None  # a project whose agents are lowered has one
    for name, environment in lowered.program.environments.items():
        for endpoint, what, span in _endpoints(project, lowered):
            written = span
            if endpoint.variable is not None:
                written = project.span("environments", name, "variables", endpoint.variable)
            with suppress(RefusedError):
                yield Server(name, base_url(endpoint, environment), what, written)
        if environment.vault is not None:
            span = project.span("environments", name, "vault", "address")
            with suppress(UrlError):
                yield Server(name, parse_base(environment.vault.address), "secrets", span)


def _endpoints(project: Resource[ProjectSpec], lowered: Lowered) -> Iterator[tuple[Endpoint, str, Span]]:
    for name, access in lowered.accesses.items():
        tool = lowered.agent.grants[name].tool
        toolset = tool.toolset
        written = toolset.span("openapi", "file") if toolset.spec.server is None else toolset.span("server")
        span = written if tool.spec.server is None else tool.span("server")
        yield access.tool.request.endpoint, f"the toolset `{toolset.name}`", span
        for auth in access.tool.request.auth:
            if auth.token is not None:
                what = f"access tokens of the toolset `{toolset.name}`"
                yield auth.token.endpoint, what, toolset.span("auth", key=True)
    for alias, model in lowered.program.models.items():
        written_out = project.spec.models[alias].base_url is not None
        span = project.span("models", alias, "base_url" if written_out else "provider")
        yield model.endpoint, f"the model `{alias}`", span

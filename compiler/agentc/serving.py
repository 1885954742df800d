"""From a `Service` spec to the settings of a service: files are found, bundles are read and verified."""

from __future__ import annotations

import socket
from pathlib import Path

from agentc_runtime.durable.ledgers import store_path
from agentc_runtime.release.database import DatabaseControl
from agentc_runtime.release.following import Follower, NoReleaseError
from agentc_runtime.release.origin import OriginError, open_origin
from agentc_runtime.switches import ControlError
from agentc_runtime.trust.policy import PolicyError, read_policy
from agentc_runtime.verify import Bundle, BundleError, read_bundle
from agentc_service.auth.jwt import Trust
from agentc_service.settings import Console, Limits, Provider, Served, Settings

from .diagnostics import Diagnostic, did_you_mean
from .load import read_file
from .parse import parse_documents
from .resources import Resource, parse_resource
from .source import SourceFile
from .syntax.common import milliseconds
from .syntax.service import FollowedChannelSpec, OidcSpec, ServedAgentSpec, ServiceSpec


class ServingError(Exception):
    """A service that can't be served as it is written: one line that says why, with the file and line."""


def read_service(
    path: Path,
) -> tuple[Resource[ServiceSpec] | None, SourceFile | None, tuple[Diagnostic, ...]]:
    """The `Service` in a file, and what is wrong with it."""
    file = read_file(path.parent, path.name)
    if not isinstance(file, SourceFile):
        raise ServingError(str(file))
    documents, found = parse_documents(file)
    resources = []
    for document in documents:
        resource, problems = parse_resource(document)
        found = (*found, *problems)
        if resource is not None:
            resources.append(resource)
    if found:
        return None, file, tuple(found)
    services = [one for one in resources if isinstance(one.spec, ServiceSpec)]
    if len(services) != 1:
        raise ServingError(f"`{path}` has {len(services)} resources of kind `Service`; one is served")
    one = services[0]
    assert isinstance(one.spec, ServiceSpec)
    return Resource(one.kind, one.metadata, one.spec, one.node, one.file), file, ()


def settings_of(service: Resource[ServiceSpec], folder: Path, *, listen: str | None) -> Settings:
    """The settings that a service file in `folder` gives.

    Raises:
        ServingError: a bundle can't be read, two have one name, or nobody may call.
    """
    spec = service.spec
    if spec.auth.api_keys is None and spec.auth.oidc is None:
        raise _at(service, ("auth",), "nobody may call: give `api_keys` or `oidc`")
    host, _, port = (listen or spec.listen).rpartition(":")
    path = store_path(spec.store)
    store = spec.store if path is None else str(folder / path)
    if path is not None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    agents: dict[str, Served] = {}
    for index, agent in enumerate(spec.agents):
        # the same after a restart, so that `agentc status` shows it once
        served = _served(service, index, agent, folder, store, f"{socket.gethostname()}-{port}")
        if served.name in agents:
            raise _at(service, ("agents", index), f"agent `{served.name}` is served twice")
        agents[served.name] = served
    limits = spec.limits
    return Settings(
        agents=agents,
        store=store,
        host=host.strip("[]"),
        port=int(port),
        api_keys=None if spec.auth.api_keys is None else folder / spec.auth.api_keys.file,
        provider=None if spec.auth.oidc is None else _provider(spec.auth.oidc),
        limits=Limits(
            body_bytes=limits.body_bytes,
            requests_per_minute=limits.requests_per_minute,
            runs=limits.runs,
            waiting=limits.waiting,
            shutdown=milliseconds(limits.shutdown) / 1000,
        ),
        console=Console(spec.console.origin),
        mcp=spec.mcp,
    )


def _served(
    service: Resource[ServiceSpec],
    index: int,
    agent: ServedAgentSpec,
    folder: Path,
    store: str,
    name: str,
) -> Served:
    if (agent.bundle is None) == (agent.channel is None):
        raise _at(service, ("agents", index), "an agent has either `bundle` or `channel`")
    if agent.channel is not None:
        follower = _follower(service, index, agent.channel, folder, store, name)
        bundle = follower.stable()
        environment = _environment(service, index, agent, bundle)
        return Served(bundle, environment, follower, milliseconds(agent.channel.poll) / 1000)
    assert agent.bundle is not None
    try:
        bundle = read_bundle(folder / agent.bundle)
    except BundleError as error:
        raise _at(
            service, ("agents", index, "bundle"), f"`{agent.bundle}` is not a bundle that can be run: {error}"
        ) from error
    return Served(bundle, _environment(service, index, agent, bundle))


def _environment(service: Resource[ServiceSpec], index: int, agent: ServedAgentSpec, bundle: Bundle) -> str:
    name = agent.environment or bundle.program.default_environment
    if name not in bundle.program.environments:
        known = did_you_mean(name, bundle.program.environments)
        raise _at(
            service, ("agents", index, "environment"), f"the bundle has no environment `{name}`; {known}"
        )
    return name


def _follower(
    service: Resource[ServiceSpec],
    index: int,
    channel: FollowedChannelSpec,
    folder: Path,
    store: str,
    name: str,
) -> Follower:
    """What follows the channel, once it has something that may run. `name` is that of this worker."""
    place = channel.origin if "://" in channel.origin else str(folder / channel.origin)
    try:
        follower = Follower(
            name,
            channel=channel.name,
            agent=channel.agent,
            origin=open_origin(place),
            policy=read_policy(folder / channel.trust),
            folder=folder / ".agentc" / "channels" / f"{channel.name}.{channel.agent}",
            control=DatabaseControl.at(store),
        )
        follower.refresh()
        follower.stable()
    except (OriginError, PolicyError, ControlError, NoReleaseError, OSError) as error:
        raise _at(service, ("agents", index, "channel"), str(error)) from error
    return follower


def _provider(spec: OidcSpec) -> Provider:
    trust = Trust(
        issuer=spec.issuer,
        audience=spec.audience,
        tenant_claim=spec.tenant_claim,
        roles_claim=spec.roles_claim,
        roles=spec.roles,
        groups_claim=spec.groups_claim,
    )
    return Provider(trust, spec.jwks)


def _at(service: Resource[ServiceSpec], path: tuple[str | int, ...], message: str) -> ServingError:
    span = service.span(*path)
    return ServingError(f"{span.file}:{span.line}: {message}")

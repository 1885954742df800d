"""The environments of a project: what is reached in each, and what of it an agent's bundle has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime.environments import Endpoint, Environment, Secret, Vault, VaultField
from agentc_runtime.urls import UrlError, parse_base

from .program import Program
from .reach import endpoints_of, servers
from .source import SourceFile
from .syntax.common import milliseconds
from .syntax.project import EnvironmentSpec, ProjectSpec, SecretSpec

#: RFC 7468, section 5.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII)


def lowered_environments(
    program: Program, project: ProjectSpec, tools: Mapping[str, ir.Tool], models: Mapping[str, ir.Model]
) -> dict[str, Environment]:
    """Each environment, reduced to what this agent's tools and models use of it."""
    endpoints = endpoints_of(tools.values(), models.values())
    variables = {endpoint.variable for endpoint in endpoints if endpoint.variable}
    secrets = {name for tool in tools.values() for name in tool.request.secrets()}
    secrets |= {model.secret for model in models.values() if model.secret}
    return {
        name: _environment(program, spec, endpoints, variables, secrets)
        for name, spec in sorted(project.environments.items())
    }


def host_and_port(url: str) -> str | None:
    """`host:port` of a base URL, as `private_hosts` and `certificate_authorities` name it."""
    try:
        return parse_base(url).origin.partition("://")[2]
    except UrlError:
        return None


def authority_files(project: ProjectSpec) -> Iterator[str]:
    """The files with certificate authorities that the environments name."""
    for environment in project.environments.values():
        yield from environment.certificate_authorities.values()


def certificates_in(file: SourceFile) -> str:
    """The certificates of a file in PEM, without what stands around them."""
    return "".join(f"{one}\n" for one in _CERTIFICATE.findall(file.data.decode(errors="replace")))


def _environment(
    program: Program,
    spec: EnvironmentSpec,
    endpoints: Iterable[Endpoint],
    variables: set[str],
    secrets: set[str],
) -> Environment:
    vault = None
    if spec.vault is not None and any(_in_vault(spec.secrets.get(name)) for name in secrets):
        secrets = {*secrets, spec.vault.token}
        vault = Vault(
            address=spec.vault.address,
            token=spec.vault.token,
            namespace=(spec.vault.namespace or "").rstrip("/"),
            ttl_ms=milliseconds(spec.vault.ttl),
        )
    environment = Environment(
        variables={key: value for key, value in sorted(spec.variables.items()) if key in variables},
        secrets={key: _secret(source) for key, source in sorted(spec.secrets.items()) if key in secrets},
        private_hosts=tuple(sorted(spec.private_hosts)),
        vault=vault,
    )
    reached = {host_and_port(url) for url in servers(environment, endpoints)}
    authorities = {
        host.lower(): certificates_in(file)
        for host, path in sorted(spec.certificate_authorities.items())
        if host.lower() in reached and (file := program.files.get(path)) is not None
    }
    return msgspec.structs.replace(environment, certificate_authorities=authorities)


def _in_vault(source: SecretSpec | None) -> bool:
    return source is not None and source.vault is not None


def _secret(source: SecretSpec) -> Secret:
    vault = None
    if source.vault is not None:
        vault = VaultField(
            mount=source.vault.mount,
            path=source.vault.path,
            field=source.vault.field,
            kv_version=source.vault.kv_version,
        )
    return Secret(env=source.env, file=source.file, vault=vault)

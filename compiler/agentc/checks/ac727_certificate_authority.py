"""AC727: certificate authority can't be used."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..environments import certificates_in, host_and_port
from ..program import Program
from ..references import Reference, parse_reference
from ..stepping import endpoints
from ..syntax.project import EnvironmentSpec

RULE = Rule(
    code="AC727",
    name="certificate-authority",
    title="certificate authority can't be used",
    why=(
        "A private service is trusted through the authority in a file of the project, which goes into the "
        "bundle. It must be certificates in PEM, without keys, and for a server that the environment reaches."
    ),
    bad="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "https://desk.internal:8443" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["desk.internal:8443"]
      certificate_authorities: { "desk.internal:8443": internal-ca.pem }  # <- AC727
  approvers: { leads: [ana@example.com] }
# file: internal-ca.pem
not a certificate
""",
    good="""\
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast: { provider: openai, model: gpt-5-mini, secret: openai_api_key, prices: { input: 0.25, output: 2 } }
  environments:
    local:
      variables: { DESK_URL: "https://desk.internal:8443" }
      secrets: { openai_api_key: { env: OPENAI_API_KEY }, desk_token: { env: DESK_TOKEN } }
      private_hosts: ["desk.internal:8443"]
      certificate_authorities: { "desk.internal:8443": internal-ca.pem }
  approvers: { leads: [ana@example.com] }
# file: internal-ca.pem
-----BEGIN CERTIFICATE-----
MIIBLjCB1qADAgECAgEBMAoGCCqGSM49BAMCMBYxFDASBgNVBAMMC0ludGVybmFs
IENBMCAXDTI2MDEwMTAwMDAwMFoYDzIwNzYwMTAxMDAwMDAwWjAWMRQwEgYDVQQD
DAtJbnRlcm5hbCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH+zMEki0U4Y
Vfi7H/UhNd3UgRjAwhTC+LfPA1wcJpz6Qn+JmMTkw+jOHvBnGNqqAAoSc0vSxA5L
MOAFfnloT5mjEzARMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIg
et1naUqqFHmL9Ikkuzk5PGPQV/uBg3jYcJaBdxC3GsMCIEf3PGWeBsdslQbIGN1B
OkvAFi5fJeTPpm0nuE6Mc/gw
-----END CERTIFICATE-----
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Files that hold no certificates, and hosts that nothing reaches."""
    project = program.project
    if project is None:
        return
    for name, environment in project.spec.environments.items():
        if not environment.certificate_authorities:
            continue
        reached = _reached(program, environment)
        for host, path in environment.certificate_authorities.items():
            at = ("environments", name, "certificate_authorities", host)
            if host.lower() not in reached:
                message = f"no server of environment `{name}` is at `{host}`"
                yield RULE.at(project.span(*at, key=True), message, help=did_you_mean(host, reached))
            problem = _problem(program, path)
            if problem is not None:
                help_ = "name a file of the project that holds the authority's certificate (PEM)"
                yield RULE.at(project.span(*at), f"`{path}` {problem}", help=help_)


def _reached(program: Program, environment: EnvironmentSpec) -> set[str]:
    urls = [environment.vault.address] if environment.vault is not None else []
    for _, _, text in endpoints(program):
        reference = parse_reference(text)
        name = ".".join(reference.path) if isinstance(reference, Reference) else None
        urls.append(text if name is None else environment.variables.get(name, ""))
    for toolset in program.toolsets.values():
        for tool in toolset.tools.values():
            urls += tool.operation.servers if tool.operation is not None else ()
    return {host for url in urls if (host := host_and_port(url)) is not None}


def _problem(program: Program, path: str) -> str | None:
    """Why a file holds no usable authorities; decided by the library that the runtime decides with."""
    import ssl

    file = program.files.get(path)
    if file is None:
        return "is not there or can't be read"
    if b"PRIVATE KEY-----" in file.data:
        return "holds a private key, which is no business of a project"
    text = certificates_in(file)
    if not text:
        return "holds no certificate"
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError:
        return "holds a certificate that can't be read"
    return None

"""AC208: unknown secret."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..stepping import secrets

RULE = Rule(
    code="AC208",
    name="unknown-secret",
    title="unknown secret",
    why=(
        "A secret is declared where its value is found, in each environment of the project. A "
        "name that none declares can't have a value."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_tokne }  # <- AC208
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Secrets that toolsets and models name and that no environment declares."""
    if program.project is None:
        return
    environments = program.project.spec.environments.values()
    known = {name for environment in environments for name in environment.secrets}
    for resource, path, name in secrets(program):
        if name not in known:
            yield RULE.at(
                resource.span(*path),
                f"no environment declares the secret `{name}`",
                help=did_you_mean(name, known) or f"add `{name}` to the `secrets` of an environment",
            )

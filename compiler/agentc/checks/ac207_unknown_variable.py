"""AC207: unknown environment variable."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, did_you_mean
from ..program import Program
from ..references import Reference, parse_reference
from ..stepping import endpoints

RULE = Rule(
    code="AC207",
    name="unknown-variable",
    title="unknown environment variable",
    why=(
        "`${env.NAME}` is a variable that the project's environments define, so that every "
        "host an agent may reach stands in the project. It is not a variable of the process."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_ULR}  # <- AC207
  auth: { scheme: bearerAuth, secret: desk_token }
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
    """Variables that servers and models name and that no environment defines."""
    if program.project is None:
        return
    environments = program.project.spec.environments.values()
    known = {name for environment in environments for name in environment.variables}
    for resource, path, text in endpoints(program):
        reference = parse_reference(text)
        if not isinstance(reference, Reference) or reference.root != "env":
            continue
        name = ".".join(reference.path)
        if name not in known:
            yield RULE.at(
                resource.span(*path),
                f"no environment defines `{name}`",
                help=did_you_mean(name, known) or f"add `{name}` to the `variables` of an environment",
            )

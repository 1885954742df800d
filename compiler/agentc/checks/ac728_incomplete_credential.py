"""AC728: credential does not say what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from ..credentials import auths, is_whole
from ..diagnostics import Diagnostic, Rule
from ..program import Program

RULE = Rule(
    code="AC728",
    name="incomplete-credential",
    title="credential does not say what it is made of",
    why=(
        "A credential is one secret. That of an OAuth2 client may be two as well: `client_id` and "
        "`client_secret`. With a part missing there is nothing to send, and with both ways at once it is "
        "not said which counts."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth }  # <- AC728
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
    """Credentials without a secret, with half of a client, or with both."""
    for toolset in program.toolsets.values():
        for auth, path in auths(toolset.resource):
            if is_whole(auth):
                continue
            client = auth.client_credentials
            given = [
                name
                for name, value in (
                    ("secret", auth.secret),
                    ("client_id", client and client.client_id),
                    ("client_secret", client and client.client_secret),
                )
                if value is not None
            ]
            names = " and ".join(f"`{name}`" for name in given)
            yield RULE.at(
                toolset.resource.span(*path, "scheme"),
                f"the credential for `{auth.scheme}` has {f'{names} alone' if len(given) == 1 else names or 'no secret'}",
                help="add `secret:`"
                if client is None
                else "add `secret:` (`client_id:client_secret`), or `client_id:` and `client_secret:` in "
                "`client_credentials`, and not both",
            )

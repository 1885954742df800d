"""AC909: data that counts as less of a risk, or reaches further."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC909",
    name="data-less-guarded",
    title="data that counts as less of a risk, or reaches further",
    why=(
        "Labels say who may have written data and who may see it. With a label that says less, rules that "
        "depend on it ask less. More sensitive data in reach of a call, and more of an answer shown, count "
        "here as well."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}" }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read, output: { trust: trusted } }  # <- AC909
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

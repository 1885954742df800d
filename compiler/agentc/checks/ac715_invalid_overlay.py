"""AC715: overlay that can't be applied."""

from __future__ import annotations

from ..diagnostics import Diagnostic, Rule, Span

RULE = Rule(
    code="AC715",
    name="invalid-overlay",
    title="overlay that can't be applied",
    why=(
        "Corrections to a published document are OpenAPI Overlay 1.0 files. One that is applied in part would give a "
        "document that nobody wrote, so it is applied as a whole or not at all."
    ),
    bad="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}", overlays: [fix.overlay.yaml] }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
# file: fix.overlay.yaml
overlay: 1.0.0
info: { title: What the vendor got wrong, version: 1.0.0 }
actions:
  - target: $.paths['/refunds'].post
    updates: { summary: Pay money back to a customer }  # <- AC715
""",
    good="""\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  openapi: { file: openapi.yaml, sha256: "{sha256:openapi.yaml}", overlays: [fix.overlay.yaml] }
  server: ${env.DESK_URL}
  auth: { scheme: bearerAuth, secret: desk_token }
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
# file: fix.overlay.yaml
overlay: 1.0.0
info: { title: What the vendor got wrong, version: 1.0.0 }
actions:
  - target: $.paths['/refunds'].post
    update: { summary: Pay money back to a customer }
""",
)


def unreadable(span: Span, path: str, reason: str) -> Diagnostic:
    """An overlay that is not there, or can't be read for another reason."""
    return RULE.at(
        span,
        f"can't read the overlay `{path}`: {reason}",
        help="put the file there, or take the overlay away",
    )

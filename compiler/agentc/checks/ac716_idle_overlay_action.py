"""AC716: overlay action that matches nothing."""

from __future__ import annotations

from ..diagnostics import Rule

RULE = Rule(
    code="AC716",
    name="idle-overlay-action",
    title="overlay action that matches nothing",
    why=(
        "The document has changed, or the target is misspelled: what was to be corrected stays as it is, and nobody "
        "would notice."
    ),
    level="warning",
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
  - target: $.paths['/refund'].post  # <- AC716
    update: { summary: Pay money back to a customer }
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

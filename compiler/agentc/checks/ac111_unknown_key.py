"""AC111: a key that the language does not have."""

from ..diagnostics import Diagnostic, Rule, Span, did_you_mean

RULE = Rule(
    code="AC111",
    name="unknown-key",
    title="unknown key",
    why="A misspelled limit that is silently ignored is no limit. Every key must be one that the kind has.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      were: { amount: { maximum: 50 } }  # <- AC111
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
""",
)


def report(span: Span, key: str, known: list[str]) -> Diagnostic:
    """`key` at `span` is not one of `known`."""
    return RULE.at(span, f"unknown key `{key}`", help=did_you_mean(key, known))

"""AC109: a plain scalar that YAML 1.1 readers take for something else."""

from ..diagnostics import Diagnostic, Edit, Rule, Span

RULE = Rule(
    code="AC109",
    name="ambiguous-scalar",
    title="plain scalar that YAML readers disagree on",
    why="`no`, `0644`, `12:30:45` or `2026-01-01` is text or a number to YAML 1.2 and something else to YAML "
    "1.1, which many tools still read. Quoted, it means the same to all.",
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support, description: no }  # <- AC109
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
    good="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support, description: "no" }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
)


def report(span: Span, text: str, value: str | int | float, elsewhere: str) -> Diagnostic:
    """`text` at `span` is `value` here and what `elsewhere` says to YAML 1.1 readers.

    The edit keeps the value that this compiler reads: there is none where the author may mean the other.
    """
    if isinstance(value, str):
        other = f", or write {elsewhere}" if elsewhere in ("`true`", "`false`") else ""
        return RULE.at(
            span,
            f"`{text}` is text here and {elsewhere} to YAML 1.1 readers",
            help=f'write `"{text}"`{other}',
            edits=(Edit(span, f'"{text}"'),),
        )
    plain = _plain(value)
    meant = elsewhere.startswith("the octal")
    return RULE.at(
        span,
        f"`{text}` is the number {plain} here and {elsewhere} to YAML 1.1 readers",
        help=f'write `"{text}"` for text or `{plain}` for the number',
        edits=() if meant else (Edit(span, plain),),
    )


def _plain(value: int | float) -> str:
    """The number as every reader reads it: YAML 1.1 wants a dot and a sign with an exponent."""
    text = repr(value)
    digits, e, exponent = text.partition("e")
    return text if not e or "." in digits else f"{digits}.0e{exponent}"

"""AC506: exception that lets untrusted content write a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentc_runtime.interpret.typed import schema_carries_text

from ..diagnostics import Diagnostic, Rule
from ..predicates import close_where
from ..program import Program, SchemaData
from .grants import declared_grants, settles

RULE = Rule(
    code="AC506",
    name="free-text-unasked",
    title="exception that lets untrusted content write a text",
    why=(
        "`unless` lets a call pass without a question after hostile text was read. "
        "What that text may write reaches whoever reads the result, in the name of the user."
    ),
    bad="""\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }
      untrusted_to_effect:
        policy: approve
        unless: { amount: { maximum: 50 }, ticket_id: { maxLength: 200 } }  # <- AC506
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
      where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }
      untrusted_to_effect:
        policy: approve
        unless: { amount: { maximum: 50 }, ticket_id: { pattern: "T-[0-9]{1,6}" } }
""",
    level="warning",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """Exceptions with an argument that may hold a sentence and is not traced."""
    for grant in declared_grants(program):
        for name, limit in grant.unless().items():
            own = grant.argument(name)
            if own is None or name in grant.tool.spec.destinations:
                continue  # AC403, AC505
            if not grant.is_settled(name) and not settles(limit) and _may_hold_a_sentence(own, limit):
                yield RULE.at(
                    grant.span("untrusted_to_effect", "unless", name, key=True),
                    f"untrusted content may write `{name}` of `{grant.tool.name}`, and nobody is asked",
                    help="say where the text comes from, such as `from: [input]`, give it the `pattern` of an "
                    "identifier, or suppress this with the reason why any text is harmless here",
                )


def _may_hold_a_sentence(own: SchemaData, limit: Mapping[str, object]) -> bool:
    parts = own.get("allOf")
    limits = close_where({"limit": limit})["properties"]
    both = [
        *(parts if isinstance(parts, list) else ()),
        *(limits.values() if isinstance(limits, dict) else ()),
    ]
    return schema_carries_text({**own, "allOf": both})

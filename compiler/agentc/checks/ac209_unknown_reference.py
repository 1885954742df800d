"""AC209: reference to data that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Diagnostic, Rule, Span, did_you_mean
from ..program import Agent, Program
from ..references import Reference
from ..schematypes import properties_of, type_at
from ..stepping import bound_expressions

RULE = Rule(
    code="AC209",
    name="unknown-reference",
    title="reference to data that does not exist",
    why=(
        "`${…}` references are resolved when the program is compiled. A path that leads "
        "nowhere would be an absent value at run time."
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
      bind: { ticket_id: "${input.tikcet_id}" }  # <- AC209
      where: { amount: { maximum: 50 } }
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
      bind: { ticket_id: "${input.ticket_id}" }
      where: { amount: { maximum: 50 } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """References in grants, arguments, choices and outputs whose path leads nowhere."""
    for agent in program.agents.values():
        for bound in bound_expressions(agent):
            for reference, span in bound.references:
                yield from _unknown(agent, reference, span)


def _unknown(agent: Agent, reference: Reference, span: Span) -> Iterator[Diagnostic]:
    schema = agent.environment.get(reference.root)
    if schema is None:
        yield RULE.at(
            span,
            f"`{reference.root}` can't be read here",
            help=f"known: {', '.join(f'`{root}`' for root in agent.environment)}",
        )
        return
    read: str = reference.root
    for step in reference.path:
        following = type_at(schema, (step,))
        if following is None:
            yield RULE.at(span, f"`{read}` has no `{step}`", help=did_you_mean(step, properties_of(schema)))
            return
        schema, read = following, f"{read}.{step}"

"""AC507: origin that is not trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics import Diagnostic, Note, Rule
from ..predicates import FROM
from ..program import Grant, Program
from ..resources import Step

RULE = Rule(
    code="AC507",
    name="untrusted-origin",
    title="origin that is not trusted",
    why=(
        "`from` traces a value to something that the attacker can't write. "
        "Input or session data that is itself untrusted proves nothing about a value."
    ),
    bad="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
    trust: untrusted
  permissions: [triage]
  limits: { cost_usd: 0.5 }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, ticket_id: { from: [input] } }  # <- AC507
""",
    good="""\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input:
    schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, ticket_id: { from: [input] } }
""",
)


def check(program: Program) -> Iterator[Diagnostic]:
    """`from` that names an agent's input or session where that is untrusted."""
    for agent in program.agents.values():
        data = (("input", agent.spec.input), ("session", agent.spec.session))
        doubtful = {root for root, spec in data if spec is not None and spec.trust == "untrusted"}
        for grant in agent.grants.values():
            for path, limit in _limits(grant):
                origins = limit.get(FROM)
                for index, origin in enumerate(origins if isinstance(origins, list) else ()):
                    if origin in doubtful:
                        yield RULE.at(
                            grant.span(*path, FROM, index),
                            f"`{path[-1]}` may come from the {origin} of agent `{agent.resource.name}`, which is "
                            "untrusted",
                            help="name another origin, or bind the argument",
                            notes=(Note("the agent says so here", agent.span(str(origin), "trust")),),
                        )


def _limits(grant: Grant) -> Iterator[tuple[tuple[Step, ...], Mapping[str, object]]]:
    for name, limit in grant.spec.where.items():
        yield ("where", name), limit
    flow = grant.spec.untrusted_to_effect
    for name, limit in ((flow.unless if flow else None) or {}).items():
        yield ("untrusted_to_effect", "unless", name), limit

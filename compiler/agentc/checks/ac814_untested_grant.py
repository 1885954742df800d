"""AC814: grant, or limit of one, that no permission test notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Note, Rule, Span
from ..program import Program

if TYPE_CHECKING:
    from ..lowered import Lowered
    from ..permission_tests import Covered

RULE = Rule(
    code="AC814",
    name="untested-grant",
    title="grant or limit that no permission test notices",
    why=(
        "Each limit is taken away in turn, and the permission tests are judged again. When all come out as "
        "before, a change could remove the limit with every test passing. It is said of agents that have "
        "permission tests."
    ),
    bad="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund  # <- AC814
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
""",
    good="""\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: a small refund is made
      tool: desk.refund
      arguments: { amount: 50 }
      expect: allowed
    - name: more than 50 is refused
      tool: desk.refund
      arguments: { amount: 50.01 }
      expect: refused
    - name: the ticket is not the model's to choose
      tool: desk.refund
      arguments: { amount: 5, ticket_id: T-2 }
      expect: { outcome: refused, rule: AR105 }
    - name: a ticket may have told the model to
      tool: desk.refund
      read: { trust: untrusted }
      arguments: { amount: 5 }
      expect: asks
    - name: tickets are read
      tool: desk.get_ticket
      arguments: { ticket_id: T-1 }
      expect: allowed
""",
    level="warning",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Grants of tested agents with something in them that no case notices: one finding a grant."""
    from ..permission_tests import coverage, tested_agents

    tested = tested_agents(program)
    if not tested:
        return
    untested: dict[Span, list[Covered]] = {}
    for one in coverage(program, agents):
        if one.by is None and one.agent in tested and one.tool not in agents[one.agent].misstated:
            untested.setdefault(one.grant, []).append(one)
    for span, parts in untested.items():
        agent, tool = parts[0].agent, parts[0].tool
        if any(part.what == "the grant" for part in parts):
            message = f"no permission test of agent `{agent}` makes a call of `{tool}` that goes through"
            notes: tuple[Note, ...] = ()
        else:
            named = [part.what for part in parts]
            listed = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
            message = f"no permission test of agent `{agent}` would notice if `{tool}` lost {listed}"
            notes = tuple(Note(f"{part.what} is here", part.span) for part in parts[:3])
        yield RULE.at(
            span,
            message,
            help=f"add a case that is decided by it, such as a call just outside; `agentc why {agent} {tool}` "
            "shows some",
            notes=notes,
        )

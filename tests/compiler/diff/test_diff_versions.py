"""What changes ask of a version."""

from __future__ import annotations

import pytest

from agentc.checks.registry import RULES

AGENT = """\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: {{ name: triage, version: {version}, owner: support }}
spec:
  model: fast
  instructions: {instructions}
  input:
    schema: {{ type: object, properties: {{ ticket_id: {{ type: string }} }}, required: [ticket_id] }}
  permissions: [triage]
  limits: {{ cost_usd: {cost} }}
"""
GRANTS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: %d } }
      bind: { ticket_id: "${input.ticket_id}" }
"""


def agent(version, *, cost=1, instructions="Help.", limit=50):
    return AGENT.format(version=version, cost=cost, instructions=instructions) + GRANTS % limit


HIGH, LOW, TEXT, LESS = {"limit": 80}, {"cost": 2}, {"instructions": "Do."}, {"limit": 40}


@pytest.mark.parametrize(
    ("before", "now", "change", "asked", "enough"),
    [
        ("1.0.0", "1.0.0", {}, None, True),
        ("1.0.0", "1.9.0", HIGH, "major", False),
        ("1.0.0", "2.0.0", HIGH, "major", True),
        ("0.3.1", "0.4.0", HIGH, "minor", True),
        ("0.3.1", "0.3.2", HIGH, "minor", False),
        ("0.9.0", "1.0.0", HIGH, "major", True),
        ("1.0.0", "1.0.9", LOW, "minor", False),
        ("1.0.9", "1.1.0", LOW, "minor", True),
        ("1.0.0", "1.0.0", TEXT, "patch", False),
        ("1.0.0", "1.0.1", TEXT, "patch", True),
        ("1.0.0", "1.0.1", LESS, "patch", True),
        ("1.0.0-rc.1", "1.0.0", TEXT, "patch", True),
        ("2.0.0", "1.0.0", TEXT, "patch", False),
        ("1.10.0", "1.9.0", LOW, "minor", False),
    ],
)
def test_a_widening_asks_for_a_version(differ, before, now, change, asked, enough):
    bumps = differ(agent(before), agent(now, **change)).bumps
    assert [(bump.asked, bump.enough) for bump in bumps] == ([] if asked is None else [(asked, enough)])


def test_the_rule_is_found_in_its_example(differ):
    rule = RULES["AC917"]
    (bump,) = differ(rule.good, rule.bad).bumps
    assert (bump.asked, bump.enough, bump.at.file, bump.at.line) == ("minor", False, "agent.yaml", 3)

"""`at_most`: grants stay inside those of another permission set."""

from __future__ import annotations

import pytest

CEILING = """\
# file: ceiling.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: ceiling, version: 1.0.0, owner: security }
spec:
  grants:
"""
READ = "    - tool: desk.get_ticket\n"
REFUND = "    - tool: desk.refund\n      where: { amount: { maximum: 50 } }\n      quota: { per_run: 2 }\n"


@pytest.mark.parametrize(
    ("grant", "beyond"),
    [
        ("where: { amount: { maximum: 50 } }\nquota: { per_run: 1 }", None),
        ("where: { amount: { maximum: 60 } }\nquota: { per_run: 1 }", 'may be called with {"amount":51'),
        ("where: { amount: { maximum: 50 } }", "may be called any number of times a run, not 2"),
    ],
)
def test_a_grant_is_compared_with_the_ceilings(broken, grant, beyond):
    found = broken("at_most: ceiling", grant, CEILING + READ + REFUND)
    if beyond is None:
        assert found == []
    else:
        assert found[0].startswith("AC421 agent `triage` may do more than `ceiling` allows: `desk.refund` ")
        assert beyond in found[0]


def test_a_tool_that_the_ceiling_does_not_grant(broken):
    found = broken("at_most: ceiling", files=CEILING + READ)
    assert found == [
        "AC421 agent `triage` may do more than `ceiling` allows: `desk.refund` is not granted by `ceiling`"
    ]


def test_a_ceiling_is_used_though_no_agent_has_its_permissions(check):
    assertion = """\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: security, version: 1.0.0, owner: security }
spec: { at_most: ceiling }
"""
    found = check(assertion + CEILING + READ + REFUND.replace("per_run: 2", "per_run: 2")).diagnostics
    assert "AC412" not in {one.code for one in found}

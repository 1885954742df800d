"""What a project holds its changes to: taking it away is a widening, though agents may do no more today."""

from __future__ import annotations

import pytest

from agentc.checks.base import PROJECT

ASSERTIONS = """\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: security, version: 1.0.0, owner: security }
spec:
  never:
    operations: [{ effect: delete }]
    calls:
      - { tool: desk.refund, when: { amount: { exclusiveMinimum: 50 } }, reason: too much }
"""
CALL = '{"tool":"desk.refund","when":{"amount":{"exclusiveMinimum":%d}}}'
TESTS = """\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: triage, version: 1.0.0, owner: security }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - { name: a small one, tool: desk.refund, arguments: { amount: 5 }, expect: allowed }
    - { name: a large one, tool: desk.refund, arguments: { amount: 51 }, expect: refused }
"""


def found(delta):
    return [(one.how, one.severity, one.subject, one.what) for one in delta.changes]


@pytest.mark.parametrize(
    ("new", "how"),
    [
        (ASSERTIONS.replace("reason: too much", "reason: far too much"), []),
        (ASSERTIONS.replace("name: security", "name: renamed"), []),
        (
            ASSERTIONS.replace("    operations: [{ effect: delete }]\n", ""),
            [("widened", 'does not forbid operations {"effect":"delete"} any more')],
        ),
        (
            ASSERTIONS.replace("exclusiveMinimum: 50", "exclusiveMinimum: 90"),
            [
                (
                    "narrowed",
                    f"does not forbid calls {CALL % 90} any more",
                ),
                (
                    "widened",
                    f"does not forbid calls {CALL % 50} any more",
                ),
            ],
        ),
    ],
)
def test_assertions(differ, new, how):
    assert sorted((one.how, one.what) for one in differ(ASSERTIONS, new).changes) == sorted(how)


def test_a_permission_test_that_is_gone(differ):
    without = "".join(line for line in TESTS.splitlines(keepends=True) if "a large one" not in line)
    assert found(differ(TESTS, without)) == [
        ("widened", "low", "the permission test triage", "does not try `a large one` as it did")
    ]
    allowed = "".join(line for line in TESTS.splitlines(keepends=True) if "a small one" not in line)
    assert found(differ(TESTS, allowed)) == []


def test_rules_suppressions_and_approvers(differ):
    project = "# file: agentc.yaml\n" + PROJECT
    lowered = differ(project, project + "  rules: { AC404: warning, AC804: error }\n")
    assert found(lowered) == [("widened", "medium", "AC404", "is a warning only in the project")]
    comment = "  # agentc: ignore AC803 - it is on this machine\n  default_environment: local\n"
    silenced = differ(project + "  default_environment: local\n", project + comment)
    assert found(silenced) == [
        ("widened", "low", "AC803", "is silenced in `agentc.yaml`: it is on this machine")
    ]
    more = differ(project, project.replace("[ana@example.com]", "[ana@example.com, eve@example.com]"))
    assert found(more) == [("widened", "high", "eve@example.com", "may approve as `leads`")]

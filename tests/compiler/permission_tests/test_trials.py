"""Permission tests: what a case may say of a call, and that the broker's policy answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentc.checks.base import example_files
from agentc.driver import check_project
from agentc.lowered import lower_agents
from agentc.permission_tests import coverage

TEST = """\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: {{ name: refunds, version: 1.0.0, owner: support }}
spec:
  agent: triage
  input: {{ ticket_id: T-1 }}
  cases:
{cases}
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: {{ name: triage, version: 1.0.0, owner: support }}
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
{grant}
"""
GRANT = """\
where: { amount: { maximum: 50 } }
bind: { ticket_id: "${input.ticket_id}" }
approval: { by: [leads], when: { amount: { exclusiveMinimum: 20 } } }
quota: { per_run: 1, per_day: 3 }
"""
FROM = """\
where: { amount: { from: [trusted, approved] } }
bind: { ticket_id: "${input.ticket_id}" }
"""


@pytest.fixture
def run(tmp_path: Path):
    def result(*cases: str, grant: str = GRANT, files: str = ""):
        lines = "".join(f"    - {{ name: case {number}, {case} }}\n" for number, case in enumerate(cases))
        limits = "".join(f"      {line}\n" for line in grant.strip().splitlines())
        text = TEST.format(cases=lines.rstrip(), grant=limits.rstrip())
        for name, content in example_files(text + files).items():
            (tmp_path / name).write_text(content)
        return check_project(tmp_path)

    return result


def errors(result):
    return [f"{one.code} {one.message}" for one in result.diagnostics if one.level == "error"]


@pytest.mark.parametrize(
    ("case", "expect"),
    [
        ("arguments: { amount: 20 }", "allowed"),
        ("arguments: { amount: 21 }", "{ outcome: asks, by: [leads], because: approval }"),
        ("arguments: { amount: 51 }", "{ outcome: refused, rule: AR201 }"),
        ("arguments: { amount: 5, ticket_id: T-2 }", "{ outcome: refused, rule: AR105 }"),
        ("arguments: { amount: 5 }, state: done", "{ outcome: refused, rule: AR102 }"),
        ("arguments: { amount: 5 }, used: { per_run: 1 }", "{ outcome: refused, rule: AR203 }"),
        ("arguments: { amount: 5 }, used: { per_day: 3 }", "{ outcome: refused, rule: AR204 }"),
        ("arguments: { amount: 5 }, used: { per_day: 2 }", "allowed"),
        (
            "arguments: { amount: 5 }, read: { trust: untrusted }",
            "{ outcome: asks, because: untrusted_to_effect }",
        ),
        ("arguments: { amount: 5 }, read: { trust: typed }", "allowed"),
        ("arguments: { amount: 5 }, read: { sensitivity: restricted }", "allowed"),
        ("arguments: {}", "{ outcome: refused, rule: AR104 }"),
    ],
)
def test_a_case_is_what_the_policy_says(run, case, expect):
    assert errors(run(f"tool: desk.refund, {case}, expect: {expect}")) == []
    wrong = "refused" if expect == "allowed" else "allowed"
    assert [one[:5] for one in errors(run(f"tool: desk.refund, {case}, expect: {wrong}"))] == ["AC813"]


@pytest.mark.parametrize(
    ("origins", "expect"),
    [
        ("", "{ outcome: refused, rule: AR207 }"),
        ("origins: { trusted: [{ total: 5 }] }, ", "allowed"),
        ("origins: { approved: [{ amount: 5 }] }, ", "allowed"),
        ("origins: { trusted: [{ total: 6 }] }, ", "{ outcome: refused, rule: AR207 }"),
    ],
)
def test_what_a_run_was_told_counts_for_origins(run, origins, expect):
    assert (
        errors(run(f"tool: desk.refund, arguments: {{ amount: 5 }}, {origins}expect: {expect}", grant=FROM))
        == []
    )


def test_a_request_that_can_not_be_built_is_refused(run):
    case = "tool: desk.get_ticket, arguments: {{ ticket_id: {} }}, expect: {}"
    assert errors(run(case.format('".."', "{ outcome: refused, rule: AR304 }"))) == []
    assert errors(run(case.format("T-1", "allowed"))) == []


def test_a_case_has_an_input_of_its_own(run):
    grant = 'where: { ticket_id: { enum: [T-1] } }\nbind: { ticket_id: "${input.ticket_id}" }'
    call = "tool: desk.refund, arguments: { amount: 5 }"
    assert errors(run(f"{call}, expect: allowed", grant=grant)) == []
    assert errors(run(f"{call}, input: {{ ticket_id: T-2 }}, expect: refused", grant=grant)) == []


def test_a_tool_that_is_not_granted_is_refused_everywhere(run):
    grant = "quota: { per_run: 1 }"
    files = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec: { grants: [{ tool: desk.get_ticket }] }
"""
    case = "tool: desk.refund, arguments: { amount: 5 }, expect: { outcome: refused, rule: AR101 }"
    assert errors(run(case, grant=grant, files=files)) == []


def uncovered(result):
    agents = lower_agents(result.program)
    return sorted(
        one.what for one in coverage(result.program, agents) if one.by is None and one.tool == "desk.refund"
    )


ALL = [
    "the flow rule",
    "the quota of a day",
    "the quota of a run",
    "`ticket_id`, which is bound",
    "the approval",
    "the condition of the approval",
    "the limit of `amount`",
    "the grant",
]
COVERING = {
    "the grant": ["arguments: { amount: 20 }, expect: allowed"],
    "the limit of `amount`": ["arguments: { amount: 51 }, expect: refused"],
    "the approval": ["arguments: { amount: 21 }, expect: asks"],
    "the condition of the approval": ["arguments: { amount: 20 }, expect: allowed"],
    "`ticket_id`, which is bound": ["arguments: { amount: 5, ticket_id: T-1 }, expect: refused"],
    "the quota of a run": ["arguments: { amount: 5 }, used: { per_run: 1 }, expect: refused"],
    "the quota of a day": ["arguments: { amount: 5 }, used: { per_day: 3 }, expect: refused"],
    "the flow rule": ["arguments: { amount: 5 }, read: { trust: untrusted }, expect: asks"],
}


@pytest.mark.parametrize("part", ALL)
def test_a_part_is_covered_by_the_case_that_is_decided_by_it(run, part):
    cases = [case for key, several in COVERING.items() for case in several]
    assert uncovered(run(*(f"tool: desk.refund, {case}" for case in cases))) == []
    without = [case for case in cases if case not in COVERING[part]]
    left = uncovered(run(*(f"tool: desk.refund, {case}" for case in without)))
    # the call of exactly 20 shows two things
    expected = {part, "the condition of the approval"} if part == "the grant" else {part}
    assert set(left) <= expected | {"the grant"}
    assert part in left or part == "the grant"


def test_a_call_that_breaks_two_limits_covers_neither(run):
    grant = "where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }"
    result = run(
        "tool: desk.refund, arguments: { amount: 51, currency: USD, ticket_id: T }, expect: refused",
        grant=grant,
    )
    assert {"the limit of `amount`", "the limit of `currency`"} <= set(uncovered(result))
    one = run(
        "tool: desk.refund, arguments: { amount: 51, currency: EUR, ticket_id: T }, expect: refused",
        grant=grant,
    )
    assert "the limit of `amount`" not in uncovered(one)
    assert "the limit of `currency`" in uncovered(one)


def test_origins_and_exceptions_are_parts(run):
    grant = """\
where: { currency: { from: [input, session] } }
untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 }, ticket_id: { from: [input] } } }
"""
    given = "arguments: {{ amount: {}, currency: {}, ticket_id: {} }}"
    call = f"tool: desk.refund, {given}, read: {{{{ trust: untrusted }}}}, expect: {{}}"
    cases = [
        call.format(5, "T-1", "T-1", "allowed"),
        call.format(6, "T-1", "T-1", "asks"),
        call.format(5, "T-1", "T-2", "asks"),
        call.format(5, "USD", "T-1", "refused"),
    ]
    result = run(*cases, grant=grant)
    assert errors(result) == []
    assert uncovered(result) == []
    left = uncovered(run(cases[0], cases[3], grant=grant))
    assert left == [
        "the flow rule",
        "the limit of `amount` in the exceptions",
        "the origin of `ticket_id` in the exceptions",
    ]


def test_untested_agents_are_counted_and_not_warned_about(run):
    files = """\
# file: tests.yaml
# absent
"""
    result = run("tool: desk.refund, expect: refused", files=files)
    assert [one.code for one in result.diagnostics] == []
    assert set(uncovered(result)) == set(ALL)

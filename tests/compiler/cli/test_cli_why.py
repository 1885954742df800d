"""`agentc why` and `agentc validate --coverage`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentc.checks.base import AGENT

REFUNDS = """\
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
"""
TESTS = """\
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: refunds, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - { name: a small refund is made, tool: desk.refund, arguments: { amount: 50 }, expect: allowed }
    - { name: a large one is not, tool: desk.refund, arguments: { amount: 51 }, expect: refused }
"""


def asked(agentc, *arguments: object, tool: str = "desk.refund"):
    return agentc("why", "triage", tool, "--project", "desk", *arguments)


def data(agentc, *arguments: object, tool: str = "desk.refund"):
    done = asked(agentc, *arguments, "--format", "json", tool=tool)
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_a_call_outside_a_limit(agentc, project, snapshot):
    done = asked(agentc, "--args", '{"amount": 60, "currency": "EUR"}')
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot


def test_a_tool_without_arguments_is_told_with_calls_at_its_edges(agentc, project, snapshot):
    done = asked(agentc)
    assert (done.code, done.err) == (0, "")
    assert done.out == snapshot


def test_the_same_as_data(agentc, project):
    told = data(agentc, "--args", '{"amount": 60}')
    (answer,) = told["answers"]
    assert answer["outcome"] == "refused"
    assert answer["rule"] == "AR201"
    assert answer["at"] == [{"file": "desk/permissions.yaml", "line": 8, "column": 16}]
    assert (answer["nearest"], answer["nearest_outcome"]) == ({"amount": 50}, "allowed")
    assert told["assumed"].keys() == {"input.ticket_id"}


def test_what_was_read_matters(agentc, project):
    first, second = data(agentc, "--args", '{"amount": 5}')["answers"]
    assert (first["outcome"], first["read"]["trust"]) == ("allowed", "trusted")
    assert (second["outcome"], second["because"]) == ("asks", ["untrusted_to_effect"])
    (only,) = data(agentc, "--args", '{"amount": 5}', "--read", "typed,confidential")["answers"]
    assert (only["outcome"], only["read"]) == ("allowed", {"trust": "typed", "sensitivity": "confidential"})


def test_arguments_from_a_file_are_read_as_the_broker_reads_them(agentc, project, folder):
    (folder / "call.json").write_text('{"amount": 5, "amount": 50}')
    (answer,) = data(agentc, "--args", "@call.json")["answers"]
    assert answer["rule"] == "AR103"
    assert "twice" in answer["message"]


def test_data_that_no_run_has_is_refused(agentc, project):
    done = asked(agentc, "--input", '{"ticket": 1}')
    assert done.code == 2
    assert "error: --input: no run has this:" in done.err
    assert data(agentc, "--input", '{"ticket_id": "T-7"}')["assumed"] == {}


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("desk.refnd", "toolset `desk` has no tool `refnd`; did you mean `desk.refund`?"),
        (
            "desk.createRefund",
            "its document has an operation of that name: declare a tool with `operation: cr",
        ),
        ("dezk.refund", "no tool `dezk.refund`; did you mean `desk.refund`?"),
        ("refund", "no tool `refund`; did you mean `desk.refund`?"),
    ],
)
def test_a_tool_that_there_is_not(agentc, project, tool, told):
    done = asked(agentc, tool=tool)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--state", "mian"], "agent `triage` has no state `mian`; did you mean `main`?"),
        (["--read", "untrustd"], "--read: no label `untrustd`; did you mean `untrusted`?"),
        (["--read", "typed,secret"], "--read: no label `secret`; known: "),
        (["--env", "prod"], "no environment `prod`; known: `local`"),
        (["--input", "{"], "--input is not JSON"),
        (["--args", "@nothing"], "--args: can't read `nothing`"),
    ],
)
def test_questions_that_can_not_be_asked(agentc, project, arguments, told):
    done = asked(agentc, *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_an_agent_that_there_is_not(agentc, project):
    done = agentc("why", "triaje", "desk.refund", "--project", project)
    assert done.code == 2
    assert "no agent `triaje` in this project; did you mean `triage`?" in done.err


def test_a_tool_that_is_not_granted_is_told_with_the_line_to_write(agentc, project, edit):
    edit(project / "permissions.yaml", "    - tool: desk.refund\n", "")
    edit(project / "permissions.yaml", "      where: { amount: { maximum: 50 } }\n", "")
    edit(project / "permissions.yaml", '      bind: { ticket_id: "${input.ticket_id}" }\n', "")
    (answer,) = data(agentc)["answers"]
    assert answer["rule"] == "AR101"
    assert answer["change"] == "add `- tool: desk.refund` to the grants of `triage` (permissions.yaml:5)"
    (project / "refunds.yaml").write_text(REFUNDS)
    (answer,) = data(agentc)["answers"]
    granted = "it is granted by the PermissionSet `refunds` (refunds.yaml:6): "
    assert answer["change"] == f"{granted}name that in `permissions` (agent.yaml:12)"


def test_another_state_has_it(agentc, project):
    (project / "agent.yaml").write_text(
        AGENT
        + """\
  workflow:
    start: read
    states:
      read: { type: agent, tools: [desk.get_ticket], next: pay }
      pay: { type: tool, tool: desk.refund, arguments: { amount: 60 }, next: done }
      done: { type: end, output: x }
"""
    )
    sent, other = data(agentc)["answers"]
    assert (sent["states"], sent["rule"]) == (["pay"], "AR201")
    assert json.loads(sent["arguments"]) == {"amount": 60}
    assert (other["states"], other["rule"]) == (["read"], "AR102")
    assert other["change"].startswith("call it in `pay`, or add `desk.refund` to the `tools` of the state")


def test_a_bundle_is_asked_without_its_project(agentc, project, folder):
    assert agentc("build", project).code == 0
    bundle = folder / "dist" / "triage-1.0.0"
    done = agentc("why", "triage", "desk.refund", "--project", bundle, "--args", '{"amount": 60}')
    assert done.code == 0
    assert "--> permissions.yaml:8:16" in done.out
    other = agentc("why", "reader", "desk.refund", "--project", bundle)
    assert other.code == 2
    assert "the bundle is of the agent `triage`, not of `reader`" in other.err
    (bundle / "program.json").write_text("{}")
    assert (
        "is not a bundle that can be read" in agentc("why", "triage", "desk.refund", "--project", bundle).err
    )


def test_a_project_with_wrong_names_has_no_policy_to_ask(agentc, broken):
    done = agentc("why", "triage", "desk.refund", "--project", broken)
    assert (done.code, done.out) == (1, "")
    assert "error[AC204]" in done.err


def test_a_failing_permission_test_is_asked_about(agentc, project):
    (project / "tests.yaml").write_text(
        TESTS.replace("amount: 51 }, expect: refused", "amount: 51 }, expect: asks")
    )
    assert agentc("validate", project).code == 1
    assert data(agentc, "--args", '{"amount": 51}')["answers"][0]["rule"] == "AR201"


def test_coverage(agentc, project, snapshot):
    (project / "tests.yaml").write_text(TESTS)
    done = agentc("validate", "--coverage", project)
    assert done.code == 0
    assert done.out.partition("permission tests")[2] == snapshot
    told = json.loads(agentc("validate", "--coverage", "--format", "json", project).out)
    assert {finding["code"] for finding in told["findings"]} == {"AC814"}
    tested = {row["part"]: row["case"] for row in told["coverage"] if row["tool"] == "desk.refund"}
    assert tested["the limit of `amount`"] == "a large one is not"
    assert tested["the flow rule"] is None


def test_coverage_is_text_or_json(agentc, project):
    done = agentc("validate", "--coverage", "--format", "sarif", project)
    assert done.code == 2
    assert "--coverage is written as text or json, not as sarif" in done.err


def test_coverage_of_what_has_errors(agentc, broken):
    done = agentc("validate", "--coverage", broken)
    assert done.code == 1
    assert done.out.endswith("no coverage: correct the errors first\n")


def test_findings_about_permissions_are_kept_and_renewed(agentc, project: Path, edit):
    (project / "tests.yaml").write_text(TESTS)
    first = agentc("validate", project)
    assert agentc("validate", project).out == first.out
    edit(project / "permissions.yaml", "maximum: 50", "maximum: 60")
    assert "error[AC813]: `a large one is not`" in agentc("validate", project).out

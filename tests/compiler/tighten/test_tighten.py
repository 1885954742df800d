"""What is proposed for which runs, and what it looks like in the spec."""

from __future__ import annotations

from difflib import ndiff

import pytest

from agentc.checks.base import BASE, sha256_of
from agentc_runtime.refusals import Refusal

SPECS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  # What triage may do.
  grants:
    - tool: desk.get_ticket # any ticket

    # Money.
    - tool: desk.refund
      where:
        amount:
          maximum: 50 # the shop pays no more
        currency: { enum: [EUR, USD, CHF] } # no other
      quota: { per_run: 3, per_day: 100 }
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
  workflow:
    start: main
    states:
      main:
        type: agent
        tools: [desk.get_ticket, desk.refund]
        next: done
      done: { type: end, output: "${states.main.output}" }
"""
READ = ("desk.get_ticket", {"ticket_id": "T-1001"})


def refund(amount, currency="EUR", ticket="T-1", *answer):
    return ("desk.refund", {"ticket_id": ticket, "amount": amount, "currency": currency}, *answer)


def changed(proposal, project, file="permissions.yaml"):
    """The lines that go and those that come, in order."""
    before = project.result.files[file].data.decode().splitlines()
    after = proposal.files[file].data.decode().splitlines()
    lines = [*ndiff(before, after)]
    return [line[2:] for line in lines if line[:1] == "-"], [line[2:] for line in lines if line[:1] == "+"]


def words(proposal):
    return {(one.tool, one.kind, one.name): one.because for one in proposal.changes}


def test_limits_go_where_they_belong_and_comments_stay(load, propose):
    project = load(SPECS)
    runs = [[READ, refund(5)], [READ, refund(18.5, "EUR", "T-22")], [READ, refund(7, "EUR", "T-333")]]
    proposal = propose(project, runs)
    gone, come = changed(proposal, project)
    assert gone == [
        "          maximum: 50 # the shop pays no more",
        "        currency: { enum: [EUR, USD, CHF] } # no other",
        "      quota: { per_run: 3, per_day: 100 }",
    ]
    assert come == [
        "      where:",
        "        ticket_id: { const: T-1001 }",
        "      quota: { per_run: 1 }",
        "          maximum: 18.5 # the shop pays no more",
        "          minimum: 5",
        "        currency: { enum: [EUR] } # no other",
        '        ticket_id: { pattern: "T-[0-9]{1,3}" }',
        "      quota: { per_run: 1, per_day: 100 }",
    ]


def test_a_tool_that_nobody_calls_goes_from_the_grants_and_from_the_states(load, propose):
    project = load(SPECS)
    proposal = propose(project, [[READ]] * 2)
    assert ("desk.refund", "grant", "") in words(proposal)
    text = proposal.files["permissions.yaml"].data.decode()
    assert "desk.refund" not in text
    assert "    # Money.\n" in text
    assert "tools: [desk.get_ticket]" in proposal.files["agent.yaml"].data.decode()


@pytest.mark.parametrize(
    "tools",
    [
        "[ desk.refund , desk.get_ticket ]",
        "[desk.refund, desk.get_ticket,]",
        "[\n          desk.get_ticket,\n          desk.refund,\n        ]",
        "\n          - desk.refund\n          - desk.get_ticket # reads",
        "\n        - desk.get_ticket # reads\n\n        - desk.refund",
        '\n        -  "desk.get_ticket"\n        -\n           desk.refund\n',
    ],
)
def test_however_the_list_is_written(load, propose, tools):
    project = load(SPECS.replace(" [desk.get_ticket, desk.refund]", f" {tools}".rstrip(" ")))
    proposal = propose(project, [[READ]] * 2)
    assert ("desk.refund", "grant", "") in words(proposal), proposal.kept
    text = proposal.files["agent.yaml"].data.decode()
    assert "desk.refund" not in text
    assert ("# reads" in text) == ("# reads" in tools)


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ("\n        - desk.refund", "would be empty"),
        ("[desk.get_ticket, # reads\n          desk.refund]", "a comment stands in the list"),
    ],
)
def test_what_can_t_be_taken_out_stays_and_is_told(load, propose, tools, why):
    files = SPECS.replace(" [desk.get_ticket, desk.refund]", f" {tools}".rstrip(" "))
    if "get_ticket" not in tools:
        files = files.replace("next: done", "next: look").replace(
            "      done: {",
            "      look: { type: tool, tool: desk.get_ticket, arguments: { ticket_id: T-1 }, next: done }\n"
            "      done: {",
        )
    proposal = propose(load(files), [[READ], [READ]])
    assert [(one.tool, one.what) for one in proposal.kept if why in one.why] == [("desk.refund", "the grant")]


def test_the_last_grant_of_a_set_stays(load, propose):
    proposal = propose(load(SPECS), [[], []])
    assert [one.kind for one in proposal.changes] == ["grant"]
    assert any("none of the grants of `triage` would be left" in one.why for one in proposal.kept)


def test_a_state_that_makes_the_call_keeps_its_grant(load, propose):
    files = SPECS.replace("next: done", "next: pay").replace(
        "      done: {",
        "      pay:\n        type: tool\n        tool: desk.refund\n        next: done\n"
        '        arguments: { ticket_id: "T-1", amount: 5, currency: EUR }\n      done: {',
    )
    proposal = propose(load(files), [[READ]] * 2)
    assert any("the state `pay` is there to call it" in one.why for one in proposal.kept)
    assert "desk.refund" not in {one.tool for one in proposal.changes}


def test_too_little_was_seen(load, propose):
    proposal = propose(load(SPECS), [[READ, refund(5)]] * 3, at_least=4)
    assert proposal.changes == ()
    assert {one.why for one in proposal.kept} == {"only 3 calls"}
    assert propose(load(SPECS), [[READ, refund(5)]] * 4, at_least=4).changes


def test_an_argument_that_was_left_out_once_is_not_required(load, propose):
    files = SPECS.replace("        currency: { enum: [EUR, USD, CHF] } # no other\n", "")
    without = ("desk.refund", {"ticket_id": "T-1", "amount": 5})
    proposal = propose(load(files), [[refund(5)], [refund(5)], [without]])
    assert ("desk.refund", "argument", "currency") not in words(proposal)
    assert [one.why for one in proposal.kept if one.what == "`currency`"] == [
        "it was left out once, and a limit would require it"
    ]


def test_a_secret_says_nothing_about_values(load, propose):
    runs = [[refund(5, "EUR", "T-[secret desk_token]")]] * 3
    proposal = propose(load(SPECS), runs)
    assert ("desk.refund", "argument", "ticket_id") not in words(proposal)
    assert any("a secret stood in it" in one.why for one in proposal.kept if one.what == "`ticket_id`")


def test_only_some_tools(load, propose):
    proposal = propose(load(SPECS), [[READ, refund(5)]] * 2, tools=["desk.get_ticket"])
    assert {one.tool for one in proposal.changes} == {"desk.get_ticket"}


def test_quotas_of_a_day_need_days_and_are_not_made_up(load, propose):
    runs = [[READ, refund(5), refund(5)]] * 3
    assert ("desk.refund", "quota", "per_day") not in words(propose(load(SPECS), runs))
    told = words(propose(load(SPECS), runs, days=True))
    assert told["desk.refund", "quota", "per_day"] == "at most 2 on each of 3 days"
    assert told["desk.refund", "quota", "per_run"] == "at most 2 in each of 3 runs"
    assert ("desk.get_ticket", "quota", "per_day") not in told


def test_calls_that_failed_were_allowed_and_count(load, propose):
    failed = Refusal(code="AR402", message="the service answered 500")
    proposal = propose(load(SPECS), [[READ, refund(40, "EUR", "T-1", failed)], [READ, refund(5)]])
    limits = {one.name: one.limit for one in proposal.changes if one.tool == "desk.refund"}
    assert limits["amount"] == {"minimum": 5, "maximum": 40}


def test_calls_that_the_specs_refuse_by_now_are_left_out(load, propose):
    proposal = propose(load(SPECS), [[refund(60), refund(5), refund(6), ("desk.gone", {})]] * 2)
    assert proposal.evidence.outside == {("desk.refund", "AR201"): 2, ("desk.gone", "AR101"): 2}
    limits = {one.name: one.limit for one in proposal.changes if one.tool == "desk.refund"}
    assert limits["amount"] == {"minimum": 5, "maximum": 6}


def test_a_permission_set_of_two_agents_stays(load, propose):
    other = SPECS[SPECS.index("# file: agent.yaml") :].replace("name: triage,", "name: other,")
    proposal = propose(load(SPECS + other.replace("agent.yaml", "other.yaml")), [[READ, refund(5)]] * 2)
    assert proposal.changes == ()
    assert {one.why for one in proposal.kept} == {"`triage` is also a permission set of `other`"}


TESTED = """\
# file: tests.yaml
apiVersion: agentc/v1
kind: PermissionTest
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  agent: triage
  input: { ticket_id: T-1 }
  cases:
    - name: 30 is paid
      tool: desk.refund
      arguments: { ticket_id: T-1, amount: 30, currency: EUR }
      expect: allowed
    - name: twice
      tool: desk.refund
      arguments: { ticket_id: T-1, amount: 8, currency: EUR }
      used: { per_run: 1 }
      expect: allowed
    - name: GBP is refused
      tool: desk.refund
      arguments: { ticket_id: T-1, amount: 8, currency: GBP }
      expect: { outcome: refused, rule: AR201 }
"""


def test_what_permission_tests_want_stays_possible(load, propose):
    proposal = propose(load(SPECS + TESTED), [[READ, refund(5)], [READ, refund(7)]])
    limits = {one.name: one.limit for one in proposal.changes if one.tool == "desk.refund" and one.limit}
    assert limits["amount"] == {"minimum": 5, "maximum": 30}
    assert {one.name: one.count for one in proposal.changes if one.tool == "desk.refund" and one.count} == {
        "per_run": 2
    }
    unused = propose(load(SPECS + TESTED), [[READ]] * 2)
    assert any("permission tests want it to be possible" in one.why for one in unused.kept)


def test_a_change_that_makes_a_permission_test_fail_is_not_proposed(load, propose):
    only_refused = TESTED[: TESTED.index("    - name: 30")] + TESTED[TESTED.index("    - name: GBP") :]
    proposal = propose(load(SPECS + only_refused), [[READ]] * 2)
    assert "desk.refund" not in {one.tool for one in proposal.changes}
    assert any("`validate` would find AC813" in one.why for one in proposal.kept)
    assert "desk.get_ticket" in {one.tool for one in proposal.changes}


DESTINATION = SPECS.replace("currency: { enum: [EUR, USD, CHF] } # no other", "currency: { maxLength: 3 }")
GOES = "# file: toolset.yaml\n" + BASE["toolset.yaml"].replace(
    "createRefund, effect: send", "createRefund, effect: send, destinations: [ticket_id]"
)


def test_a_destination_is_traced_and_not_listed(load, propose):
    """Listed values would settle it: then nobody would be asked after untrusted content was read."""
    project = load(DESTINATION + GOES)
    proposal = propose(project, [[refund(5)], [refund(6)], [refund(7)]])
    limits = {one.name: one.limit for one in proposal.changes if one.tool == "desk.refund" and one.limit}
    assert limits["ticket_id"] == {"maxLength": 3, "from": ["input"]}
    elsewhere = propose(project, [[refund(5, "EUR", "X-9")], [refund(6, "EUR", "X-9")]])
    limits = {one.name: one.limit for one in elsewhere.changes if one.tool == "desk.refund" and one.limit}
    assert limits["ticket_id"] == {"maxLength": 3}


def test_fewer_origins_are_enough(load, propose):
    files = DESTINATION.replace(
        "        currency:",
        "        ticket_id: { from: [input, trusted, spec] } # never made up\n        currency:",
    )
    project = load(files)
    proposal = propose(project, [[refund(5)], [refund(6)]])
    _, come = changed(proposal, project)
    assert "        ticket_id: { from: [input], const: T-1 } # never made up" in come
    read = ("desk.get_ticket", {"ticket_id": "T-1"}, {"id": "T-1", "subject": "see T-77"})
    proposal = propose(project, [[read, refund(5, "EUR", "T-77")], [refund(6)]])
    limits = {one.name: one.limit for one in proposal.changes if one.tool == "desk.refund" and one.limit}
    assert limits["ticket_id"] == {"maxLength": 4, "from": ["input", "trusted"]}


NESTED = BASE["openapi.yaml"].replace(
    "currency: { type: string }",
    "to: { type: object }\n                lines: { type: array }",
)


def test_what_is_inside_of_lists_and_objects(load, propose):
    files = SPECS.replace("        currency: { enum: [EUR, USD, CHF] } # no other\n", "").replace(
        "maximum: 50 # the shop pays no more",
        "maximum: 50 # most\n        lines:\n          items: # each\n            properties:\n"
        "              id: { pattern: '[0-9]+' } # its number",
    )
    toolset = BASE["toolset.yaml"].replace(sha256_of(BASE["openapi.yaml"]), sha256_of(NESTED))
    project = load(f"{files}# file: toolset.yaml\n{toolset}# file: openapi.yaml\n{NESTED}")
    runs = [
        [
            (
                "desk.refund",
                {
                    "ticket_id": "T-1",
                    "amount": 5,
                    "to": {"iban": iban, **rest},
                    "lines": [{"id": "17"}, {"id": "4"}],
                },
            )
        ]
        for iban, rest in (("DE-1", {}), ("DE-22", {"of": "Ana"}), ("DE-333", {}))
    ]
    _, come = changed(propose(project, runs, tools=["desk.refund"]), project)
    assert come == [
        "          const: 5",
        '              id: { pattern: \'[0-9]+\', enum: ["17", "4"] } # its number',
        "          maxItems: 2",
        "        ticket_id: { const: T-1 }",
        (
            "        to: { properties: { iban: "
            '{ pattern: "DE-[0-9]{1,3}" }, of: { const: Ana } }, required: [iban] }'
        ),
        "      quota: { per_run: 1, per_day: 100 }",
    ]


def test_the_scopes_of_what_is_no_longer_granted_go_as_well(load, propose):
    oauth = """\
    oauth:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://id.example.com/token
          scopes: { "tickets:read": read, "refunds:write": pay }
"""
    read, _, rest = BASE["openapi.yaml"].partition("{ bearerAuth: [] }")
    document = f'{read}{{ oauth: ["tickets:read"] }}{rest}{oauth}'.replace(
        "{ bearerAuth: [] }", '{ oauth: ["refunds:write"] }'
    )
    toolset = BASE["toolset.yaml"].replace(sha256_of(BASE["openapi.yaml"]), sha256_of(document))
    toolset = toolset.replace("scheme: bearerAuth", "scheme: oauth, client_credentials: {}")
    project = load(f"{SPECS}# file: toolset.yaml\n{toolset}# file: openapi.yaml\n{document}")
    proposal = propose(project, [[READ]] * 2)
    assert ("desk.refund", "grant", "") in words(proposal), proposal.kept


def test_a_tool_goes_from_the_states_of_branches_as_well(load, propose):
    branches = """\
  workflow:
    start: both
    states:
      both:
        type: parallel
        branches:
          one:
            start: first
            states:
              first: { type: agent, tools: [desk.get_ticket, desk.refund], next: over }
              over: { type: end, output: "${states.first.output}" }
          two:
            start: second
            states:
              second: { type: agent, tools: [desk.get_ticket], next: out }
              out: { type: end, output: "${states.second.output}" }
        next: done
      done: { type: end, output: done }
"""
    project = load(SPECS[: SPECS.index("  workflow:")] + branches)
    proposal = propose(project, [[READ]] * 2)
    assert ("desk.refund", "grant", "") in words(proposal), proposal.kept
    _, come = changed(proposal, project, "agent.yaml")
    assert come == ["              first: { type: agent, tools: [desk.get_ticket], next: over }"]

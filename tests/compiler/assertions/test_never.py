"""What is never allowed: which grants, servers, calls and flows break it, and which keep it."""

from __future__ import annotations

import pytest

from agentc.checks.base import PROJECT

CALLS = "never: {{ calls: [{{ tool: desk.refund{} }}] }}"
FLOWS = "never: {{ flows: [{{ {} }}] }}"
WORKFLOW = """\
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: {{ name: desk, version: 1.0.0, owner: support }}
spec:
  openapi: {{ file: openapi.yaml, sha256: "{{sha256:openapi.yaml}}" }}
  server: ${{env.DESK_URL}}
  auth: {{ scheme: bearerAuth, secret: desk_token }}
  tools:
    get_ticket: {{ operation: getTicket, effect: read }}
    refund: {{ operation: createRefund, effect: send, output: {{ trust: trusted }} }}
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: {{ name: triage, version: 1.0.0, owner: support }}
spec:
  model: fast
  instructions: Help the customer.
  input:
    sensitivity: {sensitivity}
    trust: {trust}
    schema: {{ type: object, properties: {{ ticket_id: {{ type: string }} }}, required: [ticket_id] }}
  permissions: [triage]
  limits: {{ cost_usd: 0.5 }}
  workflow:
    start: read
    states:
      read:
        type: agent
        prompt: Read.
        tools: [desk.get_ticket]
        output: {{ schema: {{ type: object, properties: {{ what: {what} }}, required: [what] }} }}
        next: pay
      pay:
        type: agent
        prompt: "{prompt}"
        tools: [desk.refund]
        next: done
      done: {{ type: end, output: x }}
"""


def workflow(*, what="{ type: string }", prompt="Pay.", trust="trusted", sensitivity="internal"):
    return WORKFLOW.format(what=what, prompt=prompt, trust=trust, sensitivity=sensitivity)


@pytest.mark.parametrize(
    ("grant", "when", "holds"),
    [
        ("where: { amount: { maximum: 50 } }", "amount: { exclusiveMinimum: 50 }", True),
        ("where: { amount: { maximum: 50 } }", "amount: { minimum: 50 }", False),
        ("where: { amount: { enum: [5, 10] } }", "amount: { minimum: 10.5 }", True),
        ("where: { currency: { pattern: 'EUR|USD' } }", "currency: { not: { enum: [EUR, USD] } }", True),
        ("where: { currency: { pattern: '[A-Z]{3}' } }", "currency: { not: { enum: [EUR, USD] } }", False),
        # a limited argument must be there, another one may be left out: in doubt it is meant
        ("where: { amount: { maximum: 50 } }", "currency: { const: USD }", False),
        ("bind: { currency: EUR }", "currency: { const: USD }", True),
        ("bind: { currency: USD }", "currency: { const: USD }", False),
        # what is bound to data has the type that the agent declares for it
        ('bind: { ticket_id: "${input.ticket_id}" }', "ticket_id: { const: T-9 }", False),
        ("where: { ticket_id: { maxLength: 3 } }", "ticket_id: { minLength: 4 }", True),
        (
            'bind: { ticket_id: "${input.ticket_id}" }\nwhere: { ticket_id: { maxLength: 3 } }',
            "ticket_id: { minLength: 4 }",
            True,
        ),
        # both conditions are meant together
        (
            "where: { amount: { maximum: 50 }, currency: { enum: [EUR] } }",
            "amount: { minimum: 5 }, currency: { const: USD }",
            True,
        ),
    ],
)
def test_calls_in_a_region(broken, grant, when, holds):
    found = broken(CALLS.format(f", when: {{ {when} }}"), grant)
    assert (found == []) == holds, found
    assert all(one.startswith("AC419 agent `triage` may call `desk.refund` in a way") for one in found)


@pytest.mark.parametrize(
    ("grant", "holds"),
    [
        ("approval: { by: [leads] }", True),
        ("approval: { by: [leads], when: { amount: { exclusiveMinimum: 20 } } }", True),
        ("approval: { by: [leads], when: { amount: { minimum: 20.5 } } }", False),
        # asked about only after untrusted content was read, and the first call comes before that
        ("untrusted_to_effect: approve", False),
        ("where: { amount: { maximum: 20 } }", True),
        # in doubt a person is asked
        (
            "approval: { by: [leads], when: { currency: { const: USD } } }",
            False,
        ),
    ],
)
def test_calls_that_somebody_has_to_agree_to(broken, grant, holds):
    asserted = CALLS.format(", when: { amount: { exclusiveMinimum: 20 } }, unasked: true")
    found = broken(asserted, grant)
    assert (found == []) == holds, found


def test_what_the_state_begins_with_counts_as_read(broken):
    asserted = CALLS.format(", unasked: true")
    grant = "untrusted_to_effect: approve\nwhere: { amount: { maximum: 50 } }"
    clean = broken(asserted, grant, workflow(prompt="Pay for {{ input.ticket_id }}."))
    assert [one[:5] for one in clean] == ["AC419"]
    assert broken(asserted, grant, workflow(prompt="Pay for {{ input.ticket_id }}.", trust="untrusted")) == []


def test_a_call_that_cannot_be_shown_counts_as_broken(broken):
    found = broken(
        CALLS.format(", when: { currency: { const: USD } }"), "where: { currency: { from: [spec] } }"
    )
    assert [one[:5] for one in found] == ["AC419"]
    assert "can't be ruled out" in found[0]
    assert "is not in the specs" in found[0]


def test_the_call_that_is_shown_may_need_an_approval(broken):
    found = broken(CALLS.format(""), "approval: { by: [leads] }")
    assert found[0].endswith("in state `main`, and a person is asked")


@pytest.mark.parametrize(
    ("flow", "grant", "files", "holds"),
    [
        ("trust: untrusted, effects: [send]", "quota: { per_run: 1 }", "", False),
        ("trust: untrusted, effects: [delete]", "quota: { per_run: 1 }", "", True),
        ("trust: untrusted, effects: [send], unasked: true", "quota: { per_run: 1 }", "", True),
        ("trust: untrusted, tools: [desk.refund]", "quota: { per_run: 1 }", workflow(), True),
        (
            "trust: untrusted, tools: [desk.refund]",
            "quota: { per_run: 1 }",
            workflow(prompt="Pay for {{ states.read.output.what }}."),
            False,
        ),
        # only a word of two crosses
        (
            "trust: untrusted, tools: [desk.refund]",
            "quota: { per_run: 1 }",
            workflow(what="{ enum: [a, b] }", prompt="Pay for {{ states.read.output.what }}."),
            True,
        ),
        (
            "trust: untrusted, ways_out: true, unasked: true",
            "quota: { per_run: 1 }\nuntrusted_to_effect: { policy: allow, reason: a test }",
            "",
            False,
        ),
        # an exception lets some calls through
        (
            "trust: untrusted, tools: [desk.refund], unasked: true",
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 }, ticket_id: {} } }",
            "",
            False,
        ),
        ("sensitivity: confidential, ways_out: true", "quota: { per_run: 1 }", workflow(), True),
        (
            "sensitivity: confidential, ways_out: true",
            "quota: { per_run: 1 }",
            workflow(prompt="Pay for {{ input.ticket_id }}.", sensitivity="restricted"),
            False,
        ),
        # data that the spec puts into a call has reached it as well
        (
            "sensitivity: confidential, tools: [desk.refund]",
            'bind: { ticket_id: "${input.ticket_id}" }',
            workflow(sensitivity="confidential"),
            False,
        ),
        (
            "sensitivity: confidential, ways_out: true, unasked: true",
            "approval: { by: [leads] }",
            workflow(prompt="Pay for {{ input.ticket_id }}.", sensitivity="restricted"),
            True,
        ),
    ],
)
def test_flows(broken, flow, grant, files, holds):
    found = [one for one in broken(FLOWS.format(flow), grant, files) if one.startswith("AC42")]
    assert (found == []) == holds, found


def test_a_flow_is_told_with_its_way(broken):
    files = workflow(prompt="Pay for {{ states.read.output.what }}.")
    (found,) = broken(FLOWS.format("trust: untrusted, effects: [send]"), "quota: { per_run: 1 }", files)
    assert (
        "in state `pay` of agent `triage` untrusted content of `desk.get_ticket` by way of state `read`"
        in found
    )


@pytest.mark.parametrize(
    ("outside", "holds"),
    [
        ("http://127.0.0.1:8080, https://api.openai.com", True),
        ("http://127.0.0.1:8080, https://*.openai.com", True),
        ("http://127.0.0.1, https://api.openai.com", False),
        ("https://127.0.0.1:8080, https://api.openai.com", False),
        ("http://127.0.0.1:8080, https://*.api.openai.com", False),
        ("http://127.0.0.1:8080, https://penai.com, https://*.ai.com", False),
    ],
)
def test_hosts_are_compared_exactly(broken, outside, holds):
    listed = ", ".join(f'"{one.strip()}"' for one in outside.split(","))
    found = broken(f"never: {{ hosts: [{{ outside: [{listed}] }}] }}")
    assert (found == []) == holds, found
    assert all(one.startswith("AC418") for one in found)


@pytest.mark.parametrize(
    ("operation", "holds"),
    [
        ("effect: send", False),
        ("effect: delete", True),
        ("method: POST", False),
        ("method: DELETE", True),
        ("path: /refunds", False),
        ("toolset: desk, effect: read, method: POST", True),
        ("tool: desk.refund", False),
    ],
)
def test_operations(broken, operation, holds):
    found = broken(f"never: {{ operations: [{{ {operation} }}] }}")
    assert (found == []) == holds, found


def test_only_the_named_agents_are_meant(broken):
    other = """\
# file: other.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: other, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help.
  input: { schema: { type: object, properties: {} } }
  permissions: [reading]
  limits: { cost_usd: 0.5 }
# file: reading.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: reading, version: 1.0.0, owner: support }
spec: { grants: [{ tool: desk.get_ticket }] }
"""
    assert broken("agents: [other]\nnever: { operations: [{ effect: send }] }", files=other) == []
    assert broken("never: { operations: [{ effect: send }] }", files=other) != []


def test_nothing_is_decided_while_names_are_wrong(broken):
    found = broken("never: { operations: [{ effect: send }] }", 'bind: { ticket_id: "${input.nothing}" }')
    assert [one[:5] for one in found] == ["AC209"]
    other = broken("never: { operations: [{ effect: send }] }", "approval: { by: [leds] }")
    assert sorted(one[:5] for one in other) == ["AC411", "AC417"]


def test_neither_the_project_nor_a_comment_silences_an_assertion(broken):
    grant = "# agentc: ignore AC417 we need it today\nwhere: { amount: { maximum: 50 } }"
    rules = PROJECT.rstrip() + "\n  rules: { AC417: ignore }\n"
    found = broken("never: { operations: [{ effect: send }] }", grant, f"# file: agentc.yaml\n{rules}")
    assert sorted(one[:5] for one in found) == ["AC417", "AC810"]

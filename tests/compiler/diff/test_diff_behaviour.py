"""Changes of behaviour: texts, models, workflow, tools; and what nobody has said the meaning of."""

from __future__ import annotations

import pytest

from agentc.checks.base import PROJECT
from agentc.diff.parts import kind_of

AGENT = """\
# file: agent.yaml
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: |
    Help the customer.
    Be kind.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""


def test_a_prompt_is_shown_as_a_diff_of_its_text(differ):
    added = "{% if input.ticket_id %}On {{ input.ticket_id | upper }}{% endif %}"
    new = AGENT.replace("Be kind.", f"Be quick.\n    {added}")
    (edit,) = differ(AGENT, new).edits
    assert (edit.subject, edit.what, edit.at.file) == ("state main", "has other instructions", "agent.yaml")
    assert edit.lines[1:] == (
        " Help the customer.",
        "-Be kind.",
        "+Be quick.",
        f"+{added}",
    )


def test_a_line_that_commands_a_runner_is_disarmed(differ):
    old = AGENT.replace("    Be kind.", "    ::set-output::x\n    Be kind.")
    (edit,) = differ(old, old.replace("Be kind", "Be quick")).edits
    assert r" \::set-output::x" in edit.lines


def test_a_prompt_is_a_permission_where_values_may_come_from_it(differ):
    grant = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 }, currency: { from: [spec] } }
      bind: { ticket_id: "${input.ticket_id}" }
"""
    new = AGENT.replace("Be kind.", "Be kind. Pay in USD.")
    delta = differ(AGENT + grant, new + grant)
    (change,) = delta.widenings
    assert (change.code, change.what) == (
        "AC908",
        "takes `currency` from the prompts of the spec, and these say more",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("provider: openai", "provider: openai\n      temperature: 0.5", 'temperature is "0.5", not null'),
        ("input: 0.25", "input: 0.5", 'prices.input is "0.5", not "0.25"'),
    ],
)
def test_settings_of_a_model(differ, old, new, said):
    project = "# file: agentc.yaml\n" + PROJECT
    (edit,) = differ(project, project.replace(old, new)).edits
    assert (edit.subject, edit.what) == ("model fast", said)


def test_a_grant_that_is_written_otherwise_and_allows_the_same(grants):
    bind = 'bind: { ticket_id: "${input.ticket_id}" }'
    delta = grants(
        f"where: {{ amount: {{ enum: [1, 2] }} }}\n{bind}", f"where: {{ amount: {{ enum: [2, 1] }} }}\n{bind}"
    )
    assert delta.changes == ()
    (edit,) = delta.edits
    assert edit.what == "has permissions that are written otherwise, and allow the same"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("grants", "desk.refund", "new_key"), 1),
        (("tools", "desk.refund", "new_key"), 1),
        (("tools", "desk.refund", "request", "new_key"), 1),
        (("models", "fast", "new_key"), 1),
        (("states", "main", "new_key"), 1),
        (("states", "main"), {"type": "new_type"}),
        (("environments", "local", "new_key"), 1),
        (("limits", "new_key"), 1),
        (("new_key",), 1),
    ],
)
def test_what_is_not_known_is_not_taken_for_behaviour(path, value):
    assert kind_of(path, value) == "unknown"

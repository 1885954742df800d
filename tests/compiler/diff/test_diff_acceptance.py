"""Who may accept which widening, and when an acceptance counts."""

from __future__ import annotations

import json

import pytest

from agentc.checks.base import PROJECT
from agentc.diff.acceptance import judge
from agentc.diff.compare import compare
from agentc.diff.evidence import PRIVILEGES, evidence
from agentc_runtime.canonical import canonical

PEOPLE = "# file: agentc.yaml\n" + PROJECT.replace(
    "    leads: [ana@example.com]\n",
    "    security: [ana@example.com]\n    leads: [bo@example.com, cy@example.com]\n",
)
GRANTS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: {{ name: triage, version: 1.0.0, owner: support }}
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: {{ amount: {{ maximum: {limit} }} }}
      bind: {{ ticket_id: "${{input.ticket_id}}" }}
      quota: {{ per_run: {quota} }}
"""
OWNERS = """\
# file: acceptances.yaml
apiVersion: agentc/v1
kind: AcceptanceSet
metadata: { name: accepted, version: 1.0.0, owner: security }
spec:
  owners:
    - { by: [security] }
    - { rules: [AC906], by: [leads] }
"""
TODAY = "2026-11-26"


def files(limit=50, quota=1, owners=OWNERS, accepted=()):
    lines = "".join(
        f"    - {{ delta: '{delta}', by: {by}, reason: agreed, expires: '{expires}' }}\n"
        for delta, by, expires in accepted
    )
    said = "  accepted:\n" + lines if lines else ""
    return PEOPLE + GRANTS.format(limit=limit, quota=quota) + owners + said


@pytest.fixture
def change(tmp_path, kit):
    """What is accepted of a change from a limit of 50 and a quota of 1, by these acceptances of its delta."""

    def run(*accepted, owners=OWNERS, today=TODAY, delta=None, **new):
        number = len(list(tmp_path.iterdir()))
        old = kit.side(tmp_path / f"old{number}", files(owners=owners))
        found = compare(old, kit.side(tmp_path / f"new{number}", files(owners=owners, **new)))
        digest = delta or f"sha256:{found.digest}"
        rows = [(digest, by, expires) for by, expires in accepted]
        again = compare(
            old, kit.side(tmp_path / f"accepted{number}", files(owners=owners, accepted=rows, **new))
        )
        assert again.digest == found.digest, "an acceptance does not change what it accepts"
        return judge(again, today)

    return run


def test_who_owns_a_widening_may_accept_it(change):
    found = change(("ana@example.com", "2026-12-31"), limit=80)
    assert [(one.code, by.by) for one, by in found.widenings] == [("AC903", "ana@example.com")]
    assert (found.open, found.problems) == ((), ())


def test_nobody_has_accepted_it(change):
    assert [one.code for one in change(limit=80).open] == ["AC903"]


def test_the_last_entry_that_matches_decides(change):
    """Quotas are of the leads, and no longer of security, which owns all the rest."""
    found = change(("ana@example.com", "2026-12-31"), limit=80, quota=2)
    assert {one.code: by and by.by for one, by in found.widenings} == {
        "AC903": "ana@example.com",
        "AC906": None,
    }
    both = change(("ana@example.com", "2026-12-31"), ("cy@example.com", "2026-12-31"), limit=80, quota=2)
    assert {one.code: by and by.by for one, by in both.widenings} == {
        "AC903": "ana@example.com",
        "AC906": "cy@example.com",
    }


@pytest.mark.parametrize(
    ("today", "counts"), [("2026-12-30", True), ("2026-12-31", True), ("2027-01-01", False), (None, True)]
)
def test_it_counts_up_to_its_last_day(change, today, counts):
    found = change(("ana@example.com", "2026-12-31"), limit=80, today=today)
    assert (found.open == ()) == counts
    problems = [why for why, _ in found.problems]
    assert problems == ([] if counts else ["the acceptance of `ana@example.com` counted up to 2026-12-31"])


def test_who_owns_nothing_of_it_does_not_count(change):
    found = change(("bo@example.com", "2026-12-31"), limit=80)
    assert [one.code for one in found.open] == ["AC903"]
    (problem,) = found.problems
    assert problem[0] == (
        "the acceptance of `bo@example.com` does not count: `bo@example.com` owns none of what is widened"
    )
    assert str(problem[1]) == "acceptances.yaml:9"


def test_another_change_is_not_accepted(change):
    """A new push has another digest, also one that changes nothing but a limit a little more."""
    other = "sha256:" + "0" * 64
    assert [one.code for one in change(("ana@example.com", "2026-12-31"), limit=80, delta=other).open]


def test_a_push_after_the_acceptance_voids_it(tmp_path, kit):
    old = kit.side(tmp_path / "old", files())
    first = compare(old, kit.side(tmp_path / "new", files(limit=80)))
    rows = [(f"sha256:{first.digest}", "ana@example.com", "2026-12-31")]
    for name, more in (("limit", {"limit": 81, "quota": 1}), ("quota", {"limit": 80, "quota": 2})):
        pushed = compare(old, kit.side(tmp_path / name, files(accepted=rows, **more)))
        assert judge(pushed, TODAY).open
    prompt = files(limit=80, accepted=rows) + "# file: agent.yaml\n" + AGENT
    assert judge(compare(old, kit.side(tmp_path / "prompt", prompt)), TODAY).open


AGENT = """\
apiVersion: agentc/v1
kind: Agent
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  model: fast
  instructions: Help the customer, and do what tickets say.
  input: { schema: { type: object, properties: { ticket_id: { type: string } }, required: [ticket_id] } }
  permissions: [triage]
  limits: { cost_usd: 0.5 }
"""


def test_nobody_becomes_an_owner_by_the_change_that_they_accept(tmp_path, kit):
    """The attack: one change widens, names its author as owner, and is accepted by them."""
    old = kit.side(tmp_path / "old", files())
    mine = OWNERS.replace("by: [security]", "by: [security, leads]")
    found = compare(old, kit.side(tmp_path / "new", files(limit=80, owners=mine)))
    rows = [(f"sha256:{found.digest}", "bo@example.com", "2026-12-31")]
    again = compare(old, kit.side(tmp_path / "accepted", files(limit=80, owners=mine, accepted=rows)))
    assert {one.code for one in judge(again, TODAY).open} == {"AC903", "AC904"}


def test_joining_a_group_does_not_help_either(tmp_path, kit):
    old = kit.side(tmp_path / "old", files())
    new = files(limit=80).replace("[ana@example.com]", "[ana@example.com, eve@example.com]")
    found = compare(old, kit.side(tmp_path / "new", new))
    said = f"delta: 'sha256:{found.digest}', by: eve@example.com, reason: x, expires: '2027-01-01'"
    line = f"  accepted: [{{ {said} }}]\n"
    again = compare(old, kit.side(tmp_path / "accepted", new + line))
    assert {one.code for one in judge(again, TODAY).open} == {"AC903", "AC904"}


def test_without_owners_nothing_can_be_accepted(change):
    owners = OWNERS[: OWNERS.index("  owners:")] + "  owners: []\n"
    found = change(("ana@example.com", "2026-12-31"), limit=80, owners=owners)
    assert found.open
    assert "has no AcceptanceSet with `owners`" in found.problems[0][0]


def test_the_evidence_of_a_bundle_is_what_was_compared_and_accepted(tmp_path, kit):
    old = kit.side(tmp_path / "old", files())
    new = files(limit=80, quota=2)
    digest = f"sha256:{compare(old, kit.side(tmp_path / 'new', new)).digest}"
    rows = [(digest, "ana@example.com", "2020-01-01")]
    data = evidence(old, kit.side(tmp_path / "accepted", files(limit=80, quota=2, accepted=rows)), "triage")
    found = json.loads(data)
    assert data == canonical(found)
    assert (found["format"], found["verdict"], found["digest"]) == ("agentc.privileges/1", "widened", digest)
    assert {one["rule"]: one["accepted"] for one in found["changes"]} == {
        "AC903": {"by": "ana@example.com", "reason": "agreed", "expires": "2020-01-01"},
        "AC906": None,
    }
    assert str(tmp_path) not in data.decode()
    assert PRIVILEGES == "evidence/privileges.json"

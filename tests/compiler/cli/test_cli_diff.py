"""`agentc diff` on folders and bundles: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentc.checks.base import example_files

PERMISSIONS = """\
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: %s } }
      bind: { ticket_id: "${input.ticket_id}" }
"""


@pytest.fixture
def versions(folder):
    """A maker of projects whose refunds have this limit."""

    def make(name: str, limit: object, more: str = "") -> object:
        target = folder / name
        for path, text in example_files(PERMISSIONS % limit + more).items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text)
        return name

    return make


def test_a_widening_fails_when_it_is_asked_to(agentc, versions):
    old, new = versions("old", 50), versions("new", 80)
    done = agentc("diff", old, new)
    assert done.code == 0
    assert done.out.startswith("widened: 1 widening (1 high); ")
    assert 'call  {"amount":51} in main' in done.out
    assert agentc("diff", old, new, "--fail-on", "widened").code == 1
    assert agentc("diff", new, old, "--fail-on", "widened").code == 0


def test_a_bundle_against_the_project_that_it_was_built_from(agentc, versions):
    folder = versions("desk", 50)
    assert agentc("build", folder, "--out", "dist").code == 0
    done = agentc("diff", "dist/triage-1.0.0", folder, "--fail-on", "widened")
    assert done.code == 0
    assert done.out.startswith(f"not widened: no difference; dist/triage-1.0.0 → {folder}\n")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("nowhere", "`nowhere` is neither a folder nor a revision of git"),
        ("empty", "`empty` can't be compared: there is no project"),
    ],
)
def test_what_is_not_there(agentc, versions, folder, new, said):
    (folder / "empty").mkdir()
    done = agentc("diff", versions("old", 50), new)
    assert done.code == 2
    assert done.err.startswith(f"error: {said}")


def test_a_project_with_errors_has_no_permissions_to_compare(agentc, versions):
    done = agentc("diff", versions("old", 50), versions("new", "[1, 2"))
    assert done.code == 2
    assert "error[AC101]" in done.err
    assert "can't be compared: the project has errors, so what its agents may do is not known" in done.err


def test_a_bundle_that_was_changed_is_not_compared(agentc, versions):
    folder = versions("desk", 50)
    agentc("build", folder, "--out", "dist")
    target = Path("dist/triage-1.0.0/program.json")
    target.write_bytes(target.read_bytes().replace(b'maximum":50', b'maximum":99'))
    done = agentc("diff", "dist/triage-1.0.0", folder)
    assert done.code == 2
    assert "changed since the build" in done.err


def test_as_json_it_has_all_that_a_script_needs(agentc, versions):
    done = agentc("diff", versions("old", 50), versions("new", 80), "--format", "json")
    found = json.loads(done.out)
    (change,) = found["changes"]
    assert (found["verdict"], change["rule"], change["change"]) == ("widened", "AC903", "widened")
    assert change["now"] == {"file": "new/permissions.yaml", "line": 8}
    assert change["limits"] == ["- amount is at most 50", "+ amount is at most 80"]
    assert json.loads(change["witness"]["arguments"]) == {"amount": 51}
    assert change["witness"]["base"]["rule"] == "AR201"
    assert change["witness"]["head"]["outcome"] == "allowed"
    assert found["digest"].startswith("sha256:")


def test_as_markdown_for_a_comment(agentc, versions):
    done = agentc("diff", versions("old", 50), versions("new", 80), "--format", "markdown")
    assert "**AC903** `triage`: `desk.refund` may be called with" in done.out
    assert "```diff\n- amount is at most 50\n+ amount is at most 80\n```" in done.out


def test_a_version_that_is_too_low_fails_when_it_is_asked_to(agentc, versions):
    old, new = versions("old", 80), versions("new", 50)
    assert agentc("diff", old, new, "--fail-on", "widened").code == 0
    assert agentc("diff", old, new, "--fail-on", "widened", "--fail-on", "version").code == 1


def test_build_records_what_it_lets_the_agent_do_beyond_an_older_version(agentc, versions):
    old, new = versions("old", 50), versions("new", 80)
    assert agentc("build", new, "--against", old, "--out", "one").code == 0
    assert agentc("build", new, "--against", f"./{old}", "--out", "two").code == 0
    assert agentc("build", new, "--out", "plain").code == 0
    files = [Path(name, "triage-1.0.0/evidence/privileges.json") for name in ("one", "two", "plain")]
    found = json.loads(files[0].read_text())
    assert [(one["rule"], one["accepted"]) for one in found["changes"]] == [("AC903", None)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not files[2].exists()
    assert agentc("verify", "one/triage-1.0.0").code == 0
    files[0].write_bytes(files[0].read_bytes().replace(b"widened", b"widenet"))
    assert agentc("verify", "one/triage-1.0.0").code == 1
    assert agentc("build", new, "--against", old, "--out", "tars", "--tar").code == 0
    assert agentc("diff", "tars/triage-1.0.0.tar", new).out.startswith("not widened: no difference")


ACCEPTED = """\
# file: acceptances.yaml
apiVersion: agentc/v1
kind: AcceptanceSet
metadata: { name: accepted, version: 1.0.0, owner: security }
spec:
  owners: [{ by: [leads] }]
"""


def test_an_acceptance_turns_a_failure_into_a_pass_until_its_day(agentc, versions, folder):
    old, new = versions("old", 50, ACCEPTED), versions("new", 80, ACCEPTED)
    digest = json.loads(agentc("diff", old, new, "--format", "json").out)["digest"]
    spec = folder / new / "acceptances.yaml"
    row = "  accepted:\n    - {{ delta: '{}', by: ana@example.com, reason: agreed, expires: '{}' }}\n"
    before = spec.read_text()
    spec.write_text(before + row.format(digest, "9999-12-31"))
    done = agentc("diff", old, new, "--fail-on", "widened")
    assert done.code == 0
    assert done.out.startswith("widened, and accepted: 1 widening (1 high)")
    assert "accepted by ana@example.com up to 9999-12-31: agreed (new/acceptances.yaml:7)" in done.out
    spec.write_text(before + row.format(digest, "2020-01-01"))
    done = agentc("diff", old, new, "--fail-on", "widened")
    assert done.code == 1
    assert "AC918: the acceptance of `ana@example.com` counted up to 2020-01-01" in done.out


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "{ delta: 'sha256:12', by: ana@example.com, reason: x, expires: '2099-01-01' }",
            "`sha256:12`: does not have the form",
        ),
        ("{ by: ana@example.com, reason: x, expires: '2099-01-01' }", "delta"),
        ("{ delta: 1, by: [], reason: '', expires: soon, extra: 1 }", "extra"),
        ("just text", "should be a map"),
    ],
)
def test_a_malformed_acceptance_is_an_error_with_its_place(agentc, versions, folder, row, said):
    new = versions("new", 80, ACCEPTED + f"  accepted:\n    - {row}\n")
    done = agentc("diff", versions("old", 50, ACCEPTED), new, "--fail-on", "widened")
    assert done.code == 2
    assert "--> new/acceptances.yaml:7:" in done.err
    assert said in done.err

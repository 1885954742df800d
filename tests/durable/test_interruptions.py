"""What interrupts runs in production: kills, databases that go away, full disks, clocks, models, restarts."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress

import pytest

from agentc_runtime.durable.approvals import decide, list_approvals
from agentc_runtime.durable.erasing import collect_bundles
from agentc_runtime.durable.operating import cancel_run

FULL = os.environ.get("AGENTC_DURABLE_SIZE") == "full"
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("database", "workers"), [("sqlite", 1), ("postgres", 2)])
def test_workers_are_killed_at_random_instants(request, prove, tmp_path, database, workers):
    url = str(tmp_path / "runs.db")
    if database == "postgres":
        url = request.getfixturevalue("postgres").get_uri()
    runs, kills = (200, 30) if FULL else (40, 5)
    proof = prove(url, delay=0.6)
    proof.keep(runs)
    proof.workers.start(workers)
    proof.wait(lambda found: found["running"] > 0, 60)
    for _ in range(kills):
        time.sleep(proof.random.uniform(0.5, 3.0))
        proof.workers.kill(proof.random.randrange(workers))
        proof.workers.start()
    proof.all_over(180)
    proof.proven(runs)
    attempts = [run for run in proof.ledger_runs() if run.attempts > 1]
    assert attempts, "nobody was killed while it carried out a run"


def test_the_database_restarts(prove, postgres):
    proof = prove(postgres.get_uri(), delay=0.3)
    proof.keep(20)
    proof.workers.start(2)
    proof.wait(lambda found: found["running"] > 0, 60)
    for _ in range(2):
        proof.restart_database(postgres)
        time.sleep(1)
    proof.reopen()
    proof.all_over(120)
    proof.proven(20)


def test_the_disk_is_full(prove, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can't be made here")
    try:
        proof = prove(str(disk / "runs.db"), delay=0.3)
        proof.keep(15)
        proof.workers.start()
        proof.wait(lambda found: found["running"] > 3, 60)
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(b"x" * 4096)
        time.sleep(4)
        assert "disk is full" in proof.workers.log.read_text()
        (disk / "ballast").unlink()
        proof.all_over(120)
        proof.proven(15)
        proof.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


CLOCK = """
import os, sys, time
real, state = time.time, os.environ["CLOCK_FILE"]
def offset():
    try:
        return float(open(state).read() or 0)
    except (OSError, ValueError):
        return 0.0
time.time = lambda: real() + offset()
from datetime import UTC, datetime
from agentc_runtime.store import Store
Store.__init__.__defaults__ = (lambda: datetime.fromtimestamp(time.time(), UTC),)
sys.argv[0] = "agentc"
from agentc.cli import invoke
sys.exit(invoke())
"""


def test_the_clock_jumps(prove, tmp_path, monkeypatch):
    clock = tmp_path / "clock"
    monkeypatch.setenv("CLOCK_FILE", str(clock))
    proof = prove(str(tmp_path / "runs.db"), delay=0.2)
    proof.workers.command[1:3] = ["-c", CLOCK]
    proof.keep(30)
    proof.workers.start(2)
    proof.wait(lambda found: found["running"] > 0, 60)
    for seconds in (86_400, -86_400, 3600, 0):
        clock.write_text(str(seconds))
        time.sleep(1)
    proof.all_over(120)
    proof.proven(30)
    # nobody was taken for dead
    assert "is dead" not in proof.workers.log.read_text()


def test_the_model_is_down(prove, tmp_path):
    proof = prove(str(tmp_path / "runs.db"), delay=0.2)
    proof.keep(20)
    proof.workers.start()
    proof.wait(lambda found: found["running"] > 0, 60)
    proof.world.down.set()
    time.sleep(60 if FULL else 5)
    proof.world.down.clear()
    found = proof.all_over(120)
    # runs that could not go on failed in words, and nothing happened twice
    assert found["needs_attention"] == 0
    assert set(proof.world.notes.values()) <= {1}
    refusals = {run.refusal.code for run in proof.ledger_runs() if run.refusal is not None}
    assert refusals <= {"AR503"}
    assert proof.audit().ok


def test_many_runs_wait_across_a_restart(prove, tmp_path):
    number = 1000 if FULL else 100
    proof = prove(str(tmp_path / "runs.db"), approval={"by": ["leads"], "expires": "7d"}, delay=0)
    proof.keep(number)
    proof.workers.start()
    proof.wait(lambda found: found["waiting"] == number, 300)
    proof.workers.kill()
    proof.reopen()
    waiting = list_approvals(proof.ledger, limit=10_000)
    assert len(waiting) == number
    assert proof.world.refunds == {}
    for one in waiting:
        decide(proof.ledger, one.approval_id, approved=True, by="alice", group="leads")
    proof.workers.start()
    proof.all_over(300)
    proof.proven(number)
    assert list_approvals(proof.ledger) == ()


def test_runs_end_with_the_bundle_that_they_began_with(prove, tmp_path):
    proof = prove(str(tmp_path / "runs.db"), approval={"by": ["leads"], "expires": "7d"}, delay=0)
    old = proof.bundle
    proof.keep(3)
    proof.workers.start()
    proof.wait(lambda found: found["waiting"] == 3, 60)
    proof.workers.stop()
    new = proof.rebuild("1.1.0")
    assert new.digest != old.digest
    proof.keep(2)
    proof.workers.start()
    proof.wait(lambda found: found["waiting"] == 5, 60)
    assert collect_bundles(proof.ledger) == []
    for one in list_approvals(proof.ledger):
        decide(proof.ledger, one.approval_id, approved=True, by="alice", group="leads")
    found = proof.all_over()
    assert found == {"succeeded": 5}
    bundles = [(run.version, run.bundle) for run in proof.ledger_runs()]
    assert sorted(bundles) == sorted([("1.0.0", old.digest)] * 3 + [("1.1.0", new.digest)] * 2)
    assert sorted(collect_bundles(proof.ledger)) == sorted([old.digest, new.digest])


def test_a_cancelled_run_asks_its_model_no_longer(prove, tmp_path):
    proof = prove(str(tmp_path / "runs.db"), delay=0)
    command = proof.workers.command
    command[command.index("--concurrency") + 1] = "1"
    proof.world.stuck.set()
    (run_id,) = proof.keep(1)
    proof.workers.start()
    proof.wait(lambda found: found["running"] == 1, 60)
    proof.keep(1)
    time.sleep(2)
    assert proof.statuses() == {"running": 1, "queued": 1}
    cancel_run(proof.ledger, run_id, by="alice", reason="wrong ticket")
    # the model is silent still, and the one place is free again
    proof.wait(lambda found: found == {"cancelled": 1, "running": 1}, 30)
    proof.world.stuck.clear()
    assert proof.all_over(30) == {"cancelled": 1, "succeeded": 1}
    assert "Traceback" not in proof.workers.log.read_text()

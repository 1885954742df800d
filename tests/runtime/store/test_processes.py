"""Real processes on one store: quotas are not overshot, and `kill -9` leaves a chain that verifies."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agentc_runtime.audit import read_audit, verify_audit
from agentc_runtime.store import Store

Spawn = Callable[..., "subprocess.Popen[str]"]

CLAIMS = """
import sys
from agentc_runtime.calls import Claim
from agentc_runtime.store import Store

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
counted = 0
with Store(path) as store:
    for number in range(count):
        claim = Claim(
            run_id="run-1", call_id=f"{name}-{number}", agent="triage", tool="desk.refund", effect="send",
            arguments={}, request_digest="", idempotency_key=None, **{sys.argv[4]: 60},
            **{"per_day" if sys.argv[4] == "per_run" else "per_run": None},
        )
        counted += store.claim(claim) is None
print(counted)
"""

WRITES = """
import sys
from agentc_runtime.labels import Label
from agentc_runtime.calls import Claim, Returned
from agentc_runtime.store import Store

path, name = sys.argv[1:]
store = Store(path)
number = 0
while True:
    number += 1
    claim = Claim(
        run_id=name, call_id=str(number), agent="triage", tool="desk.refund", effect="send",
        arguments={"text": "x" * 500}, request_digest="", idempotency_key=None, per_run=None, per_day=None,
    )
    store.claim(claim)
    print(number, flush=True)
    store.settle(name, str(number), Returned(status=200, value=None, label=Label(), seconds=0.1))
"""


@pytest.mark.parametrize("quota", ["per_run", "per_day"])
def test_processes_do_not_overshoot_a_quota(path: Path, spawn: Spawn, quota: str) -> None:
    """They begin on a file that does not exist yet, so that creating it is raced for as well."""
    children = [spawn(CLAIMS, path, name, 45, quota) for name in ("a", "b")]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    counted = [int(child.communicate()[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum(counted) == 60
    report = verify_audit(path)
    assert (report.ok, report.records) == (True, 60)


def test_kill_leaves_a_log_that_verifies_and_holds_every_intent(path: Path, spawn: Spawn) -> None:
    """Whatever a process said it had claimed is in the log after it was killed, settled or not."""
    announced: dict[str, int] = {}
    for round_ in range(4):
        pair = {f"run-{round_}-{side}": spawn(WRITES, path, f"run-{round_}-{side}") for side in "ab"}
        for name, child in pair.items():
            assert child.stdout is not None
            for _ in range(3 + 2 * round_):
                announced[name] = int(child.stdout.readline())
        for child in pair.values():
            child.kill()
        for name, child in pair.items():
            rest = child.communicate()[0].split()
            # The last line may have been cut short by the kill; every whole number before it was claimed.
            announced[name] = max([announced[name], *map(int, rest[:-1])])
        report = verify_audit(path)
        assert report.ok, report
    claimed: dict[str, set[str]] = {}
    for record in read_audit(path):
        if record.kind == "claimed":
            claimed.setdefault(record.run_id, set()).add(str(record.payload["call_id"]))
    for name, last in announced.items():
        assert {str(number) for number in range(1, last + 1)} <= claimed[name]
    with Store(path) as store:
        store.record("run-9", "refused", {})
    assert verify_audit(path).ok


def test_verification_goes_on_while_others_write(path: Path, spawn: Spawn) -> None:
    child = spawn(WRITES, path, "run-1")
    assert child.stdout is not None
    child.stdout.readline()
    seen = 0
    for _ in range(10):
        report = verify_audit(path)
        assert report.ok, report
        assert report.records >= seen
        seen = report.records
        child.stdout.readline()
    assert seen > 1

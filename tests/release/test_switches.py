"""Switches: what is disabled, for whom, until when, and what becomes of it when they can't be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agentc.emit import write_bundle
from agentc_runtime.audit import read_audit, verify_audit
from agentc_runtime.release.control import FolderControl
from agentc_runtime.release.switching import ControlledSwitches, disable, enable
from agentc_runtime.switches import ControlError, Switch, open_groups, stopped
from agentc_runtime.times import time_text

SCRIPT = Path(__file__).parents[1] / "support" / "deployed.py"


def switch(kind: str, name: str, **more: object) -> Switch:
    return Switch(
        kind=kind, name=name, reason="it pays twice", by="ana", since=time_text(datetime.now(UTC)), **more
    )  # type: ignore[arg-type]


@pytest.fixture
def control(tmp_path: Path) -> FolderControl:
    (tmp_path / "control").mkdir()
    return FolderControl(tmp_path / "control")


def test_what_is_disabled_is_refused_from_the_next_look_on(control: FolderControl) -> None:
    switches = ControlledSwitches(control)
    assert stopped(switches, "triage", "desk.refund") is None
    disable(control, switch("tool", "desk.refund"))
    refusal = stopped(switches, "triage", "desk.refund")
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("AR520", "`desk.refund` is disabled by ana: it pays twice")
    assert stopped(switches, "triage", "desk.read") is None
    assert enable(control, "tool", "desk.refund", None, "ben", "mended")
    assert stopped(switches, "triage", "desk.refund") is None
    assert not enable(control, "tool", "desk.refund", None, "ben", "again")


def test_in_one_agent_only(control: FolderControl) -> None:
    switches = ControlledSwitches(control)
    disable(control, switch("tool", "desk.refund", agent="triage"))
    assert stopped(switches, "triage", "desk.refund") is not None
    assert stopped(switches, "other", "desk.refund") is None
    assert not enable(control, "tool", "desk.refund", None, "ben", "not that one")


def test_a_switch_ends_by_itself(control: FolderControl) -> None:
    now = datetime.now(UTC)
    disable(control, switch("agent", "triage", expires=time_text(now + timedelta(hours=1))))
    assert stopped(ControlledSwitches(control, lambda: now), "triage") is not None
    assert stopped(ControlledSwitches(control, lambda: now + timedelta(hours=2)), "triage") is None


def test_groups_of_approvers(control: FolderControl) -> None:
    switches = ControlledSwitches(control)
    assert open_groups(switches, "triage", ("leads", "security")) == ("leads", "security")
    disable(control, switch("approvers", "leads"))
    assert open_groups(switches, "triage", ("leads", "security")) == ("security",)
    assert open_groups(switches, "triage", ()) == ()
    assert open_groups(switches, "triage", ("leads",)) == "`leads` is disabled by ana: it pays twice"


@pytest.mark.parametrize(
    "harm",
    [
        lambda root: (root / "switches.json").unlink(),
        lambda root: (root / "switches.json").write_text("{}"),
        lambda root: (root / "switches.json").write_text('{"format": "agentc.switches/2", "switches": []}'),
        lambda root: (root / "switches.json").write_bytes(b"\0" * 2_000_000),
        lambda root: ((root / "switches.json").unlink(), (root / "switches.json").mkdir()),
        lambda root: os.rename(root, root.with_name("gone")),
    ],
    ids=["removed", "emptied", "of another version", "huge", "a folder", "not mounted"],
)
def test_nothing_is_done_while_they_can_not_be_read(control: FolderControl, tmp_path: Path, harm) -> None:
    switches = ControlledSwitches(control)
    disable(control, switch("tool", "desk.refund"))
    assert stopped(switches, "triage", "desk.read") is None
    harm(tmp_path / "control")
    for _ in range(2):
        refusal = stopped(switches, "triage", "desk.read")
        assert refusal is not None
        assert refusal.code == "AR522"
        assert open_groups(switches, "triage", ("leads",)).startswith("what is disabled is not known")  # type: ignore[union-attr]


def test_a_control_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="is not a folder"):
        FolderControl(tmp_path / "none")


def test_every_change_is_in_the_audit_log(control: FolderControl, tmp_path: Path) -> None:
    disable(control, switch("model", "fast", expires="2099-01-01T00:00:00Z"))
    enable(control, "model", "fast", None, "ben", "mended")
    assert verify_audit(tmp_path / "control/audit.db").ok
    records = list(read_audit(tmp_path / "control/audit.db"))
    assert [(record.kind, record.payload["by"], record.payload["reason"]) for record in records] == [
        ("disabled", "ana", "it pays twice"), ("enabled", "ben", "mended"),
    ]  # fmt: skip
    assert records[0].payload["expires"] == "2099-01-01T00:00:00Z"


def test_operators_take_turns(control: FolderControl, tmp_path: Path) -> None:
    threads = [
        threading.Thread(
            target=disable, args=(FolderControl(tmp_path / "control"), switch("tool", f"desk.t{n}"))
        )
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    switches = ControlledSwitches(control)
    assert all(stopped(switches, "triage", f"desk.t{n}") is not None for n in range(12))
    assert len(list(read_audit(tmp_path / "control/audit.db"))) == 12


@pytest.mark.slow
def test_two_workers_under_load_stop_within_a_second(
    control: FolderControl, tmp_path: Path, deployed: Any, live_service: Any
) -> None:
    """And the one that was disabled is not called after it, while the runs that asked for it are told why."""
    arrived: list[float] = []

    def answer(_: Any) -> Any:
        arrived.append(time.monotonic())
        return live_service.Answer({"id": "T-1"})

    with live_service.Service(answer) as service:
        program = deployed.program(f"http://127.0.0.1:{service.port}", "1.0.0")
        write_bundle(deployed.files(program), tmp_path / "bundle")
        workers = [
            subprocess.Popen(
                [sys.executable, SCRIPT, tmp_path / "bundle", tmp_path / "control", tmp_path / f"runs{n}.db"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for n in range(2)
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "running\n"
        time.sleep(1.5)
        before = len(arrived)
        disable(control, switch("tool", "desk.read"))
        disabled = time.monotonic()
        time.sleep(1.5)
        late = [moment - disabled for moment in arrived if moment > disabled + 1]
        assert before > 20, "there was load"
        assert late == []
        quiet = len(arrived)
        enable(control, "tool", "desk.read", None, "ana", "mended")
        time.sleep(1.0)
        assert len(arrived) > quiet, "and goes on when it is enabled"
        for worker in workers:
            out, _ = worker.communicate("", timeout=20)
            counts = json.loads(out)
            assert counts["AR520"] > 5
            assert counts["succeeded"] > 5
    for n in range(2):
        refused = [r for r in read_audit(tmp_path / f"runs{n}.db") if r.kind == "refused"]
        assert refused[0].payload["refusal"]["message"] == "`desk.read` is disabled by ana: it pays twice"  # type: ignore[index]

"""A store as control and as origin: on a laptop and in a fleet."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentc.emit import write_bundle
from agentc_runtime.archive import pack
from agentc_runtime.release.control import OPERATOR
from agentc_runtime.release.database import DatabaseControl, DatabaseOrigin
from agentc_runtime.release.origin import MissingError, OriginError, bundle_from, open_origin, open_publisher
from agentc_runtime.release.switching import ControlledSwitches, disable, enable
from agentc_runtime.switches import ControlError, Switch, stopped
from agentc_runtime.verify import load_bundle

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    support = request.getfixturevalue("postgres_support")
    return support.emptied(request.getfixturevalue("postgres"))


@pytest.fixture
def opened(url: str) -> Iterator[Any]:
    """`opened(DatabaseControl)`: one of the store, which is closed in the end."""
    found: list[Any] = []

    def at(kind: Any) -> Any:
        found.append(kind.at(url))
        return found[-1]

    yield at
    for one in found:
        one.close()


def switch(kind: str, name: str) -> Switch:
    since = "2026-11-26T08:00:00Z"
    return Switch(kind=kind, name=name, reason="it pays twice", by="ana", since=since)  # type: ignore[arg-type]


def test_switches_hold_for_everybody_who_reads_the_store(opened: Any) -> None:
    operator, worker = opened(DatabaseControl), ControlledSwitches(opened(DatabaseControl))
    assert stopped(worker, "triage", "desk.refund") is None
    disable(operator, switch("tool", "desk.refund"))
    time.sleep(0.3)
    refusal = stopped(worker, "triage", "desk.refund")
    assert refusal is not None
    assert refusal.code == "AR520"
    assert enable(operator, "tool", "desk.refund", None, "ben", "mended")
    time.sleep(0.3)
    assert stopped(worker, "triage", "desk.refund") is None


def test_what_operators_do_is_in_the_stores_own_audit_log(opened: Any) -> None:
    control = opened(DatabaseControl)
    disable(control, switch("tool", "desk.refund"))
    with control._ledger.transaction() as within:
        rows = within.execute("SELECT run_id, kind, payload FROM audit").fetchall()
    assert [(run, kind) for run, kind, _ in rows] == [(OPERATOR, "disabled")]
    assert json.loads(str(rows[0][2]))["by"] == "ana"


def test_operators_take_turns(opened: Any) -> None:
    controls = [opened(DatabaseControl) for _ in range(8)]
    threads = [
        threading.Thread(target=disable, args=(control, switch("tool", f"desk.t{number}")))
        for number, control in enumerate(controls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    switches = ControlledSwitches(opened(DatabaseControl))
    assert all(stopped(switches, "triage", f"desk.t{number}") is not None for number in range(8))


def test_names_and_documents_of_workers(opened: Any) -> None:
    control = opened(DatabaseControl)
    for name in ("workers/a.b", "workers/a.c", "workerz", "switches"):
        control.put(name, b"{}")
    assert control.names("workers/") == ["workers/a.b", "workers/a.c"]
    control.change("empty", lambda data: None, "never", {})
    assert control.read("empty").data is None
    assert control.names("empty") == []


def test_a_store_that_is_gone(tmp_path: Path) -> None:
    control = DatabaseControl.at(f"sqlite:///{tmp_path / 'store.db'}")
    switches = ControlledSwitches(control)
    assert stopped(switches, "triage") is None
    with control._ledger.transaction() as within:
        within.execute("DROP TABLE documents")
    time.sleep(0.3)
    refusal = stopped(switches, "triage")
    assert refusal is not None
    assert refusal.code == "AR522"
    control.close()


def test_a_store_is_named_by_its_url(tmp_path: Path, signed: dict[str, bytes]) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    push, pull = open_publisher(url), open_origin(url)
    digest = load_bundle(signed).digest
    push.push_bundle(digest, pack(signed))
    assert bundle_from(pull, digest).bundle.digest == digest
    push.close()  # type: ignore[attr-defined]
    pull.close()  # type: ignore[attr-defined]


def test_places_that_are_no_stores() -> None:
    with pytest.raises(ControlError, match="no database that is known"):
        DatabaseControl.at("mysql://x/y")
    with pytest.raises(OriginError, match="no database that is known"):
        open_origin("mysql://x/y")


def test_bundles_and_pointers(
    url: str, opened: Any, signed: dict[str, bytes], unsigned: dict[str, bytes]
) -> None:
    push, pull = opened(DatabaseOrigin), opened(DatabaseOrigin)
    digest = load_bundle(signed).digest
    with pytest.raises(MissingError):
        bundle_from(pull, digest)
    push.push_bundle(digest, pack(unsigned))
    push.push_bundle(digest, pack(signed))
    assert bundle_from(pull, digest).archive == pack(signed)
    with pytest.raises(MissingError):
        pull.pointer("production", "triage", None)
    push.push_pointer("production", "triage", b'{"first":1}')
    known = pull.pointer("production", "triage", None)
    assert known is not None
    assert pull.pointer("production", "triage", known.tag) is None
    push.push_pointer("production", "triage", b'{"second":2}')
    assert pull.pointer("production", "triage", known.tag) is not None


def test_a_worker_follows_a_channel_in_a_store(opened: Any, here: Any) -> None:
    here.push = here.pull = opened(DatabaseOrigin)
    here.control = opened(DatabaseControl)
    worker = here.worker()
    here.deploy(here.bundle("1.0.0"))
    assert worker.refresh(), worker.status().problem
    here.deploy(here.bundle("1.1.0"))
    assert worker.refresh()
    assert worker.choose("anybody").bundle.manifest.agent.version == "1.1.0"
    assert here.control.names("workers/") == ["workers/production.desk.w1"]


@pytest.mark.slow
def test_two_workers_under_load_stop_within_a_second(
    url: str, opened: Any, tmp_path: Path, deployed: Any, live_service: Any
) -> None:
    arrived: list[float] = []

    def answer(_: Any) -> Any:
        arrived.append(time.monotonic())
        return live_service.Answer({"id": "T-1"})

    with live_service.Service(answer) as service:
        program = deployed.program(f"http://127.0.0.1:{service.port}", "1.0.0")
        write_bundle(deployed.files(program), tmp_path / "bundle")
        script, bundle = SUPPORT / "deployed.py", tmp_path / "bundle"
        workers = [
            subprocess.Popen(
                [sys.executable, script, bundle, url, tmp_path / f"runs{number}.db"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for number in range(2)
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "running\n"
        time.sleep(1.0)
        before = len(arrived)
        disable(opened(DatabaseControl), switch("tool", "desk.read"))
        disabled = time.monotonic()
        time.sleep(1.5)
        assert before > 20, "there was load"
        assert [moment - disabled for moment in arrived if moment > disabled + 1] == []
        for worker in workers:
            out, _ = worker.communicate("", timeout=20)
            assert json.loads(out)["AR520"] > 5

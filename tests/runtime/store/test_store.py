"""The store's file: what it holds, who may open it, and what happens when the disk does not play along."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from agentc_runtime.audit import read_audit, verify_audit
from agentc_runtime.calls import Claim
from agentc_runtime.database import APPLICATION_ID
from agentc_runtime.refusals import Refusal
from agentc_runtime.run import RunLog
from agentc_runtime.store import Store, StoreError

STARTED = {"agent": "triage", "version": "1.0.0", "bundle": "ab" * 32, "environment": "local"}


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def start(store: RunLog, run_id: str = "run-1") -> None:
    store.start_run(run_id, **STARTED, input={"ticket": 7}, session={})


def test_a_run_its_steps_and_its_end_are_kept(path: Path, clock: Callable[[], datetime]) -> None:
    refusal = Refusal(code="AR501", message="too many steps")
    with Store(path, clock) as store:
        start(store)
        store.record_step("run-1", 1, "look", {"found": [1, 2.5]})
        store.record_step("run-1", 2, "act", refusal)
        store.record_step("run-1", 2, "act", None)
        store.end_run("run-1", "failed", output=None, refusal=refusal)
    now = "2026-03-01T12:30:15.123Z"
    (run,) = rows(path, "SELECT status, started, ended, input, session, output FROM runs")
    assert run == ("failed", now, now, '{"ticket":7}', "{}", "null")
    steps = rows(path, "SELECT step, state, status, outcome FROM steps ORDER BY id")
    assert steps[0] == (1, "look", "succeeded", '{"found":[1,2.5]}')
    assert steps[1][:3] == (2, "act", "failed")
    assert json.loads(str(steps[1][3]))["code"] == "AR501"
    assert steps[2] == (2, "act", "succeeded", "null")
    first, last = read_audit(path)
    assert (first.kind, first.payload, first.time) == ("run_started", STARTED, now)
    assert (last.kind, last.payload["status"]) == ("run_ended", "failed")


def test_runs_begin_once_and_end_once(path: Path) -> None:
    with Store(path) as store:
        start(store)
        with pytest.raises(StoreError, match="run `run-1` was started before"):
            start(store)
        with pytest.raises(StoreError, match="foreign key constraint failed"):
            store.record_step("run-2", 1, "look", None)
        store.end_run("run-1", "succeeded", output={}, refusal=None)
        for run_id in ("run-1", "run-2"):
            with pytest.raises(StoreError, match=f"run `{run_id}` is not running"):
                store.end_run(run_id, "failed", output=None, refusal=None)
    assert verify_audit(path).records == 2


def test_a_store_is_opened_again_and_goes_on(path: Path, claim: Callable[..., Claim]) -> None:
    for number in range(3):
        with Store(str(path)) as store:
            expected = None if number < 2 else "per_run"
            assert store.claim(claim(f"call-{number}", per_run=2)) == expected
    assert verify_audit(path).records == 2
    assert verify_audit(path).ok


def test_a_new_store_is_for_its_owner_only(path: Path) -> None:
    with Store(path) as store:
        store.record("run-1", "refused", {})
        for name in (path, f"{path}-wal", f"{path}-shm"):
            assert stat.S_IMODE(os.stat(name).st_mode) == 0o600
    assert not os.path.exists(f"{path}-wal")


def test_commits_are_synced(path: Path) -> None:
    with Store(path) as store:
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_threads_take_turns(path: Path, claim: Callable[..., Claim]) -> None:
    answers: list[object] = []
    with Store(path) as store:

        def work(name: int) -> None:
            for number in range(20):
                answers.append(store.claim(claim(f"{name}-{number}", per_run=50)))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers.count(None) == 50
    assert answers.count("per_run") == 30
    assert verify_audit(path).records == 50


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(caught.value) == f"{path}: {caught.value.message}"
    assert caught.value.message.isprintable()
    return caught.value


def test_what_is_no_sqlite_file_is_left_alone(path: Path) -> None:
    content = b"not a database, but long enough that SQLite looks at it" * 100
    path.write_bytes(content)
    assert "file is not a database: it is no agentc store" in refused(path).message
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    content = path.read_bytes()
    assert "a SQLite database of another program" in refused(path).message
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [0, 1, 99])
def test_a_store_of_another_version_is_left_alone(path: Path, version: int) -> None:
    Store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    assert f"store of version {version}, and this agentc knows 2: use the agentc" in refused(path).message
    assert rows(path, "PRAGMA application_id") == [(APPLICATION_ID,)]


def test_paths_that_can_not_be_a_store(tmp_path: Path) -> None:
    refused(tmp_path)
    assert "no such file or directory" in refused(tmp_path / "absent" / "runs.db").message
    (tmp_path / "file").touch()
    assert "not a directory" in refused(tmp_path / "file" / "runs.db").message
    assert "file name too long" in refused(tmp_path / ("x" * 300)).message


def test_a_closed_store_refuses(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.record("run-1", "refused", {})


def test_a_full_disk_is_reported_and_nothing_half_is_kept(path: Path, claim: Callable[..., Claim]) -> None:
    """SQLite's own page limit gives the very error that a full disk gives."""
    with Store(path) as store:
        store.record("run-1", "refused", {})
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="database or disk is full: free some space"):
            store.claim(claim(arguments={"text": "x" * 100_000}))
        store._connection.execute("PRAGMA max_page_count = 1000000")
        assert store.claim(claim(per_run=1)) is None
    assert verify_audit(path).records == 2
    assert verify_audit(path).ok


def test_a_value_beyond_the_limit_is_refused(path: Path) -> None:
    """What could not be read back in bounded memory must not be written either."""
    with Store(path) as store:
        with pytest.raises(StoreError, match="too big"):
            store.record("run-1", "refused", {"text": "x" * (65 * 1024 * 1024)})
        store.record("run-1", "refused", {"text": "x"})
    assert verify_audit(path).ok


def test_a_locked_file_is_reported(path: Path, claim: Callable[..., Claim]) -> None:
    with (
        Store(path, busy_seconds=0.05) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked: another process holds it"):
            store.claim(claim())
        with pytest.raises(StoreError, match="database is locked: another process holds it"):
            Store(path, busy_seconds=0.05)
        other.execute("ROLLBACK")
        assert store.claim(claim()) is None


def test_a_damaged_head_stops_the_log(path: Path) -> None:
    """Writing on would bury the damage under a chain that verifies."""
    for change in ("DELETE FROM head", "UPDATE head SET hash = 'zz'", "UPDATE head SET hash = x'00'"):
        path.unlink(missing_ok=True)
        with Store(path) as store:
            store.record("run-1", "refused", {})
            store._connection.execute(change)
            with pytest.raises(StoreError, match="the head of the audit log is damaged"):
                store.record("run-1", "refused", {})
        assert not verify_audit(path).ok

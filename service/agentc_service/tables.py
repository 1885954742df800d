"""What the service keeps beside the runs themselves: whose they are, what they told, and sessions.

The tables lie in the store of the runs, and each query names the tenant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.ledger import Ledger, Transaction, as_text
from agentc_runtime.store import rfc3339

_TABLES = (
    """CREATE TABLE IF NOT EXISTS served_runs (
        run_id TEXT PRIMARY KEY REFERENCES runs, tenant TEXT NOT NULL, subject TEXT NOT NULL,
        session_id TEXT, idempotency_key TEXT, request_digest TEXT, trace TEXT NOT NULL,
        created TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS served_runs_newest ON served_runs (tenant, run_id)",
    "CREATE INDEX IF NOT EXISTS served_runs_of_whom ON served_runs (tenant, subject, run_id)",
    """CREATE INDEX IF NOT EXISTS served_runs_by_session ON served_runs (session_id, created)
        WHERE session_id IS NOT NULL""",
    """CREATE UNIQUE INDEX IF NOT EXISTS served_runs_once
        ON served_runs (tenant, subject, idempotency_key)""",
    """CREATE TABLE IF NOT EXISTS served_events (
        run_id TEXT NOT NULL REFERENCES runs, number INTEGER NOT NULL, time TEXT NOT NULL,
        event TEXT NOT NULL, PRIMARY KEY (run_id, number))""",
    """CREATE TABLE IF NOT EXISTS served_sessions (
        session_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, subject TEXT NOT NULL, agent TEXT NOT NULL,
        data TEXT NOT NULL, created TEXT NOT NULL)""",
    # people in browsers: the digest of a cookie, and who has it, as JSON
    """CREATE TABLE IF NOT EXISTS console_sessions (
        session_digest TEXT PRIMARY KEY, caller TEXT NOT NULL, seen TEXT NOT NULL, ends TEXT NOT NULL)""",
)


class StoredEvent(NamedTuple):
    """An event of a run. `number` counts from 1; `time` is RFC 3339; `event` is JSON text."""

    number: int
    time: str
    event: str


class BegunRun(NamedTuple):
    """The trace that a run is part of, and the number of the last event that it has told."""

    trace: Mapping[str, str]
    last_event: int


class ServedRun(NamedTuple):
    """Whose a run is."""

    run_id: str
    tenant: str
    subject: str
    session_id: str | None


class ServedSession(NamedTuple):
    """The session that runs of an agent are started with."""

    session_id: str
    tenant: str
    subject: str
    agent: str
    data: object
    created: str


def open_service_ledger(url: str) -> Ledger:
    """The store at `url`, with the tables of the service.

    Raises:
        StoreError: it can't be opened or created.
    """
    ledger = open_ledger(url)
    prepare(ledger)
    return ledger


def prepare(ledger: Ledger) -> None:
    """Add the tables of the service to a store that has none of them yet.

    Raises:
        StoreError: it can't be written.
    """
    with ledger.transaction() as within:
        for statement in _TABLES:
            within.execute(statement)


def own_run(
    within: Transaction,
    run: ServedRun,
    *,
    idempotency_key: str | None,
    request_digest: str | None,
    trace: Mapping[str, str],
) -> None:
    """Say whose the run is, and which trace it is part of, in the transaction that creates it."""
    within.execute(
        "INSERT INTO served_runs (run_id, tenant, subject, session_id, idempotency_key, request_digest,"
        " trace, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*run, idempotency_key, request_digest, json.dumps(trace), within.now),
    )


def keyed_run(ledger: Ledger, tenant: str, subject: str, key: str) -> tuple[str, str] | None:
    """The run that was started with this idempotency key, and the digest of its request."""
    with ledger.transaction() as within:
        row = within.execute(
            "SELECT run_id, request_digest FROM served_runs"
            " WHERE tenant = ? AND subject = ? AND idempotency_key = ?",
            (tenant, subject, key),
        ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def begun_run(ledger: Ledger, run_id: str) -> BegunRun:
    """What a run that goes on has told, and the trace that it is part of."""
    with ledger.transaction() as within:
        row = within.execute("SELECT trace FROM served_runs WHERE run_id = ?", (run_id,)).fetchone()
        last = _last_event(within, run_id)
    trace = {} if row is None else json.loads(str(row[0]))
    return BegunRun({str(name): str(value) for name, value in trace.items()}, last)


def find_owner(ledger: Ledger, tenant: str, run_id: str) -> ServedRun | None:
    """Whose the run is, when it is one of the tenant."""
    with ledger.transaction() as within:
        row = within.execute(
            "SELECT run_id, tenant, subject, session_id FROM served_runs WHERE tenant = ? AND run_id = ?",
            (tenant, run_id),
        ).fetchone()
    return (
        None
        if row is None
        else ServedRun(str(row[0]), str(row[1]), str(row[2]), None if row[3] is None else str(row[3]))
    )


def tenant_of(ledger: Ledger, run_id: str) -> str:
    """The tenant that a run is of, empty for one that no service has begun."""
    with ledger.transaction() as within:
        row = within.execute("SELECT tenant FROM served_runs WHERE run_id = ?", (run_id,)).fetchone()
    return "" if row is None else str(row[0])


def keep_events(ledger: Ledger, events: Sequence[tuple[str, StoredEvent]]) -> None:
    """Keep events of runs."""
    with ledger.transaction() as within:
        for run_id, event in events:
            within.execute(
                "INSERT INTO served_events (run_id, number, time, event) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (run_id, *event),
            )


def events_after(ledger: Ledger, run_id: str, number: int, limit: int = 500) -> tuple[StoredEvent, ...]:
    """The events of a run that follow the one with `number`."""
    with ledger.transaction() as within:
        rows = within.execute(
            "SELECT number, time, event FROM served_events WHERE run_id = ? AND number > ?"
            " ORDER BY number LIMIT ?",
            (run_id, number, limit),
        ).fetchall()
    return tuple(StoredEvent(int(str(row[0])), str(row[1]), str(row[2])) for row in rows)


def last_event(ledger: Ledger, run_id: str) -> int:
    """The number of the last event that is kept of the run, 0 without one."""
    with ledger.transaction() as within:
        return _last_event(within, run_id)


def _last_event(within: Transaction, run_id: str) -> int:
    row = within.execute(
        "SELECT coalesce(max(number), 0) FROM served_events WHERE run_id = ?", (run_id,)
    ).fetchone()
    return 0 if row is None else int(str(row[0]))


def keep_session(ledger: Ledger, session: ServedSession) -> None:
    """Keep a session."""
    with ledger.transaction() as within:
        within.execute(
            "INSERT INTO served_sessions (session_id, tenant, subject, agent, data, created)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (*session[:4], as_text(session.data), session.created),
        )


def find_session(ledger: Ledger, tenant: str, session_id: str) -> ServedSession | None:
    """The tenant's session with this id."""
    with ledger.transaction() as within:
        row = within.execute(
            "SELECT session_id, tenant, subject, agent, data, created FROM served_sessions"
            " WHERE tenant = ? AND session_id = ?",
            (tenant, session_id),
        ).fetchone()
    if row is None:
        return None
    return ServedSession(
        str(row[0]), str(row[1]), str(row[2]), str(row[3]), json.loads(str(row[4])), str(row[5])
    )


def end_session(ledger: Ledger, tenant: str, session_id: str) -> bool:
    """Forget the session; whether there was one."""
    with ledger.transaction() as within:
        return (
            within.execute(
                "DELETE FROM served_sessions WHERE tenant = ? AND session_id = ?", (tenant, session_id)
            ).rowcount
            == 1
        )


def erase_served(within: Transaction, run_id: str) -> None:
    """Erase what the service keeps of a run but whose it is: all that it told, and what its request said."""
    within.execute("DELETE FROM served_events WHERE run_id = ?", (run_id,))
    within.execute(
        "UPDATE served_runs SET session_id = NULL, idempotency_key = NULL, request_digest = NULL,"
        " trace = '{}' WHERE run_id = ?",
        (run_id,),
    )


def erase_sessions(
    ledger: Ledger, *, older_than: timedelta | None, wanted: Callable[[object], bool] | None
) -> int:
    """Erase the sessions whose data is `wanted`, and that were begun and last used so long ago; how many."""
    with ledger.transaction() as within:
        limit = rfc3339(datetime.fromisoformat(within.now) - (older_than or timedelta()))
        rows = within.execute(
            "SELECT session_id, data FROM served_sessions s WHERE created <= ? AND NOT EXISTS"
            " (SELECT 1 FROM served_runs r WHERE r.session_id = s.session_id AND r.created > ?)",
            (limit, limit),
        ).fetchall()
        gone = [row[0] for row in rows if wanted is None or wanted(json.loads(str(row[1])))]
        for session_id in gone:
            within.execute("DELETE FROM served_sessions WHERE session_id = ?", (session_id,))
    return len(gone)

"""The tables that durable runs need beside those of every store, in either database."""

from __future__ import annotations

from ..database import SCHEMA
from ..ledger import SPENDING, Transaction

#: What a run may be. The last three are its end.
STATUSES = ("queued", "running", "waiting", "needs_attention", "succeeded", "failed", "cancelled")

_DURABLE = (
    # The bundles that runs began with: a worker needs no other copy.
    """CREATE TABLE IF NOT EXISTS bundles (
        digest TEXT PRIMARY KEY, agent TEXT NOT NULL, version TEXT NOT NULL, content {bytes} NOT NULL,
        stored TEXT NOT NULL)""",
    # `why` is for whoever looks after the run; `attempts` counts how often a process took it up; `woken` says
    # that something it may wait for has happened since; `handed` that the engine knows if it is queued.
    # `pinned` is its bundle until it is over.
    """CREATE TABLE IF NOT EXISTS durable_runs (
        run_id TEXT PRIMARY KEY REFERENCES runs, why TEXT NOT NULL, attempts INTEGER NOT NULL,
        used_ms INTEGER NOT NULL, woken INTEGER NOT NULL, handed INTEGER NOT NULL,
        pinned TEXT REFERENCES bundles)""",
    "CREATE INDEX IF NOT EXISTS durable_runs_pinned ON durable_runs (pinned) WHERE pinned IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS durable_runs_to_hand ON durable_runs (run_id) WHERE handed = 0",
    # The processes that carry out runs. One whose `beats` no longer change is taken for dead.
    """CREATE TABLE IF NOT EXISTS workers (
        worker TEXT PRIMARY KEY, beats INTEGER NOT NULL, started TEXT NOT NULL)""",
    # What models, retrievers and timers answered, by the key of the step.
    """CREATE TABLE IF NOT EXISTS turns (
        run_id TEXT NOT NULL, step TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (run_id, step))""",
    # Calls that were decided and not sent: their outcome may not be another one when the run is run again.
    """CREATE TABLE IF NOT EXISTS refused_calls (
        run_id TEXT NOT NULL, call_id TEXT NOT NULL, refusal TEXT NOT NULL, PRIMARY KEY (run_id, call_id))""",
    # `request` is what is shown, and the answer is for its digest alone.
    """CREATE TABLE IF NOT EXISTS approvals (
        approval_id TEXT PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, call_id TEXT NOT NULL,
        agent TEXT NOT NULL, request TEXT NOT NULL, digest TEXT NOT NULL, status TEXT NOT NULL,
        asked TEXT NOT NULL, expires TEXT NOT NULL, decided TEXT, decided_by TEXT, decided_for TEXT,
        reason TEXT, arguments TEXT)""",
    "CREATE INDEX IF NOT EXISTS approvals_by_run ON approvals (run_id, call_id)",
    "CREATE INDEX IF NOT EXISTS approvals_open ON approvals (expires) WHERE status = 'pending'",
    # Events of a run that is run again and again, each recorded in the audit log once.
    """CREATE TABLE IF NOT EXISTS run_events (
        run_id TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (run_id, event))""",
    # What operators say and workers report, and channels and bundles where the store is their origin.
    """CREATE TABLE IF NOT EXISTS documents (
        name TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS origin_bundles (
        digest TEXT PRIMARY KEY, archive {bytes} NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS runs_by_status ON runs (status, started)",
    # What people say of runs. `correction` and `labels` are JSON; `given_by` is one of the tenant.
    """CREATE TABLE IF NOT EXISTS feedback (
        run_id TEXT NOT NULL REFERENCES runs, tenant TEXT NOT NULL, given_by TEXT NOT NULL,
        given TEXT NOT NULL, thumb TEXT, correction TEXT NOT NULL, labels TEXT NOT NULL,
        comment TEXT NOT NULL, PRIMARY KEY (run_id, tenant, given_by))""",
    # What is erased of a run is looked for by the run.
    "CREATE INDEX IF NOT EXISTS audit_by_run ON audit (run_id, seq)",
    *SPENDING,
)

#: What is created last: where it is there, everything is.
LAST = "spending"


def create_sqlite(within: Transaction) -> None:
    """Add what is missing to a store in SQLite."""
    for statement in _DURABLE:
        within.execute(statement.format(bytes="BLOB"))


def postgres_statements() -> tuple[str, ...]:
    """What creates a whole store in PostgreSQL, in tables that are not there yet."""
    shared = (
        statement.replace("id INTEGER PRIMARY KEY,", "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,")
        .replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ")
        .replace("INDEX ", "INDEX IF NOT EXISTS ")
        for statement in SCHEMA
    )
    durable = (statement.format(bytes="BYTEA") for statement in _DURABLE)
    return tuple(statement.replace("INTEGER", "BIGINT") for statement in (*shared, *durable))

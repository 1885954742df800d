"""Runs, as whoever looks after them sees them."""

from __future__ import annotations

import json

import msgspec

from ..journal import StoreError
from ..ledger import Ledger, Row
from ..refusals import Refusal


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `why` says what it waits for; `attempts` how often it was taken up."""

    run_id: str
    agent: str
    version: str
    bundle: str
    environment: str
    status: str
    why: str
    started: str
    ended: str | None
    attempts: int
    durable: bool
    output: object = None
    refusal: Refusal | None = None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A state that ended."""

    step: int
    state: str
    status: str
    time: str


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was sent. `outcome` is `returned`, `refused` with its rule, or `unknown`: not settled."""

    call_id: str
    tool: str
    effect: str
    arguments: dict[str, object]
    idempotency_key: str | None
    claimed: str
    settled: str | None
    outcome: str


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A run with what it has done."""

    run: RunView
    steps: tuple[StepView, ...]
    calls: tuple[CallView, ...]


#: Selects the fields of a `RunView`.
RUN_ROWS = (
    "SELECT r.run_id, r.agent, r.version, r.bundle, r.environment, r.status, coalesce(d.why, ''), r.started,"
    " r.ended, coalesce(d.attempts, 0), d.run_id IS NOT NULL, r.output, r.refusal"
    " FROM runs r LEFT JOIN durable_runs d ON d.run_id = r.run_id"
)


def list_runs(ledger: Ledger, *, status: str | None = None, limit: int = 50) -> tuple[RunView, ...]:
    """The newest runs first, those of one status or all."""
    where, parameters = (" WHERE r.status = ?", (status, limit)) if status else ("", (limit,))
    with ledger.transaction() as within:
        rows = within.execute(f"{RUN_ROWS}{where} ORDER BY r.started DESC, r.run_id DESC LIMIT ?", parameters)
        return tuple(run_of(row, ledger.name) for row in rows.fetchall())


def status_of(ledger: Ledger, run_id: str) -> str | None:
    """The status of a run; nothing when there is no such run."""
    with ledger.transaction() as within:
        row = within.execute("SELECT status FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else str(row[0])


def find_run(ledger: Ledger, run_id: str) -> RunDetail | None:
    """A run with its steps and calls."""
    with ledger.transaction() as within:
        row = within.execute(f"{RUN_ROWS} WHERE r.run_id = ?", (run_id,)).fetchone()
        if row is None:
            return None
        steps = within.execute(
            "SELECT step, state, status, time FROM steps WHERE run_id = ? ORDER BY id", (run_id,)
        ).fetchall()
        calls = within.execute(
            "SELECT call_id, tool, effect, arguments, idempotency_key, claimed, settled, outcome FROM calls"
            " WHERE run_id = ? ORDER BY id",
            (run_id,),
        ).fetchall()
    try:
        return RunDetail(
            run=run_of(row, ledger.name),
            steps=tuple(
                msgspec.convert(dict(zip(StepView.__struct_fields__, step, strict=True)), StepView)
                for step in steps
            ),
            calls=tuple(_call(call) for call in calls),
        )
    except (ValueError, msgspec.ValidationError) as error:
        raise StoreError(f"what is kept of run `{run_id}` is damaged: {error}", ledger.name) from error


def run_of(row: Row, where: str) -> RunView:
    """The run that a row of `RUN_ROWS` describes; `where` is the store, for messages."""
    data = dict(zip(RunView.__struct_fields__, row, strict=True))
    try:
        data["durable"] = bool(data["durable"])
        for name in ("output", "refusal"):
            data[name] = None if data[name] is None else json.loads(str(data[name]))
        return msgspec.convert(data, RunView)
    except (ValueError, msgspec.ValidationError) as error:
        raise StoreError(f"what is kept of run `{row[0]}` is damaged: {error}", where) from error


def _call(row: Row) -> CallView:
    data = dict(zip(CallView.__struct_fields__, row, strict=True))
    data["arguments"] = json.loads(str(data["arguments"]))
    outcome = None if data["outcome"] is None else json.loads(str(data["outcome"]))
    data["outcome"] = (
        "unknown" if outcome is None else f"refused {outcome['code']}" if "code" in outcome else "returned"
    )
    return msgspec.convert(data, CallView)

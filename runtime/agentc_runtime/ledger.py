"""What is kept of runs and calls, as SQL that every database understands: on a laptop and in a fleet.

It is both the `Journal` of the broker and the `RunLog` of a run. Values are redacted before they come here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

from .audit import Entry
from .budgets import BudgetName, Spending, over
from .calls import Claim, Returned
from .canonical import canonical
from .journal import CLAIMED, SETTLED, StoreError, claimed, settled
from .quotas import QuotaName, exhausted
from .refusals import Refusal

Row = tuple[object, ...]


class Rows(Protocol):
    """What a statement found, or how many rows it changed."""

    @property
    def rowcount(self) -> int:
        """The rows that were changed."""

    def fetchone(self) -> Row | None:
        """The next row."""

    def fetchall(self) -> list[Row]:
        """All rows that are left."""


class Transaction(Protocol):
    """All or nothing of what is executed in it. `now` is its time (RFC 3339, ms, UTC).

    `entries` are appended to the audit log at its end.

    `holding` ends a SELECT whose rows nobody else may change until the transaction is over: it is empty where
    a transaction is the only one that writes anyway.
    """

    @property
    def now(self) -> str:
        """When it is."""

    @property
    def entries(self) -> list[Entry]:
        """What is recorded when it is over."""

    @property
    def holding(self) -> str:
        """The end of a SELECT that holds its rows."""

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one statement; parameters stand as `?`."""


class Ledger(ABC):
    """An open store. Its methods raise `StoreError` when what they were given is not durable on return.

    Nothing of it is kept then. `name` is where it is, for messages.
    """

    name: str

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction with the right to write, committed and synced when its block ends without an error.

        Raises:
            StoreError: it can't be written, or a value in it is not JSON.
        """

    @abstractmethod
    def close(self) -> None:
        """Close it. It can't be used any more; closing it twice does nothing."""

    @abstractmethod
    def scrub(self) -> None:
        """Take what was deleted out of the files as well, where this is for us to do."""

    # --- runs ------------------------------------------------------------------------------------------

    def start_run(
        self,
        run_id: str,
        *,
        agent: str,
        version: str,
        bundle: str,
        environment: str,
        input: object,  # noqa: A002  the name in the language
        session: object,
    ) -> None:
        """A run begins on the bundle with the digest `bundle`. Its id is new."""
        started = {"agent": agent, "version": version, "bundle": bundle, "environment": environment}
        with self.transaction() as within:
            if within.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone() is not None:
                raise StoreError(f"run `{run_id}` was started before: a run has its own id", self.name)
            within.execute(
                "INSERT INTO runs (run_id, agent, version, bundle, environment, input, session, status,"
                " started) VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?)",
                (run_id, agent, version, bundle, environment, as_text(input), as_text(session), within.now),
            )
            log(within, run_id, "run_started", started)

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """A state of a started run ended: with its output, or with a `Refusal`."""
        with self.transaction() as within:
            insert_step(within, run_id, step, state, outcome)

    def end_run(self, run_id: str, status: str, *, output: object, refusal: Refusal | None) -> None:
        """A started run is over."""
        refused = None if refusal is None else msgspec.to_builtins(refusal)
        with self.transaction() as within:
            changed = within.execute(
                "UPDATE runs SET status = ?, ended = ?, output = ?, refusal = ?"
                " WHERE run_id = ? AND ended IS NULL",
                (status, within.now, as_text(output), as_text(refused), run_id),
            )
            if changed.rowcount != 1:
                raise StoreError(f"run `{run_id}` is not running", self.name)
            log(within, run_id, "run_ended", {"status": status, "refusal": refused})

    # --- calls -----------------------------------------------------------------------------------------

    def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
        """Append one event to the audit log."""
        with self.transaction() as within:
            log(within, run_id, kind, payload)

    def claim(self, claim: Claim) -> Literal["per_run", "per_day"] | None:
        """Count the call against its quotas and record the intent, in one transaction.

        `per_run` counts the tool's calls in the run, `per_day` those of the agent in the UTC day, over all
        runs and processes. Returns the quota that is used up, in which case nothing is counted or recorded.
        """
        with self.transaction() as within:
            used = quota_used_up(within, claim)
            if used is not None:
                return used
            opened = within.execute(
                "SELECT 1 FROM calls WHERE run_id = ? AND call_id = ? AND settled IS NULL",
                (claim.run_id, claim.call_id),
            )
            if opened.fetchone() is not None:
                message = f"call `{claim.call_id}` of run `{claim.run_id}` has not been settled yet"
                raise StoreError(message, self.name)
            insert_call(within, claim)
            log(within, claim.run_id, CLAIMED, claimed(claim))
        return None

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        """Record how a claimed call ended."""
        with self.transaction() as within:
            changed = within.execute(
                "UPDATE calls SET settled = ?, outcome = ?"
                " WHERE run_id = ? AND call_id = ? AND settled IS NULL",
                (within.now, as_text(msgspec.to_builtins(outcome)), run_id, call_id),
            )
            if changed.rowcount != 1:
                raise StoreError(f"call `{call_id}` of run `{run_id}` is not open", self.name)
            log(within, run_id, SETTLED, settled(call_id, outcome))

    # --- model turns -----------------------------------------------------------------------------------

    def reserve(self, spending: Spending) -> BudgetName | None:
        """Count a turn against its budgets. See `Journal.reserve`."""
        with self.transaction() as within:
            return reserve_turn(within, spending)

    def spend(self, run_id: str, turn: str, amount: int) -> None:
        """Count what a turn has cost. See `Journal.spend`."""
        with self.transaction() as within:
            spend_turn(within, run_id, turn, amount)


#: Turns and what they cost. The indexes hold all that is added up before each turn.
SPENDING = (
    """CREATE TABLE IF NOT EXISTS spending (
        run_id TEXT NOT NULL, turn TEXT NOT NULL, agent TEXT NOT NULL, session_key TEXT NOT NULL,
        tenant_key TEXT NOT NULL, day TEXT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (run_id, turn))""",
    "CREATE INDEX IF NOT EXISTS spending_of_day ON spending (agent, day, tenant_key, amount)",
    "CREATE INDEX IF NOT EXISTS spending_of_session ON spending (agent, session_key, amount)",
)
_BUDGETS: Mapping[BudgetName, str] = {
    "cost_per_session_usd": "agent = ? AND session_key = ?",
    "cost_per_tenant_usd": "agent = ? AND tenant_key = ? AND day = ?",
    "cost_per_day_usd": "agent = ? AND day = ?",
}


def reserve_turn(within: Transaction, spending: Spending) -> BudgetName | None:
    """Count a turn, unless a budget might not hold it: all that was reserved before, by whomever, is seen."""
    take_turns(within)
    if not within.holding:  # a file, whose tables of its own are made when they are needed
        for statement in SPENDING:
            within.execute(statement)
    day = within.now[:10]
    keys = _keys(spending.agent, spending.session, spending.tenant, day)
    spent = {name: _spent(within, name, keys[name]) for name in spending.limits}
    known = within.execute(
        "SELECT amount, agent, session_key, tenant_key, day FROM spending WHERE run_id = ? AND turn = ?",
        (spending.run_id, spending.turn),
    ).fetchone()
    if known is not None:
        amount, *whose = known
        before = _keys(*map(str, whose))
        spent = {
            name: total - int(str(amount)) if before[name] == keys[name] else total
            for name, total in spent.items()
        }
    exceeded = over(spending, spent)
    if exceeded is None:
        within.execute(
            "INSERT INTO spending (run_id, turn, agent, session_key, tenant_key, day, amount)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (run_id, turn) DO UPDATE SET amount = excluded.amount, day = excluded.day",
            (
                spending.run_id,
                spending.turn,
                spending.agent,
                spending.session,
                spending.tenant,
                day,
                spending.amount,
            ),
        )
    return exceeded


def spend_turn(within: Transaction, run_id: str, turn: str, amount: int) -> None:
    """Count what a reserved turn has cost."""
    within.execute("UPDATE spending SET amount = ? WHERE run_id = ? AND turn = ?", (amount, run_id, turn))


def _keys(agent: str, session: str, tenant: str, day: str) -> Mapping[BudgetName, tuple[str, ...]]:
    return {
        "cost_per_session_usd": (agent, session),
        "cost_per_tenant_usd": (agent, tenant, day),
        "cost_per_day_usd": (agent, day),
    }


def _spent(within: Transaction, name: BudgetName, key: tuple[str, ...]) -> int:
    # the conditions are those above, with parameters
    sql = f"SELECT coalesce(sum(amount), 0) FROM spending WHERE {_BUDGETS[name]}"  # noqa: S608
    row = within.execute(sql, key).fetchone()
    return int(str(row[0])) if row is not None else 0


def log(within: Transaction, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
    """Append one event to the audit log, at the end of the transaction: the next one waits for that.

    Raises:
        ValueError: the payload is not JSON.
    """
    within.entries.append(Entry(run_id, kind, canonical(payload)))


def take_turns(within: Transaction) -> None:
    """Let nobody else count or record anything until the transaction is over. What they have done is seen."""
    within.execute(f"SELECT count FROM head{within.holding}").fetchone()  # noqa: S608  ours


def insert_step(within: Transaction, run_id: str, step: int, state: str, outcome: object) -> None:
    """Keep how a state ended, once: a durable run comes past it each time that it is run."""
    failed = isinstance(outcome, Refusal)
    status = "failed" if failed else "succeeded"
    kept = msgspec.to_builtins(outcome) if failed else outcome
    within.execute(
        "INSERT INTO steps (run_id, step, state, status, outcome, time) SELECT ?, ?, ?, ?, ?, ?"
        " WHERE NOT EXISTS (SELECT 1 FROM steps WHERE run_id = ? AND step = ? AND state = ? AND status = ?)",
        (run_id, step, state, status, as_text(kept), within.now, run_id, step, state, status),
    )


def insert_call(within: Transaction, claim: Claim) -> None:
    """Keep the intent of a call."""
    within.execute(
        "INSERT INTO calls (run_id, call_id, agent, tool, effect, day, arguments, request_digest,"
        " idempotency_key, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            claim.run_id,
            claim.call_id,
            claim.agent,
            claim.tool,
            claim.effect,
            within.now[:10],
            as_text(claim.arguments),
            claim.request_digest,
            claim.idempotency_key,
            within.now,
        ),
    )


def quota_used_up(within: Transaction, claim: Claim) -> QuotaName | None:
    """The quota that the call would go over, by what is recorded at this moment."""
    if claim.per_run is not None or claim.per_day is not None:
        take_turns(within)
    in_run = in_day = 0
    if claim.per_run is not None:
        in_run = _count(within, "run_id = ? AND tool = ?", (claim.run_id, claim.tool))
    if claim.per_day is not None:
        in_day = _count(
            within, "agent = ? AND tool = ? AND day = ?", (claim.agent, claim.tool, within.now[:10])
        )
    return exhausted(claim.per_run, claim.per_day, in_run=in_run, in_day=in_day)


def _count(within: Transaction, where: str, parameters: Sequence[object]) -> int:
    # the conditions are those above, with parameters
    row = within.execute(f"SELECT count(*) FROM calls WHERE {where}", parameters).fetchone()  # noqa: S608
    return row[0] if row is not None and isinstance(row[0], int) else 0


def as_text(value: object) -> str:
    """The value as canonical JSON. Raises `ValueError` when it is not JSON."""
    return canonical(value).decode()

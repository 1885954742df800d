"""The store: runs, steps, calls and the audit log in one SQLite file, each change synced before it counts.

It is both the `Journal` of the broker and the `RunLog` of a run. Values are redacted before they come here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from .audit import GENESIS, append
from .calls import Claim, Returned
from .canonical import canonical
from .database import BUSY_SECONDS, execute_patiently, open_writable, reporting
from .journal import CLAIMED, SETTLED, StoreError, claimed, settled
from .refusals import Refusal

__all__ = ["Store", "StoreError"]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class Store:
    """An open store. Many processes and threads may have the same file open; their writes take turns.

    Every method raises `StoreError` when what it was given is not durable on return: the disk is full, the
    file is damaged or locked, or the value is not JSON. Nothing of it is kept then.
    """

    def __init__(
        self, path: Path | str, clock: Clock = utc_now, *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        """Open the store at `path`, or create it; its folder exists.

        `clock` gives aware times and decides the day of a quota. `busy_seconds` is how long each method
        waits for its turn while other processes write.

        Raises:
            StoreError: can't be opened, no SQLite file, another program's, or a newer version's.
        """
        self._path = Path(path).absolute()
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = open_writable(self._path, GENESIS.hex(), busy_seconds)
        self._busy_seconds = busy_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. The store can't be used any more; closing it twice does nothing."""
        with self._lock, reporting(self._path):
            self._connection.close()

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
        with self._transaction() as now:
            known = self._connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)).fetchone()
            if known is not None:
                raise StoreError(f"run `{run_id}` was started before: a run has its own id", str(self._path))
            self._connection.execute(
                "INSERT INTO runs (run_id, agent, version, bundle, environment, input, session, status,"
                " started) VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?)",
                (run_id, agent, version, bundle, environment, _text(input), _text(session), now),
            )
            append(self._connection, now, run_id, "run_started", started)

    def record_step(self, run_id: str, step: int, state: str, outcome: object) -> None:
        """A state of a started run ended: with its output, or with a `Refusal`."""
        failed = isinstance(outcome, Refusal)
        kept = msgspec.to_builtins(outcome) if failed else outcome
        with self._transaction() as now:
            self._connection.execute(
                "INSERT INTO steps (run_id, step, state, status, outcome, time) VALUES (?, ?, ?, ?, ?, ?)",
                (run_id, step, state, "failed" if failed else "succeeded", _text(kept), now),
            )

    def end_run(self, run_id: str, status: str, *, output: object, refusal: Refusal | None) -> None:
        """A started run is over."""
        refused = None if refusal is None else msgspec.to_builtins(refusal)
        with self._transaction() as now:
            changed = self._connection.execute(
                "UPDATE runs SET status = ?, ended = ?, output = ?, refusal = ?"
                " WHERE run_id = ? AND ended IS NULL",
                (status, now, _text(output), _text(refused), run_id),
            )
            if changed.rowcount != 1:
                raise StoreError(f"run `{run_id}` is not running", str(self._path))
            append(self._connection, now, run_id, "run_ended", {"status": status, "refusal": refused})

    # --- calls -----------------------------------------------------------------------------------------

    def record(self, run_id: str, kind: str, payload: Mapping[str, object]) -> None:
        """Append one event to the audit log."""
        with self._transaction() as now:
            append(self._connection, now, run_id, kind, payload)

    def claim(self, claim: Claim) -> Literal["per_run", "per_day"] | None:
        """Count the call against its quotas and record the intent, in one transaction.

        `per_run` counts the tool's calls in the run, `per_day` those of the agent in the UTC day, over all
        runs and processes. Returns the quota that is used up, in which case nothing is counted or recorded.
        """
        with self._transaction() as now:
            day = now[:10]
            exhausted = self._exhausted(claim, day)
            if exhausted is not None:
                return exhausted
            try:
                self._connection.execute(
                    "INSERT INTO calls (run_id, call_id, agent, tool, effect, day, arguments, request_digest,"
                    " idempotency_key, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        claim.run_id,
                        claim.call_id,
                        claim.agent,
                        claim.tool,
                        claim.effect,
                        day,
                        _text(claim.arguments),
                        claim.request_digest,
                        claim.idempotency_key,
                        now,
                    ),
                )
            except sqlite3.IntegrityError as error:
                message = f"call `{claim.call_id}` of run `{claim.run_id}` has not been settled yet"
                raise StoreError(message, str(self._path)) from error
            append(self._connection, now, claim.run_id, CLAIMED, claimed(claim))
        return None

    def settle(self, run_id: str, call_id: str, outcome: Returned | Refusal) -> None:
        """Record how a claimed call ended."""
        with self._transaction() as now:
            changed = self._connection.execute(
                "UPDATE calls SET settled = ?, outcome = ?"
                " WHERE run_id = ? AND call_id = ? AND settled IS NULL",
                (now, _text(msgspec.to_builtins(outcome)), run_id, call_id),
            )
            if changed.rowcount != 1:
                raise StoreError(f"call `{call_id}` of run `{run_id}` is not open", str(self._path))
            append(self._connection, now, run_id, SETTLED, settled(call_id, outcome))

    def _exhausted(self, claim: Claim, day: str) -> Literal["per_run", "per_day"] | None:
        if claim.per_run is not None:
            (calls,) = self._connection.execute(
                "SELECT count(*) FROM calls WHERE run_id = ? AND tool = ?", (claim.run_id, claim.tool)
            ).fetchone()
            if calls >= claim.per_run:
                return "per_run"
        if claim.per_day is not None:
            (calls,) = self._connection.execute(
                "SELECT count(*) FROM calls WHERE agent = ? AND tool = ? AND day = ?",
                (claim.agent, claim.tool, day),
            ).fetchone()
            if calls >= claim.per_day:
                return "per_day"
        return None

    @contextmanager
    def _transaction(self) -> Iterator[str]:
        """One transaction that has the right to write from its start, and the time of it (RFC 3339, ms).

        The time is read once the lock is held, so that a day's quota is decided by when a call is counted.
        """
        try:
            with self._lock, reporting(self._path), self._connection:
                execute_patiently(self._connection, "BEGIN IMMEDIATE", self._busy_seconds)
                now = self._clock().astimezone(UTC)
                yield now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        except ValueError as error:
            raise StoreError(f"can't be recorded: {error}", str(self._path)) from error


def _text(value: object) -> str:
    return canonical(value).decode()

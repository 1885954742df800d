"""The store on one machine: the ledger in one SQLite file, each change synced before it counts."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from .audit import GENESIS, Entry, append
from .database import BUSY_SECONDS, execute_patiently, open_writable, reporting
from .journal import StoreError
from .ledger import Ledger, Rows

__all__ = ["Store", "StoreError"]

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SqliteTransaction:
    """A transaction that has the right to write from its start."""

    connection: sqlite3.Connection
    now: str
    holding: str = ""
    entries: list[Entry] = field(default_factory=list)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one statement."""
        return self.connection.execute(sql, tuple(parameters))


class Store(Ledger):
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
        self.name = str(self._path)
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

    def scrub(self) -> None:
        """Overwrite what was deleted: the pages of the file are cleared, and its log of writes is emptied."""
        with self._lock, reporting(self._path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """One transaction that has the right to write from its start.

        The time is read once the lock is held, so that a day's quota is decided by when a call is counted.
        """
        try:
            with self._lock, reporting(self._path), self._connection:
                execute_patiently(self._connection, "BEGIN IMMEDIATE", self._busy_seconds)
                within = SqliteTransaction(self._connection, rfc3339(self._clock()))
                yield within
                if within.entries:
                    append(within, within.now, within.entries)
        except ValueError as error:
            raise StoreError(f"can't be recorded: {error}", self.name) from error


def rfc3339(moment: datetime) -> str:
    """An aware time as it is recorded: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The store of a fleet: the ledger in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ..audit import GENESIS, Entry, append
from ..journal import StoreError
from ..ledger import Ledger, Rows
from .tables import LAST, postgres_statements

#: The schema of our tables, beside the engine's.
SCHEMA: Final = "agentc"
#: Two processes that create the tables at once take turns by this lock.
_CREATING: Final = 0x61676374
#: In one message: what a transaction begins with, and its time.
_BEGIN: Final = "BEGIN; SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"


@dataclass(frozen=True, slots=True)
class PostgresTransaction:
    """A transaction under READ COMMITTED; rows that were selected with `holding` are held."""

    connection: psycopg.Connection
    now: str
    holding: str = " FOR UPDATE"
    entries: list[Entry] = field(default_factory=list)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Run one statement."""
        # statements are ours, and literals of our own modules; values are parameters
        return self.connection.execute(sql.replace("?", "%s").encode(), tuple(parameters))


class PostgresLedger(Ledger):
    """An open store in PostgreSQL. One connection, made again when it was lost; calls take turns."""

    def __init__(self, url: str) -> None:
        """Connect, and create the tables that are not there yet.

        Raises:
            StoreError: the server can't be reached, or does not let us.
        """
        self._url = url
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        try:
            said = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StoreError(f"no URL of a PostgreSQL database: {_line(error)}", "store") from error
        self.name = f"postgresql://{said.get('host', '')}/{said.get('dbname', '')}"
        with self.transaction() as within:
            # only where something is missing: it waits for whoever writes
            if within.execute("SELECT to_regclass(?)", (f"{SCHEMA}.{LAST}",)).fetchone() != (None,):
                return
            within.execute("SELECT pg_advisory_xact_lock(?)", (_CREATING,))
            within.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            for statement in postgres_statements():
                within.execute(statement)
            within.execute(
                "INSERT INTO head (id, count, hash) VALUES (1, 0, ?) ON CONFLICT DO NOTHING", (GENESIS.hex(),)
            )

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def scrub(self) -> None:
        """Nothing: the server cleans up what was deleted, and its backups are its owner's."""

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """One transaction, at the server's time."""
        try:
            with self._lock:
                connection = self._connected()
                try:
                    begun = connection.execute(_BEGIN)
                    begun.nextset()
                    row = begun.fetchone()
                    within = PostgresTransaction(connection, str(row[0]) if row else "")
                    yield within
                    if within.entries:
                        append(within, within.now, within.entries, within.holding)
                    connection.commit()
                except BaseException:
                    try:
                        connection.rollback()
                    except psycopg.Error:
                        connection.close()  # then the server does it
                    raise
        except psycopg.Error as error:
            raise StoreError(f"{_line(error)}: check the server and the URL", self.name) from error
        except ValueError as error:
            raise StoreError(f"can't be recorded: {error}", self.name) from error

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = psycopg.connect(
                self._url, autocommit=True, options=f"-c search_path={SCHEMA}", application_name="agentc"
            )
        return self._connection


def _line(error: Exception) -> str:
    return " ".join(str(error).lower().split())

"""The SQLite file of a store: how it is opened, what it holds, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .journal import StoreError

#: "agct" in ASCII: by it our files are told from other programs'.
APPLICATION_ID = 0x61676374
VERSION = 2
#: How long a writer waits for other processes, in seconds, and how long at a time in SQLite's own loop.
#: That loop sleeps longer and longer, so that whoever writes without a pause starves whoever waits.
BUSY_SECONDS = 30.0
_BUSY_SLICE = 0.02
#: The longest value that is written or read, in bytes, so that a damaged length asks for no more memory.
MAX_VALUE = 64 * 1024 * 1024
#: Python's module decodes SQLite's messages strictly, and they may quote damaged names.
UNREADABLE = "the database is damaged: its schema is not text"

SCHEMA = (
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, agent TEXT NOT NULL, version TEXT NOT NULL, bundle TEXT NOT NULL,
        environment TEXT NOT NULL, input TEXT NOT NULL, session TEXT NOT NULL, status TEXT NOT NULL,
        started TEXT NOT NULL, ended TEXT, output TEXT, refusal TEXT)""",
    """CREATE TABLE steps (
        id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, step INTEGER NOT NULL,
        state TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, time TEXT NOT NULL)""",
    "CREATE INDEX steps_by_run ON steps (run_id, step)",
    """CREATE TABLE calls (
        id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, call_id TEXT NOT NULL, agent TEXT NOT NULL,
        tool TEXT NOT NULL, effect TEXT NOT NULL, day TEXT NOT NULL, arguments TEXT NOT NULL,
        request_digest TEXT NOT NULL, idempotency_key TEXT, claimed TEXT NOT NULL,
        settled TEXT, outcome TEXT)""",
    "CREATE INDEX calls_by_run ON calls (run_id, tool)",
    "CREATE INDEX calls_by_day ON calls (agent, tool, day)",
    # A provider may repeat its call ids from turn to turn; two calls under one id at a time are refused.
    "CREATE UNIQUE INDEX calls_open ON calls (run_id, call_id) WHERE settled IS NULL",
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, time TEXT NOT NULL, run_id TEXT NOT NULL, kind TEXT NOT NULL,
        payload TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE head (
        id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, hash TEXT NOT NULL)""",
)

_HELP = {
    sqlite3.SQLITE_NOTADB: "it is no agentc store, or it was damaged: name another file",
    sqlite3.SQLITE_CORRUPT: "run `agentc audit verify`, and restore the file",
    sqlite3.SQLITE_BUSY: "another process holds it: stop that process, or try again",
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_READONLY: "check the permissions of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "check the path and the permissions of its folder",
}


@contextmanager
def reporting(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system raise about `path` into `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        advice = _HELP.get(error_code(error), "check the disk and the file")
        raise StoreError(f"{' '.join(str(error).lower().split())}: {advice}", str(path)) from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{UNREADABLE}: {_HELP[sqlite3.SQLITE_CORRUPT]}", str(path)) from error
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise StoreError(f"{reason}: check the path and its permissions", str(path)) from error


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, or 0 for an error that Python's module raised by itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def execute_patiently(connection: sqlite3.Connection, sql: str, seconds: float) -> sqlite3.Cursor:
    """Run one statement, and again for up to `seconds` while other processes hold the lock that it needs."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connection.execute(sql)
        except sqlite3.OperationalError as error:
            if error_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.001)


def open_writable(path: Path, genesis: str, seconds: float) -> sqlite3.Connection:
    """A connection for a store that reads and writes, to a file that is created if there is none.

    Every commit is synced (WAL, `synchronous=FULL`). A new file is readable by its owner only. `genesis`
    is the hash that the audit log of a new file starts from; `seconds` is how long to wait for others.

    Raises:
        StoreError: can't be opened, no SQLite file, another program's, or a newer version's.
    """
    with reporting(path):
        # A file that exists is not even opened here: closing it would drop the locks of this process's
        # other stores on it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_SLICE, isolation_level=None, check_same_thread=False)
        try:
            _bound(connection)
            # First of all, and in one snapshot: nothing of another program's file is changed.
            with connection:
                execute_patiently(connection, "BEGIN IMMEDIATE", seconds)
                _is_new(connection, path)
            # SQLite never waits for this lock, so several processes on a new file take turns here as well.
            (mode,) = execute_patiently(connection, "PRAGMA journal_mode = WAL", seconds).fetchone()
            if mode != "wal":
                message = "this file system can't hold a store: name a file on a local disk"
                raise StoreError(message, str(path))
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                execute_patiently(connection, "BEGIN IMMEDIATE", seconds)
                if _is_new(connection, path):
                    _create(connection, genesis)
        except (sqlite3.Error, UnicodeDecodeError, StoreError):
            connection.close()
            raise
        return connection


def open_readonly(path: Path) -> sqlite3.Connection:
    """A connection that can't write. Text that is no UTF-8 comes back with its bytes as surrogates.

    Raises:
        StoreError: there is no such file, or it can't be read.
        sqlite3.Error: its pages are damaged.
    """
    with reporting(path):
        if not path.is_file():
            path.stat()
            raise StoreError("not a file: name the database that `agentc run` wrote", str(path))
        if not os.access(path, os.R_OK, effective_ids=True):
            raise StoreError("permission denied: check the permissions of the file", str(path))
    # SQLite shares a file next to the database with other readers. Where that can't be made, and no writer
    # has left anything to recover, nobody else can be writing either.
    writable = os.access(path.absolute().parent, os.W_OK, effective_ids=True)
    alone = not writable and not path.with_name(path.name + "-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.text_factory = _text
    _bound(connection)
    return connection


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bound(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    # The schema comes with the file: nothing that it defines may have side effects.
    connection.execute("PRAGMA trusted_schema = OFF")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the database is empty and may be made ours; raises when it belongs to somebody else."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and objects == 0:
        return True
    if application != APPLICATION_ID:
        raise StoreError("a SQLite database of another program: name another file", str(path))
    if version != VERSION:
        message = f"store of version {version}, and this agentc knows {VERSION}: use the agentc that wrote it"
        raise StoreError(message, str(path))
    return False


def _create(connection: sqlite3.Connection, genesis: str) -> None:
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO head (id, count, hash) VALUES (1, 0, ?)", (genesis,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")

"""The audit log: an append-only chain of records, see `chain`, with its head.

A `head` row holds the number of records and the last hash, so that a missing tail is found as well.

The chain has no key. Whoever may rewrite the whole file can write another chain that verifies, and whoever
may cut off the write-ahead log can go back to an earlier state of it. Both are found only by comparing with
a head that was kept elsewhere (`expect_head`), so print it, mail it, or sign it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from .chain import GENESIS, HASH, Chain, Row, digest_of, is_erased, link
from .database import APPLICATION_ID, UNREADABLE, VERSION, error_code, open_readonly, reporting
from .journal import StoreError

__all__ = ["GENESIS", "AuditRecord", "AuditReport", "Entry", "append", "read_audit", "verify_audit"]

SELECT = "SELECT seq, time, run_id, kind, payload, hash FROM audit ORDER BY seq"


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `seq` counts from 1, `time` is RFC 3339 in UTC, `hash` is in hex.

    Of one that was erased the payload is `{"erased": true}`.
    """

    seq: int
    time: str
    run_id: str
    kind: str
    payload: dict[str, object]
    hash: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verification found. `records` and `head` (hex) say how far the chain holds.

    `problem` is one line, `None` when `ok`; `at_seq` is the first record that is wrong or missing, where
    there is one.
    """

    ok: bool
    records: int
    head: str
    problem: str | None = None
    at_seq: int | None = None


class _Cursor(Protocol):
    def fetchall(self) -> list[tuple[object, ...]]: ...


class _Executes(Protocol):
    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> _Cursor: ...


class Entry(NamedTuple):
    """What is to be recorded: `payload` is canonical JSON."""

    run_id: str
    kind: str
    payload: bytes


def append(within: _Executes, time: str, entries: Sequence[Entry], holding: str = "") -> None:
    """Add records, inside the caller's transaction. `holding` makes other writers wait for its end.

    Raises:
        sqlite3.Error: they can't be written, or the head is damaged.
    """
    heads = within.execute(f"SELECT count, hash FROM head{holding}").fetchall()  # noqa: S608  ours
    count, head = heads[0] if len(heads) == 1 else (None, None)
    if not isinstance(count, int) or not HASH.fullmatch(str(head)):
        raise sqlite3.DatabaseError("the head of the audit log is damaged")
    digest, rows = bytes.fromhex(str(head)), list[object]()
    for seq, (run_id, kind, payload) in enumerate(entries, count + 1):
        digest = link(digest, seq, time, run_id, kind, digest_of(payload))
        rows += (seq, time, run_id, kind, payload.decode(), digest.hex())
    values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(entries))
    within.execute(f"INSERT INTO audit (seq, time, run_id, kind, payload, hash) VALUES {values}", rows)  # noqa: S608
    within.execute("UPDATE head SET count = ?, hash = ?", (count + len(entries), digest.hex()))


def verify_audit(path: Path, expect_head: str | None = None) -> AuditReport:
    """Check the whole log of the store at `path`: any edit, removal, insertion, reorder or damage is found.

    With `expect_head` the log must contain a record with that hash, so that it continues what was there
    when the head was kept. Reads one record at a time and never writes; a writer may go on meanwhile.

    Raises:
        StoreError: the file can't be opened, or is locked.
    """
    chain, problem, at_seq = Chain(expect_head), None, None
    try:
        with closing(open_readonly(path)) as connection:
            # One snapshot, so that records and head belong together.
            connection.execute("BEGIN")
            problem = _foreign(connection)
            if problem is None:
                problem, at_seq = followed(chain, connection.execute(SELECT))
            if problem is None:
                problem, at_seq = chain.finish(connection.execute("SELECT count, hash FROM head").fetchall())
            if problem is None:
                problem = _damage(connection)
    except sqlite3.Error as error:
        if error_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
            with reporting(path):
                raise
        problem = f"the database is damaged: {' '.join(str(error).split())}"
    except UnicodeDecodeError:
        problem = UNREADABLE
    return report(chain, problem, at_seq)


def followed(chain: Chain, rows: Iterable[tuple[object, ...]]) -> tuple[str | None, int | None]:
    """Follow the chain through all rows: what is wrong with the first that is, and its number."""
    for row in rows:
        problem = chain.add(Row._make(row))
        if problem is not None:
            return problem, chain.count + 1
    return None, None


def report(chain: Chain, problem: str | None, at_seq: int | None) -> AuditReport:
    """What was found of a chain."""
    return AuditReport(
        ok=problem is None, records=chain.count, head=chain.head.hex(), problem=problem, at_seq=at_seq
    )


def read_audit(path: Path, run_id: str | None = None) -> Iterator[AuditRecord]:
    """The records, oldest first, of one run or of all. It does not verify them.

    Raises:
        StoreError: the file can't be opened, is damaged, or holds no audit log.
    """
    for row in read_rows(path):
        if run_id is None or row.run_id == run_id:
            yield record_of(row, str(path))


def read_rows(path: Path) -> Iterator[Row]:
    """The records as they are kept, oldest first. It does not verify them.

    Raises:
        StoreError: the file can't be opened, is damaged, or holds no audit log.
    """
    with reporting(path), closing(open_readonly(path)) as connection:
        yield from map(Row._make, connection.execute(SELECT))


def record_of(row: Row, where: str) -> AuditRecord:
    """The record in a row.

    Raises:
        StoreError: it is damaged.
    """
    try:
        gone = isinstance(row.payload, str) and is_erased(row.payload)
        payload = {"erased": True} if gone else json.loads(row.payload)
        return msgspec.convert({**row._asdict(), "payload": payload}, AuditRecord)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        message = f"record {row.seq} of the audit log is damaged: run `agentc audit verify`"
        raise StoreError(message, where) from error


def _foreign(connection: sqlite3.Connection) -> str | None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        return "this is no agentc store"
    return None if version == VERSION else f"this is a store of version {version}, not {VERSION}"


def _damage(connection: sqlite3.Connection) -> str | None:
    """What SQLite itself finds wrong with its pages: the log may be whole and the counts of quotas not."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return None if found == "ok" else f"the database is damaged: {' '.join(str(found).split())}"

"""The audit log: an append-only chain in which each record's hash covers the hash before it.

`hash = sha256(hash before || canonical JSON of {kind, payload, run_id, seq, time})`. A `head` row holds the
number of records and the last hash, so that a missing tail is found as well.

The chain has no key. Whoever may rewrite the whole file can write another chain that verifies, and whoever
may cut off the write-ahead log can go back to an earlier state of it. Both are found only by comparing with
a head that was kept elsewhere (`expect_head`), so print it, mail it, or sign it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from .canonical import canonical
from .database import APPLICATION_ID, UNREADABLE, VERSION, error_code, open_readonly, reporting
from .journal import StoreError

#: What the first record's hash covers, in place of a hash before it.
GENESIS = hashlib.sha256(b"agentc.audit/1").digest()

_HASH = re.compile(r"[0-9a-f]{64}")
_SELECT = "SELECT seq, time, run_id, kind, payload, hash FROM audit ORDER BY seq"


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `seq` counts from 1, `time` is RFC 3339 in UTC, `hash` is in hex."""

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


class _Row(NamedTuple):
    seq: int
    time: str
    run_id: str
    kind: str
    payload: str
    hash: str


class _Cursor(Protocol):
    def fetchall(self) -> list[tuple[object, ...]]: ...


class _Executes(Protocol):
    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> _Cursor: ...


def append(
    within: _Executes, time: str, run_id: str, kind: str, payload: Mapping[str, object], holding: str = ""
) -> None:
    """Add a record, inside the caller's transaction. `holding` makes other writers wait for its end.

    Raises:
        ValueError: the payload is not JSON.
        sqlite3.Error: it can't be written, or the head is damaged.
    """
    heads = within.execute(f"SELECT count, hash FROM head{holding}").fetchall()  # noqa: S608  ours
    count, head = heads[0] if len(heads) == 1 else (None, None)
    if not isinstance(count, int) or not _HASH.fullmatch(str(head)):
        raise sqlite3.DatabaseError("the head of the audit log is damaged")
    seq, text = count + 1, canonical(payload)
    digest = link(bytes.fromhex(str(head)), seq, time, run_id, kind, text).hex()
    within.execute(
        "INSERT INTO audit (seq, time, run_id, kind, payload, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (seq, time, run_id, kind, text.decode(), digest),
    )
    within.execute("UPDATE head SET count = ?, hash = ?", (seq, digest))


def link(previous: bytes, seq: int, time: str, run_id: str, kind: str, payload: bytes) -> bytes:
    """The hash of a record. `payload` is its canonical JSON.

    The payload is put in as the bytes that are stored, between the record's other fields in canonical
    order: verification sees every byte, and never parses what an attacker wrote.
    """
    record = b'{"kind":%b,"payload":%b,"run_id":%b,"seq":%d,"time":%b}' % (
        canonical(kind),
        payload,
        canonical(run_id),
        seq,
        canonical(time),
    )
    return hashlib.sha256(previous + record).digest()


def verify_audit(path: Path, expect_head: str | None = None) -> AuditReport:
    """Check the whole log of the store at `path`: any edit, removal, insertion, reorder or damage is found.

    With `expect_head` the log must contain a record with that hash, so that it continues what was there
    when the head was kept. Reads one record at a time and never writes; a writer may go on meanwhile.

    Raises:
        StoreError: the file can't be opened, or is locked.
    """
    count, previous, problem, at_seq = 0, GENESIS, None, None
    expected = expect_head in (None, GENESIS.hex())
    try:
        with closing(open_readonly(path)) as connection:
            # One snapshot, so that records and head belong together.
            connection.execute("BEGIN")
            problem = _foreign(connection)
            for row in map(_Row._make, connection.execute(_SELECT)) if problem is None else ():
                problem = _broken(row, count + 1, previous)
                if problem is not None:
                    at_seq = count + 1
                    break
                count, previous = row.seq, bytes.fromhex(row.hash)
                expected = expected or row.hash == expect_head
            if problem is None:
                problem, at_seq = _ending(connection, count, previous)
            if problem is None:
                problem = _damage(connection)
    except sqlite3.Error as error:
        if error_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
            with reporting(path):
                raise
        problem = f"the database is damaged: {' '.join(str(error).split())}"
    except UnicodeDecodeError:
        problem = UNREADABLE
    if problem is None and not expected:
        problem = "the expected head is not in the log: the log was rewritten, or it is another one"
    return AuditReport(ok=problem is None, records=count, head=previous.hex(), problem=problem, at_seq=at_seq)


def read_audit(path: Path, run_id: str | None = None) -> Iterator[AuditRecord]:
    """The records, oldest first, of one run or of all. It does not verify them.

    Raises:
        StoreError: the file can't be opened, is damaged, or holds no audit log.
    """
    with reporting(path), closing(open_readonly(path)) as connection:
        for row in map(_Row._make, connection.execute(_SELECT)):
            if run_id is None or row.run_id == run_id:
                yield _record(row, path)


def _record(row: _Row, path: Path) -> AuditRecord:
    try:
        return msgspec.convert({**row._asdict(), "payload": json.loads(row.payload)}, AuditRecord)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
        message = f"record {row.seq} of the audit log is damaged: run `agentc audit verify`"
        raise StoreError(message, str(path)) from error


def _foreign(connection: sqlite3.Connection) -> str | None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        return "this is no agentc store"
    return None if version == VERSION else f"this is a store of version {version}, not {VERSION}"


def _broken(row: _Row, seq: int, previous: bytes) -> str | None:
    """Why `row` can't be record number `seq` of the chain."""
    changed = f"record {seq} was changed, or one before it was removed"
    # A column may hold any type, whatever its table says, and the schema itself may be damaged.
    if not isinstance(row.seq, int) or not all(isinstance(column, str) for column in row[1:]):
        return changed
    if row.seq != seq:
        return f"record {seq} is missing" if row.seq > seq else f"record {row.seq} does not belong here"
    payload = row.payload.encode("utf-8", "surrogateescape")
    try:
        expected = link(previous, seq, row.time, row.run_id, row.kind, payload)
    except ValueError:
        return changed
    return None if row.hash == expected.hex() else changed


def _ending(connection: sqlite3.Connection, count: int, last: bytes) -> tuple[str | None, int | None]:
    """Whether the head says what the records say, and if not, from which record on."""
    heads = connection.execute("SELECT count, hash FROM head").fetchall()
    if heads == [(count, last.hex())]:
        return None, None
    if len(heads) != 1 or not isinstance(heads[0][0], int):
        return "the head was changed", None
    (claimed, _) = heads[0]
    if claimed > count:
        return f"record {count + 1} is missing: the head counts {claimed}", count + 1
    if claimed < count:
        return f"record {claimed + 1} was added: the head counts {claimed}", max(claimed, 0) + 1
    return "the head was changed", None


def _damage(connection: sqlite3.Connection) -> str | None:
    """What SQLite itself finds wrong with its pages: the log may be whole and the counts of quotas not."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return None if found == "ok" else f"the database is damaged: {' '.join(str(found).split())}"

"""The audit log: whatever is done to it afterwards is found, and said in one line."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc_runtime.audit import GENESIS, AuditReport, Entry, append, read_audit, verify_audit
from agentc_runtime.canonical import canonical
from agentc_runtime.chain import erased, erasure, link
from agentc_runtime.store import Store, StoreError

COUNT = 12


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a dozen records of two runs, closed."""
    path = tmp_path_factory.mktemp("audit") / "runs.db"
    with Store(path) as store:
        for number in range(COUNT):
            payload = {"call_id": f"call-{number}", "amount": number, "note": 'said "ü"\n', "who": None}
            store.record(f"run-{number % 2}", "refused", payload)
    return path


@pytest.fixture(scope="module")
def tamper(original: Path) -> Callable[..., AuditReport]:
    """`tamper(sql, *parameters)`: what verification says of a copy on which the SQL was run."""
    copy = original.with_name("copy.db")

    def tamper(*statements: str | tuple[str, tuple[object, ...]]) -> AuditReport:
        shutil.copyfile(original, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            for statement in statements:
                sql, parameters = (statement, ()) if isinstance(statement, str) else statement
                connection.execute(sql, parameters)
        return verify_audit(copy)

    return tamper


def test_an_untouched_log_verifies(original: Path) -> None:
    report = verify_audit(original)
    records = list(read_audit(original))
    assert report == AuditReport(ok=True, records=COUNT, head=records[-1].hash)
    assert [record.seq for record in records] == list(range(1, COUNT + 1))


def test_an_empty_log_verifies(path: Path) -> None:
    Store(path).close()
    assert verify_audit(path) == AuditReport(ok=True, records=0, head=GENESIS.hex())
    assert verify_audit(path, GENESIS.hex()).ok


def test_the_chain_is_what_is_documented(original: Path) -> None:
    """Recomputed here from the words of the documentation."""
    previous = hashlib.sha256(b"agentc.audit/2").digest()
    for record in read_audit(original):
        fields = {name: getattr(record, name) for name in ("seq", "time", "run_id", "kind")}
        fields["payload_sha256"] = hashlib.sha256(canonical(record.payload)).hexdigest()
        previous = hashlib.sha256(previous + canonical(fields)).digest()
        assert record.hash == previous.hex()


texts = st.text(max_size=8)


@given(
    st.integers(1, 2**63 - 1), texts, texts, texts, st.dictionaries(texts, texts | st.integers(), max_size=3)
)
def test_the_hash_is_over_the_canonical_record(
    seq: int, time: str, run_id: str, kind: str, payload: dict[str, object]
) -> None:
    digest = hashlib.sha256(canonical(payload)).hexdigest()
    record = {"seq": seq, "time": time, "run_id": run_id, "kind": kind, "payload_sha256": digest}
    expected = hashlib.sha256(GENESIS + canonical(record)).digest()
    assert link(GENESIS, seq, time, run_id, kind, digest) == expected


@given(data=st.data())
@settings(deadline=None)
def test_any_changed_byte_of_any_column_is_found(
    original: Path, tamper: Callable[..., AuditReport], data: st.DataObject
) -> None:
    column = data.draw(st.sampled_from(["payload", "hash", "time", "run_id", "kind"]))
    seq = data.draw(st.integers(1, COUNT))
    with closing(sqlite3.connect(original)) as connection:
        query = f"SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?"
        (raw,) = connection.execute(query, (seq,)).fetchone()
    changed = bytearray(raw)
    changed[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    report = tamper((f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = ?", (bytes(changed), seq)))
    assert not report.ok
    assert (report.at_seq, report.records) == (seq, seq - 1)
    assert report.problem is not None
    assert report.problem.isprintable()


@pytest.mark.parametrize("value", [None, 1, 1.5, b"bytes"])
@pytest.mark.parametrize("column", ["payload", "hash", "time", "run_id", "kind"])
def test_any_other_type_is_found(tamper: Callable[..., AuditReport], column: str, value: object) -> None:
    """`NOT NULL` is no defence: whoever edits the file edits its schema."""
    report = tamper(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'TEXT NOT NULL', '') WHERE name = 'audit'",
        "PRAGMA writable_schema = RESET",
        (f"UPDATE audit SET {column} = ? WHERE seq = 3", (value,)),
    )
    assert (report.ok, report.at_seq) == (False, 3)


def test_the_same_bytes_as_a_blob_are_found(tamper: Callable[..., AuditReport]) -> None:
    assert not tamper("UPDATE audit SET payload = CAST(payload AS BLOB) WHERE seq = 3").ok


@pytest.mark.parametrize("payload", ['{ "a":1}', '{"a":1,"a":2}', "", "null", "[" * 100_000])
def test_payloads_are_checked_as_they_are_stored(tamper: Callable[..., AuditReport], payload: str) -> None:
    assert tamper(("UPDATE audit SET payload = ? WHERE seq = 3", (payload,))).at_seq == 3


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_removals_swaps_and_insertions_are_found(
    tamper: Callable[..., AuditReport], data: st.DataObject
) -> None:
    first, last = sorted(data.draw(st.lists(st.integers(1, COUNT), min_size=2, max_size=2, unique=True)))
    close = f"UPDATE audit SET seq = seq - 1 WHERE seq > {first}"
    columns = "time, run_id, kind, payload, hash"
    case = data.draw(st.sampled_from(["delete", "delete and close", "truncate", "swap", "insert"]))
    statements = {
        "delete": [f"DELETE FROM audit WHERE seq = {first}"],
        "delete and close": [
            f"DELETE FROM audit WHERE seq = {first}",
            close,
            f"UPDATE head SET count = {COUNT - 1}",
        ],
        "truncate": [f"DELETE FROM audit WHERE seq >= {first}"],
        "swap": [
            f"UPDATE audit SET seq = 0 WHERE seq = {first}",
            f"UPDATE audit SET seq = {first} WHERE seq = {last}",
            f"UPDATE audit SET seq = {last} WHERE seq = 0",
        ],
        "insert": [
            f"UPDATE audit SET seq = -seq WHERE seq >= {last}",
            "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
            f"INSERT INTO audit SELECT {last}, {columns} FROM audit WHERE seq = {first}",
        ],
    }[case]
    report = tamper(*statements)
    assert not report.ok
    assert report.at_seq == (last if case == "insert" else first)


@pytest.mark.parametrize(
    ("statement", "problem", "at_seq"),
    [
        ("DELETE FROM audit WHERE seq = 12", "record 12 is missing: the head counts 12", 12),
        ("DELETE FROM audit WHERE seq = 5", "record 5 is missing", 5),
        ("DELETE FROM audit WHERE seq = 1", "record 1 is missing", 1),
        ("DELETE FROM audit", "record 1 is missing: the head counts 12", 1),
        ("UPDATE audit SET seq = -5 WHERE seq = 5", "record -5 does not belong here", 1),
        ("UPDATE head SET count = 11", "record 12 was added: the head counts 11", 12),
        ("UPDATE head SET count = 13", "record 13 is missing: the head counts 13", 13),
        ("UPDATE head SET hash = upper(hash)", "the head was changed", None),
        ("UPDATE head SET count = 'many'", "the head was changed", None),
        ("DELETE FROM head", "the head was changed", None),
        ("DROP TABLE head", "the database is damaged: no such table: head", None),
        ("DROP TABLE audit", "the database is damaged: no such table: audit", None),
        ("PRAGMA user_version = 7", "this is a store of version 7, not 2", None),
        ("PRAGMA application_id = 7", "this is no agentc store", None),
    ],
)
def test_problems_are_named(
    tamper: Callable[..., AuditReport], statement: str, problem: str, at_seq: int | None
) -> None:
    report = tamper(statement)
    assert (report.ok, report.problem, report.at_seq) == (False, problem, at_seq)


def test_a_rewritten_log_is_found_by_a_head_that_was_kept(original: Path, tmp_path: Path) -> None:
    """The limit of a chain without a key: rewritten as a whole, it verifies, except against a kept head."""
    kept = verify_audit(original).head
    forged = tmp_path / "forged.db"
    with Store(forged) as store:
        for record in read_audit(original):
            store.record(record.run_id, record.kind, {**record.payload, "amount": 0})
    assert verify_audit(forged).ok
    report = verify_audit(forged, kept)
    assert not report.ok
    assert (
        report.problem == "the expected head is not in the log: the log was rewritten, or it is another one"
    )


def test_a_log_that_goes_on_still_contains_its_older_heads(path: Path) -> None:
    heads = []
    with Store(path) as store:
        for number in range(3):
            heads.append(verify_audit(path).head)
            store.record("run-1", "refused", {"n": number})
    assert all(verify_audit(path, head).ok for head in heads)
    assert not verify_audit(path, heads[-1].upper()).ok


def test_a_rolled_back_log_is_found_by_a_head_that_was_kept(path: Path, tmp_path: Path) -> None:
    """Cutting off the write-ahead log goes back to an earlier state that is consistent."""
    Store(path).close()
    with Store(path) as store:
        store.record("run-1", "refused", {})
        kept = verify_audit(path).head
        cut = tmp_path / "cut.db"
        shutil.copyfile(path, cut)
    assert verify_audit(cut) == AuditReport(ok=True, records=0, head=GENESIS.hex())
    assert not verify_audit(cut, kept).ok


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_a_damaged_byte_of_the_file_is_found_or_touches_no_record(
    original: Path, data: st.DataObject
) -> None:
    """Unused space can be damaged without harm. Nothing else can, and nothing ends in a traceback."""
    raw = bytearray(original.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    damaged = original.with_name("damaged.db")
    damaged.write_bytes(raw)
    for suffix in ("-wal", "-shm"):
        Path(f"{damaged}{suffix}").unlink(missing_ok=True)
    try:
        report = verify_audit(damaged)
    except StoreError:
        return
    if report.ok:
        assert list(read_audit(damaged)) == list(read_audit(original))
    else:
        assert report.problem is not None


def test_damaged_names_in_the_schema_are_a_problem(original: Path, tmp_path: Path) -> None:
    """Python can't even decode SQLite's message about them."""
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(original.read_bytes().replace(b"CREATE TABLE calls (", b"CREAT\xff TABLE calls ("))
    report = verify_audit(damaged)
    assert (report.ok, report.problem) == (False, "the database is damaged: its schema is not text")
    with pytest.raises(StoreError, match="its schema is not text"):
        list(read_audit(damaged))
    with pytest.raises(StoreError, match="its schema is not text"):
        Store(damaged)


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 20_000])
def test_a_truncated_file_is_a_problem(original: Path, tmp_path: Path, size: int) -> None:
    cut = tmp_path / "cut.db"
    cut.write_bytes(original.read_bytes()[:size])
    report = verify_audit(cut)
    assert (report.ok, report.problem is None) == (False, False)


def test_damage_outside_the_log_is_a_problem_too(original: Path, tmp_path: Path) -> None:
    """Quotas are counted by an index of another table: a lost entry would let a call through."""
    with closing(sqlite3.connect(original)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'calls_by_day'"
        (page,) = connection.execute(query).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    raw = bytearray(original.read_bytes())
    raw[(page - 1) * size] ^= 0xFF
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(raw)
    report = verify_audit(damaged)
    assert (report.ok, report.records, report.at_seq) == (False, COUNT, None)
    assert report.problem is not None
    assert report.problem.startswith("the database is damaged")


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    for target, message in (
        (tmp_path / "absent.db", "no such file or directory"),
        (tmp_path, "not a file: name the database"),
        (tmp_path / "absent.db" / "x", "no such file or directory"),
    ):
        with pytest.raises(StoreError, match=message):
            verify_audit(target)
        with pytest.raises(StoreError, match=message):
            list(read_audit(target))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text").write_text("hello " * 1000)
    assert verify_audit(tmp_path / "text").problem == "the database is damaged: file is not a database"


@pytest.fixture
def unprivileged(original: Path) -> Iterator[Path]:
    """A copy of the log as `nobody` sees it, because tests that run as root may read everything."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    shutil.copyfile(original, root / "runs.db")
    was_root = os.geteuid() == 0
    try:
        if was_root:
            os.seteuid(65534)
        yield root / "runs.db"
    finally:
        if was_root:
            os.seteuid(0)
        root.chmod(stat.S_IRWXU)
        shutil.rmtree(root)


def test_a_log_in_a_folder_that_can_not_be_written_verifies(unprivileged: Path) -> None:
    if os.geteuid() != 65534:
        unprivileged.parent.chmod(0o555)
    assert verify_audit(unprivileged).records == COUNT
    assert len(list(read_audit(unprivileged, "run-1"))) == COUNT // 2


def test_no_permission_to_read(unprivileged: Path) -> None:
    owner = os.geteuid()
    os.seteuid(os.getuid())
    unprivileged.chmod(0)
    os.seteuid(owner)
    with pytest.raises(StoreError, match="permission denied"):
        verify_audit(unprivileged)
    with pytest.raises(StoreError, match="permission denied"):
        list(read_audit(unprivileged))
    with pytest.raises(StoreError, match="unable to open database file"):
        Store(unprivileged)


# --- erasure -------------------------------------------------------------------------------------------


def erase(path: Path, *seqs: int, said: object = ...) -> None:
    """Erase payloads, and say so in the log, or say something else."""
    with Store(path) as store, store.transaction() as within:
        for seq in seqs:
            row = within.execute("SELECT payload FROM audit WHERE seq = ?", (seq,)).fetchone()
            assert row is not None
            within.execute("UPDATE audit SET payload = ? WHERE seq = ?", (erased(str(row[0])), seq))
        if said is not None:
            records = erasure(seqs) if said is ... else said
            entry = Entry("run-1", "erased", canonical({"records": records}))
            append(within, "2026-03-01T00:00:00.000Z", [entry])


@pytest.fixture
def copied(original: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "copy.db"
    shutil.copyfile(original, copy)
    return copy


def test_what_is_erased_is_gone_and_the_chain_verifies(copied: Path) -> None:
    erase(copied, 2, 3, 4, 7)
    assert verify_audit(copied).ok
    records = list(read_audit(copied))
    assert [r.seq for r in records if r.payload == {"erased": True}] == [2, 3, 4, 7]
    assert records[-1].payload == {"records": [[2, 4], [7, 7]]}
    # once more is no harm: some of them were erased before
    erase(copied, 1, 2)
    assert verify_audit(copied).ok


@pytest.mark.parametrize("said", [None, [], [[2, 2]], [[3, 3]], [[1, 1], [3, 9]], "all", [["2", "3"]], [[2]]])
def test_an_erasure_that_no_record_names_is_found(copied: Path, said: object) -> None:
    erase(copied, 2, 3, said=said)
    report = verify_audit(copied)
    assert not report.ok
    assert report.problem is not None
    assert "is erased, and no record says so" in report.problem
    assert report.at_seq == (3 if said == [[2, 2]] else 2)


def test_an_erased_record_can_not_be_made_another_one(copied: Path) -> None:
    erase(copied, 3)
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET payload = 'erased:' || printf('%064d', 1) WHERE seq = 3")
    assert (verify_audit(copied).ok, verify_audit(copied).at_seq) == (False, 3)


def test_records_of_one_run(original: Path) -> None:
    records = list(read_audit(original, "run-1"))
    assert [record.seq for record in records] == [2, 4, 6, 8, 10, 12]
    assert records[0].payload == {"call_id": "call-1", "amount": 1, "note": 'said "ü"\n', "who": None}
    assert list(read_audit(original, "run-9")) == []


@pytest.mark.parametrize("payload", ["{", "[]", "[" * 100_000, b"\xff"])
def test_reading_a_damaged_record_is_a_clear_error(
    original: Path, tmp_path: Path, payload: str | bytes
) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(original, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET payload = ? WHERE seq = 3", (payload,))
    with pytest.raises(StoreError, match="record 3 of the audit log is damaged: run `agentc audit verify`"):
        list(read_audit(copy))


def test_verification_reads_a_long_log_in_bounded_memory(path: Path) -> None:
    with Store(path) as store:
        connection = store._connection
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            entry = Entry("run-1", "refused", canonical({"text": "x" * 100_000}))
            for _ in range(30):
                append(connection, "2026-03-01T00:00:00.000Z", [entry] * 10)
    tracemalloc.start()
    try:
        report = verify_audit(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.ok, report.records) == (True, 300)
    assert peak < 5_000_000

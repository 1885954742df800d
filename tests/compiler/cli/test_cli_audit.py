"""`agentc audit`: a log that is whole, one that was changed, and what is no log."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agentc_runtime.store import Store


@pytest.fixture
def log(folder: Path) -> Path:
    path = folder / ".agentc" / "runs.db"
    path.parent.mkdir()
    with Store(path) as store:
        for number in range(3):
            store.record(f"run-{number}", "refused", {"call_id": f"call-{number}", "note": "zurück \x1b[31m"})
    return path


def test_a_whole_log(agentc, log):
    done = agentc("audit", "verify")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ok  3 records  head ")
    told = json.loads(agentc("audit", "verify", "--store", log, "--format", "json").out)
    assert told["ok"] is True
    assert agentc("audit", "verify", "--head", told["head"]).code == 0
    other = agentc("audit", "verify", "--head", "0" * 64)
    assert (other.code, other.out) == (1, "")
    assert "the expected head is not in the log" in other.err


def test_a_changed_log(agentc, log):
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        names = [
            row[0] for row in connection.execute("select name from sqlite_master where type = 'trigger'")
        ]
        for name in names:
            connection.execute(f'drop trigger "{name}"')
        table = "audit"
        connection.execute(f"update {table} set payload = replace(payload, 'call-1', 'call-9')")
    done = agentc("audit", "verify")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "error: the audit log in `.agentc/runs.db` is not as it was written: record 2 "
    )
    assert json.loads(agentc("audit", "verify", "--format", "json").out)["at_seq"] == 2


def test_records_in_words_and_as_data(agentc, log):
    done = agentc("audit", "show")
    assert (done.code, len(done.out.splitlines())) == (0, 3)
    assert "\x1b" not in done.out
    rows = [json.loads(line) for line in agentc("audit", "show", "--format", "json").out.splitlines()]
    assert [row["run_id"] for row in rows] == ["run-0", "run-1", "run-2"]
    assert rows[0]["payload"]["note"] == "zurück \x1b[31m"
    (row,) = agentc("audit", "show", "--run", "run-1").out.splitlines()
    assert "call-1" in row


@pytest.mark.parametrize("data", [b"", b"not a database", b"SQLite format 3\0" + b"\0" * 4096])
@pytest.mark.parametrize("command", ["verify", "show"])
def test_what_is_no_log(agentc, folder, data, command):
    (folder / "x.db").write_bytes(data)
    done = agentc("audit", command, "--store", "x.db")
    assert done.code in (1, 2)
    assert done.err.startswith("error: ")
    assert (folder / "x.db").read_bytes() == data
    assert [path.name for path in folder.iterdir()] == ["x.db"]


def test_an_exported_log_is_checked_without_its_store(agentc, log, folder):
    done = agentc("audit", "export", "--out", "audit.jsonl")
    assert (done.code, done.err) == (0, "")
    head = done.out.split()[-1]
    assert done.out == f"audit.jsonl  3 records  head {head}\n"
    assert agentc("audit", "verify").out == f"ok  3 records  head {head}\n"
    log.unlink()
    checked = agentc("audit", "verify", "--export", "audit.jsonl", "--head", head)
    assert (checked.code, checked.out) == (0, f"ok  3 records  head {head}\n")
    lines = (folder / "audit.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["payload"] == {"call_id": "call-1", "note": "zurück \x1b[31m"}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: [lines[0], lines[1].replace("call-1", "call-9"), lines[2]], "record 2 was changed"),
        (lambda lines: [lines[0], lines[2]], "record 2 is missing"),
        (lambda lines: [lines[1], lines[0], lines[2]], "record 1 is missing"),
        (lambda lines: [*lines, lines[2]], "record 3 does not belong here"),
        (lambda lines: [lines[0], "{}", lines[2]], "line 2 is no record of a log"),
        (lambda lines: [lines[0], "x", lines[2]], "line 2 is not JSON"),
        (lambda lines: [lines[0], '{"seq":1,"seq":2}', lines[2]], "line 2 is not JSON"),
        (lambda lines: lines[:2], "the expected head is not in the log"),
    ],
)
def test_an_exported_log_that_was_changed(agentc, log, folder, change, found):
    head = agentc("audit", "export", "--out", "audit.jsonl").out.split()[-1]
    path = folder / "audit.jsonl"
    path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))
    done = agentc("audit", "verify", "--export", "audit.jsonl", "--head", head)
    assert (done.code, done.out) == (1, "")
    assert found in done.err


def test_a_log_that_was_changed_is_not_exported(agentc, log, folder):
    with closing(sqlite3.connect(log, isolation_level=None)) as connection:
        connection.execute("update audit set payload = replace(payload, 'call-1', 'call-9')")
    done = agentc("audit", "export", "--out", "audit.jsonl")
    assert (done.code, done.out) == (1, "")
    assert "is not as it was written: record 2 was changed" in done.err
    assert [path.name for path in folder.iterdir()] == [".agentc"]


def test_where_nothing_can_be_exported(agentc, folder):
    assert agentc("audit", "export", "--out", "x").code == 2
    assert agentc("audit", "export").code == 2
    assert agentc("audit", "verify", "--export", "nowhere").code == 2

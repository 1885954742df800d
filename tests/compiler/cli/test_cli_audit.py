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

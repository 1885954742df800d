"""The cache of findings: whatever has changed, `validate` says what it says without a cache."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agentc import cache
from agentc.checks.base import AGENT

PROMPT = "prompts/triage.md"


@pytest.fixture
def prompted(broken: Path) -> Path:
    """The broken project, its instructions in a file."""
    text = (broken / "agent.yaml").read_text()
    (broken / "agent.yaml").write_text(text.replace("Help the customer.", f"{{ file: {PROMPT} }}"))
    (broken / "prompts").mkdir()
    (broken / PROMPT).write_text("Help with {{ input.tiket_id }}.\n")
    return broken


@pytest.fixture
def agrees(agentc, prompted) -> Callable[[], str]:
    """What `validate` says twice with a cache, which is what it says without one."""

    def run() -> str:
        fresh = agentc("validate", prompted, "--no-cache")
        assert agentc("validate", prompted) == fresh
        assert agentc("validate", prompted) == fresh
        return fresh.out

    return run


def entries(folder: Path) -> list[Path]:
    return sorted((folder.parent / "cache" / "findings").glob("*.json"))


def test_the_second_run_says_the_same_and_imports_no_parser(process, prompted):
    first = process("validate", prompted)
    second = process("validate", prompted)
    assert first[:2] == second[:2]
    assert first.code == 1
    heavy = {"yaml", "pydantic", "jinja2", "msgspec"}
    assert heavy & set(first.err.split()) >= {"yaml", "pydantic"}
    assert heavy & set(second.err.split()) == set()


def test_a_changed_spec(agrees, prompted, edit):
    before = agrees()
    edit(prompted / "agent.yaml", "fats", "fast")
    after = agrees()
    assert "AC204" in before
    assert "AC204" not in after


def test_an_added_and_a_removed_spec(agrees, prompted):
    before = agrees()
    (prompted / "second.yaml").write_text(AGENT)
    assert "AC206" in agrees()
    (prompted / "second.yaml").unlink()
    assert agrees() == before
    (prompted / "toolset.yaml").unlink()
    assert "AC201" in agrees()


def test_a_changed_referenced_file(agrees, prompted):
    assert "`input` has no `tiket_id`" in agrees()
    (prompted / PROMPT).write_text("Help with {{ input.ticket_id }}.\n")
    assert "tiket_id" not in agrees()


def test_a_referenced_file_that_goes_and_comes_back(agrees, prompted):
    before = agrees()
    text = (prompted / PROMPT).read_text()
    (prompted / PROMPT).unlink()
    assert "AC110" in agrees()
    (prompted / PROMPT).write_text(text)
    assert agrees() == before


def test_a_changed_document(agrees, prompted, edit):
    agrees()
    edit(prompted / "openapi.yaml", "operationId: getTicket", "operationId: readTicket")
    assert "AC703" in agrees()


def test_another_compiler(agrees, monkeypatch, folder):
    agrees()
    kept = len(entries(folder))
    monkeypatch.setattr(cache, "_compiler_stamp", lambda: "another")
    agrees()
    assert len(entries(folder)) == kept + 1


def stored(finding: str) -> bytes:
    return f'{{"files": [], "absent": [], "findings": [{finding}]}}'.encode()


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000,
        b'{"files": 1, "absent": [], "findings": []}',
        b'{"files": [["openapi.yaml"]], "absent": [], "findings": []}',
        b'{"files": [[1, 2]], "absent": [], "findings": []}',
        b'{"files": [["a\\u0000b", "x"]], "absent": [], "findings": []}',
        b'{"files": [], "absent": [3], "findings": []}',
        stored("[]"),
        stored("3"),
        stored('["AC204", "error", "x", ["nowhere.yaml", 1, 1, 1, 2], null, [], []]'),
        stored('["AC204", "fatal", "x", ["agent.yaml", 1, 1, 1, 2], null, [], []]'),
        stored('["AC204", "error", 3, ["agent.yaml", 1, 1, 1, 2], null, [], []]'),
        stored('["AC204", "error", "x", ["agent.yaml", 1, "1", 1, 2], null, [], []]'),
        stored('["AC204", "error", "x", ["agent.yaml", 99, 1, 99, 2], null, [], []]'),
        stored('["AC204", "error", "x", ["agent.yaml", 1, 1, 1, 2], 5, [], []]'),
        stored('["AC204", "error", "x", ["agent.yaml", 1, 1, 1, 2], null, [1], []]'),
    ],
)  # fmt: skip
def test_a_damaged_entry_is_a_slower_run(agentc, prompted, folder, garbage):
    fresh = agentc("validate", prompted, "--no-cache")
    agentc("validate", prompted)
    (entry,) = entries(folder)
    entry.write_bytes(garbage)
    assert agentc("validate", prompted) == fresh
    assert json.loads(entry.read_bytes())["findings"]


def test_a_cache_that_cannot_be_written_is_no_error(agentc, prompted, monkeypatch, tmp_path):
    fresh = agentc("validate", prompted, "--no-cache")
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/null/x"), Path("/proc/agentc")):
        monkeypatch.setenv("AGENTC_CACHE_DIR", str(place))
        assert agentc("validate", prompted) == fresh


def test_an_empty_setting_turns_the_cache_off(agentc, prompted, monkeypatch, folder):
    monkeypatch.setenv("AGENTC_CACHE_DIR", "")
    assert agentc("validate", prompted).code == 1
    assert entries(folder) == []


def test_old_entries_are_thrown_away(agentc, prompted, folder):
    agentc("validate", prompted)
    (entry,) = entries(folder)
    for number in range(cache.MOST_ENTRIES + 20):
        entry.with_name(f"{number:064x}.json").write_bytes(entry.read_bytes())
    (prompted / "agent.yaml").write_text((prompted / "agent.yaml").read_text() + "# changed\n")
    agentc("validate", prompted)
    assert len(entries(folder)) == cache.MOST_ENTRIES


def test_a_build_does_not_ask_the_cache(agentc, project, folder):
    agentc("validate", project)
    (entry,) = entries(folder)
    row = ["AC204", "error", "made up", ["agent.yaml", 1, 1, 1, 2], None, [], []]
    entry.write_text(json.dumps({"files": [], "absent": [], "findings": [row]}))
    assert agentc("build", project).code == 0

"""What is kept on disk: the same result as without it, and never trusted when it is damaged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentc.openapi import compile as compile_module
from agentc.openapi import compile_operations
from agentc.source import SourceFile

OPERATION = {
    "parameters": [{"name": "n", "in": "query", "schema": {"type": "integer", "maximum": 2**63 - 1}}],
    "responses": {
        "200": {"description": "", "content": {"application/json": {"schema": {"multipleOf": 0.1}}}}
    },
    "security": [{"key": []}],
}
COMPONENTS = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
WANTED = ["op", "POST /things", "gone"]


@pytest.fixture
def file(document: Any) -> SourceFile:
    found = document(OPERATION, components=COMPONENTS)
    assert isinstance(found, SourceFile)
    return found


def parsing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise AssertionError("the document was parsed")

    monkeypatch.setattr(compile_module, "load_document", refuse)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_warm_cache_gives_the_same_without_parsing(
    file: SourceFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = compile_operations(file, WANTED, None)
    cold = compile_operations(file, WANTED, tmp_path)
    parsing_is_refused(monkeypatch)
    assert compile_operations(file, WANTED, tmp_path) == cold == without
    assert len(kept(tmp_path)) == 2


def test_problems_are_kept_as_well(document: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = document({"security": [{"gone": []}]})
    cold = compile_operations(broken, WANTED, tmp_path)
    parsing_is_refused(monkeypatch)
    assert compile_operations(broken, WANTED, tmp_path) == cold
    assert cold.operation_problems["op"]


def test_another_document_is_another_entry(document: Any, file: SourceFile, tmp_path: Path) -> None:
    compile_operations(file, WANTED, tmp_path)
    other = document({"summary": "Other"})
    found = compile_operations(other, WANTED, tmp_path).operations["op"]
    assert found is not None
    assert found.description == "Other"


@pytest.mark.parametrize(
    "damage",
    [b"", b"x", b"\n", b'{"a":1}', b"\x00" * 100, None],
    ids=["empty", "x", "nl", "json", "nul", "bit"],
)
def test_damaged_entries_are_ignored_and_written_anew(
    file: SourceFile, tmp_path: Path, damage: bytes | None
) -> None:
    cold = compile_operations(file, WANTED, tmp_path)
    before = {path: path.read_bytes() for path in kept(tmp_path)}
    for path, data in before.items():
        path.write_bytes(
            data.replace(b"integer", b"boolean").replace(b"3.0.3", b"3.1.0") if damage is None else damage
        )
    assert compile_operations(file, WANTED, tmp_path) == cold
    assert {path: path.read_bytes() for path in kept(tmp_path)} == before


def test_an_entry_of_another_operation_is_not_taken(file: SourceFile, document: Any, tmp_path: Path) -> None:
    two = document({}, item={"get": {"operationId": "other", "responses": {}}})
    compile_operations(two, ["op", "other"], tmp_path)
    paths = [path for path in kept(tmp_path) if path.name != "index.json"]
    first, second = (path.read_bytes() for path in paths)
    paths[0].write_bytes(second)
    paths[1].write_bytes(first)
    found = compile_operations(two, ["op", "other"], tmp_path)
    assert [operation and operation.method for operation in found.operations.values()] == ["POST", "GET"]


def test_a_cache_that_can_t_be_used_changes_nothing(file: SourceFile, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    without = compile_operations(file, WANTED, None)
    assert compile_operations(file, WANTED, blocked) == without
    folder = tmp_path / "folder"
    compile_operations(file, WANTED, folder)
    for path in kept(folder):
        path.unlink()
        path.mkdir()
    assert compile_operations(file, WANTED, folder) == without


def test_names_of_a_document_never_leave_the_folder(document: Any, tmp_path: Path) -> None:
    evil = document({"operationId": "../../evil"}, path="/../../etc/{x}")
    folder = tmp_path / "cache"
    compile_operations(evil, ["../../evil", "POST /../../etc/{x}"], folder)
    assert [path for path in kept(tmp_path) if folder not in path.parents] == []
    assert {os.path.splitext(path.name)[1] for path in kept(folder)} == {".json"}


def test_unreadable_documents_are_not_kept(tmp_path: Path) -> None:
    result = compile_operations(SourceFile("a.json", b"{"), ["op"], tmp_path)
    assert result.problems[0].code == "AC701"
    assert kept(tmp_path) == []

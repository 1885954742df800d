"""Importing a document: from a path or a URL, checked, bounded, written in one step."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from agentc.openapi import importing
from agentc.openapi.problem import ImportProblem

TEXT = b"openapi: 3.0.3\ninfo: {title: T, version: '2'}\npaths: {/a: {get: {}, put: {}}}\n"


def test_a_file_is_checked_and_copied_byte_for_byte(import_document: Any, tmp_path: Path) -> None:
    source = tmp_path / "in" / "My api.yml"
    source.parent.mkdir()
    source.write_bytes(TEXT)
    found = import_document(str(source), tmp_path / "openapi")
    assert found.path == tmp_path / "openapi" / "My_api.yml"
    assert found.path.read_bytes() == TEXT
    assert found.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert (found.title, found.version, found.operations) == ("T", "2", 2)
    assert sorted(path.name for path in found.path.parent.iterdir()) == ["My_api.lock.yaml", "My_api.yml"]


def test_importing_again_replaces_the_file(import_document: Any, tmp_path: Path) -> None:
    source = tmp_path / "api.yaml"
    source.write_bytes(TEXT)
    first = import_document(str(source), tmp_path / "openapi", "pinned.yaml")
    source.write_bytes(TEXT + b"# changed\n")
    second = import_document(str(source), tmp_path / "openapi", "pinned.yaml")
    assert first.path == second.path
    assert first.sha256 != second.sha256
    assert second.path.read_bytes().endswith(b"changed\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x00\x01", ""),
        (b'{"openapi": "3.0.0", "a": 1, "a": 2}', "`a` twice"),
        (b"swagger: '1.2'\n", "`1.2` is not supported"),
        (b"<html></html>", "no object"),
        (b"paths: {}\npaths: {}\n", "`paths` twice"),
    ],
)
def test_what_is_no_document_is_not_written(
    import_document: Any, tmp_path: Path, data: bytes, words: str
) -> None:
    source = tmp_path / "api"
    source.write_bytes(data)
    with pytest.raises(ImportProblem) as found:
        import_document(str(source), tmp_path / "openapi")
    assert words in found.value.message
    assert f"{source}:1:" in found.value.message or f"{source}:2:" in found.value.message
    assert not (tmp_path / "openapi").exists()


def test_paths_that_are_no_files_are_said(import_document: Any, tmp_path: Path) -> None:
    for source, words in ((tmp_path, "is a folder"), (tmp_path / "gone", "is not there")):
        with pytest.raises(ImportProblem, match=words):
            import_document(str(source), tmp_path / "openapi")


def test_the_name_stays_inside_the_folder(import_document: Any, tmp_path: Path) -> None:
    source = tmp_path / "api.yaml"
    source.write_bytes(TEXT)
    for name in ("../../evil", "/etc/evil", "..", ".hidden", ""):
        found = import_document(str(source), tmp_path / "openapi", name)
        assert found.path.parent == tmp_path / "openapi"
        assert not found.path.name.startswith(".")


def test_a_url_is_read_after_redirects(import_document: Any, tmp_path: Path, serve: Any) -> None:
    moved = (302, {"location": "/v3/api.yaml?x=1"})
    url = serve({"/spec": moved, "/v3/api.yaml?x=1": TEXT}).url
    assert import_document(f"{url}/spec", tmp_path).path == tmp_path / "spec.yaml"
    assert import_document(f"{url}/v3/api.yaml?x=1", tmp_path).path == tmp_path / "api.yaml"


def test_endless_redirects_and_errors_stop(import_document: Any, tmp_path: Path, serve: Any) -> None:
    again = (302, {"location": "/again"})
    url = serve({"/": again, "/again": again}).url
    with pytest.raises(ImportProblem, match="redirects more than 5 times"):
        import_document(url, tmp_path)
    with pytest.raises(ImportProblem, match="status 404"):
        import_document(f"{url}/gone", tmp_path)
    with pytest.raises(ImportProblem, match=r"can't connect to `127\.0\.0\.1:1`: connection refused"):
        import_document("http://127.0.0.1:1/x", tmp_path)
    with pytest.raises(ImportProblem, match="can't read"):
        import_document("http://[/x", tmp_path)


def test_what_is_too_large_is_not_read_to_the_end(
    import_document: Any, tmp_path: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MAX_BYTES", 1 << 20)
    with pytest.raises(ImportProblem, match="larger than 1 MiB"):
        import_document(serve({"/": b"#" * (2 << 20)}).url, tmp_path)
    big = tmp_path / "big.yaml"
    big.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ImportProblem, match="larger than 1 MiB"):
        import_document(str(big), tmp_path)


def test_a_folder_that_can_t_be_written_is_said(import_document: Any, tmp_path: Path) -> None:
    source = tmp_path / "api.yaml"
    source.write_bytes(TEXT)
    with pytest.raises(ImportProblem, match="can't write"):
        import_document(str(source), source / "below")

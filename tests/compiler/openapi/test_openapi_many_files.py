"""A document in several files: references, places, the lock, the cache, and what must not be read."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from agentc.load import read_file
from agentc.openapi import collecting, compile_operations, problem_span
from agentc.openapi.compile import compile_entry
from agentc.openapi.document import Document, entries, load_document, with_parts
from agentc.openapi.layout import Layout, Target
from agentc.openapi.lock import lock_path, read_lock
from agentc.openapi.parts import source_of
from agentc.openapi.problem import ImportProblem
from agentc.source import SourceFile

MAIN = """\
openapi: 3.0.3
info: { title: Desk, version: 1.0.0 }
servers: [{ url: https://desk.example.com }]
paths:
  /tickets/{id}:
    $ref: paths/ticket.yaml
  /notes:
    post: { $ref: "operations/create%20note.yaml" }
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { $ref: "models/all.yaml#/components/schemas/Id" } }
"""
TICKET = """\
parameters:
  - $ref: ../api.yaml#/components/parameters/Id
get:
  operationId: getTicket
  parameters:
    - { $ref: "parameters.yaml#/default" }
  responses: { "200": { description: ok } }
"""
PARAMETERS = """\
default: { name: full, in: query, schema: { type: boolean } }
broken: { name: full, in: query, required: true, schema: 7 }
"""
NOTE = """\
operationId: createNote
requestBody:
  required: true
  content: { application/json: { schema: { $ref: ../models/note.json } } }
responses: { "201": { description: made } }
"""
MODELS = "components: { schemas: { Id: { $ref: '#/components/schemas/Real' }, Real: { type: integer } } }\n"
NOTE_MODEL = json.dumps(
    {
        "type": "object",
        "properties": {"text": {"type": "string"}, "reply": {"$ref": "thread.yaml#/Reply"}},
        "required": ["text"],
    }
)
THREAD = "Reply: { type: object, properties: { of: { $ref: note.json }, again: { $ref: '#/Reply' } } }\n"
FILES = {
    "api.yaml": MAIN,
    "paths/ticket.yaml": TICKET,
    "paths/parameters.yaml": PARAMETERS,
    "operations/create note.yaml": NOTE,
    "models/all.yaml": MODELS,
    "models/note.json": NOTE_MODEL,
    "models/thread.yaml": THREAD,
}


def _written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "api.yaml"


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    """The main file as a vendor publishes it."""
    return _written(tmp_path / "vendor", FILES)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def _compiled(project: Path, main: Path, *wanted: str, cache: Path | None = None):
    path = main.relative_to(project).as_posix()
    read: list[str] = []

    def reader(name: str) -> SourceFile | str:
        read.append(name)
        return read_file(project, name)

    file = read_file(project, path)
    lock_file = read_file(project, lock_path(path))
    assert isinstance(file, SourceFile)
    assert isinstance(lock_file, SourceFile)
    lock = read_lock(lock_file, file, reader)
    assert not hasattr(lock, "code"), lock
    result = compile_operations(file, wanted, cache, lock=lock)
    places = []
    for problems in result.operation_problems.values():
        for problem in problems:
            where, own = source_of(problem, file, lock.source)
            span = problem_span(where, own)
            places.append((problem.code, span.file, span.line))
    return result, places, read


def test_all_kinds_of_references_are_followed(import_document, vendor, project):
    imported = import_document(str(vendor), project / "openapi")
    assert (imported.operations, imported.files, imported.refused) == (2, 6, ())
    assert imported.path == project / "openapi/api/api.yaml"
    result, places, _ = _compiled(project, imported.path, "getTicket", "createNote")
    assert places == []
    ticket, note = result.operations["getTicket"], result.operations["createNote"]
    assert ticket is not None
    assert note is not None
    assert ticket.arguments["required"] == ["id"]
    assert set(ticket.arguments["properties"]) == {"id", "full"}
    assert ticket.arguments["properties"]["id"] == {"type": "integer"}
    assert set(note.arguments["properties"]) == {"text", "reply"}
    assert set(result.files) == FILES.keys() - {"api.yaml"}


def test_the_lock_holds_digests_and_what_is_used(import_document, vendor, project):
    imported = import_document(str(vendor), project / "openapi", wanted=frozenset({"createNote"}))
    lock = (project / "openapi/api/api.lock.yaml").read_text()
    for name in FILES.keys() - {"api.yaml"}:
        digest = hashlib.sha256(FILES[name].encode()).hexdigest()
        assert yaml.safe_load(lock.partition("\n---\n")[0])["files"][name] == digest
    _, _, used = lock.partition("\n---\n")
    assert "createNote" in used
    assert "getTicket" not in used
    again = import_document(str(vendor), project / "openapi", wanted=frozenset({"createNote"}))
    assert again == imported
    assert (project / "openapi/api/api.lock.yaml").read_text() == lock


def test_a_document_under_another_name_still_refers_to_itself(import_document, vendor, project):
    imported = import_document(str(vendor), project / "openapi", "desk.yaml")
    assert imported.path == project / "openapi/desk.yaml"
    result, places, _ = _compiled(project, imported.path, "getTicket")
    assert places == []
    assert result.operations["getTicket"] is not None


def test_one_file_lies_beside_its_lock(import_document, project, tmp_path):
    alone = _written(tmp_path / "alone", {"api.yaml": "openapi: 3.0.3\ninfo: {}\npaths: {}\n"})
    assert import_document(str(alone), project / "openapi").path == project / "openapi/api.yaml"
    assert {path.name for path in (project / "openapi").iterdir()} == {"api.yaml", "api.lock.yaml"}


def test_problems_point_into_the_file_and_line(import_document, project, tmp_path):
    broken = FILES | {"paths/ticket.yaml": TICKET.replace("#/default", "#/broken")}
    main = import_document(str(_written(tmp_path / "v", broken)), project / "openapi").path
    _, places, _ = _compiled(project, main, "getTicket")
    assert places == [("AC705", "openapi/api/paths/parameters.yaml", 2)]
    at_item = FILES | {"paths/ticket.yaml": TICKET.replace("responses", "security: 7\n  responses")}
    main = import_document(str(_written(tmp_path / "v", at_item)), project / "openapi").path
    _, places, _ = _compiled(project, main, "getTicket")
    assert places == [("AC706", "openapi/api/paths/ticket.yaml", 7)]


@pytest.mark.parametrize("warm", [False, True])
def test_only_what_an_operation_reaches_has_to_match_the_lock(
    import_document, vendor, project, tmp_path, warm
):
    main = import_document(str(vendor), project / "openapi").path
    cache = tmp_path / "cache"
    if warm:
        _compiled(project, main, "getTicket", "createNote", cache=cache)
    (main.parent / "models/thread.yaml").write_text(THREAD + "Other: {}\n")
    result, places, _ = _compiled(project, main, "getTicket", "createNote", cache=cache)
    assert result.operations["getTicket"] is not None
    assert result.operations["createNote"] is None
    [(code, file, line)] = places
    assert (code, file) == ("AC703", "openapi/api/api.lock.yaml")
    assert "thread.yaml" in (project / file).read_text().splitlines()[line - 1]
    (main.parent / "models/thread.yaml").unlink()
    _, places, _ = _compiled(project, main, "createNote", cache=cache)
    assert places == [("AC702", "openapi/api/api.lock.yaml", line)]
    (main.parent / "models/thread.yaml").write_text(THREAD)
    result, places, _ = _compiled(project, main, "createNote", cache=cache)
    assert places == []
    assert result.operations["createNote"] is not None


def test_a_warm_cache_reads_only_the_files_of_the_operation(import_document, vendor, project, tmp_path):
    main = import_document(str(vendor), project / "openapi").path
    cold, _, _ = _compiled(project, main, "createNote", cache=tmp_path)
    warm, _, read = _compiled(project, main, "createNote", cache=tmp_path)
    assert warm == cold
    names = ("operations/create note.yaml", "models/note.json", "models/thread.yaml")
    assert set(read) == {f"openapi/api/{name}" for name in names}


def test_an_unlocked_file_is_not_read(import_document, vendor, project):
    main = import_document(str(vendor), project / "openapi").path
    lock = main.parent / "api.lock.yaml"
    head, _, shown = lock.read_text().partition("\n---\n")
    lines = [line for line in head.splitlines() if "thread.yaml" not in line]
    lock.write_text("\n".join(lines) + f"\n---\n{shown}")
    result, places, read = _compiled(project, main, "createNote")
    assert places == [("AC708", "openapi/api/models/note.json", 1)]
    assert result.operations["createNote"] is None
    assert not any("thread" in name for name in read)


def test_the_lock_of_another_document_is_refused(import_document, vendor, project):
    main = import_document(str(vendor), project / "openapi").path
    main.write_text(MAIN + "x-more: 1\n")
    file, lock = read_file(project, "openapi/api/api.yaml"), read_file(project, "openapi/api/api.lock.yaml")
    assert isinstance(file, SourceFile)
    assert isinstance(lock, SourceFile)
    problem = read_lock(lock, file, lambda _: "nothing is read")
    assert (problem.code, problem.pointer) == ("AC703", ("sha256",))  # type: ignore[union-attr]  # shown if not


# --- attacks ---------------------------------------------------------------------------------------------

HOSTILE = [
    "/etc/passwd",
    "/etc/passwd#/root",
    "../../outside.yaml",
    "paths/../../outside.yaml",
    "%2e%2e/outside.yaml",
    "..%2foutside.yaml",
    "..\\outside.yaml",
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "http://127.0.0.1:9/x.yaml",
    "//127.0.0.1/x.yaml",
    "a\x00.yaml",
    ".git/config.yaml",
    "agentc.yaml",
    "deep/agentc.yaml",
    "api.lock.yaml",
    "hooks/run.sh",
    "link.yaml",
    "linked/inner.yaml",
    "folder.yaml",
    "absent.yaml",
    "pipe.yaml",
    "permissions.yaml",
]


@pytest.mark.parametrize("reference", HOSTILE)
def test_a_hostile_reference_is_refused_with_its_place(import_document, tmp_path, project, reference):
    folder = tmp_path / "vendor"
    text = MAIN.replace("paths/ticket.yaml", json.dumps(reference))
    main = _written(
        folder, FILES | {"api.yaml": text, "permissions.yaml": "apiVersion: agentc/v1\nget: {}\n"}
    )
    secret = "Secret: { type: string }\n"
    (tmp_path / "outside.yaml").write_text(secret)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/inner.yaml").write_text(secret)
    (folder / "link.yaml").symlink_to("../outside.yaml")
    (folder / "linked").symlink_to("../out")
    (folder / "folder.yaml").mkdir()
    (folder / "agentc.yaml").write_text(secret)
    os.mkfifo(folder / "pipe.yaml")
    imported = import_document(str(main), project / "openapi")
    [refused] = imported.refused
    assert refused.startswith(f"{main}:6:")
    assert "is not followed" in refused
    copied = {str(path.relative_to(imported.path.parent)) for path in imported.path.parent.rglob("*.*")}
    assert copied <= FILES.keys() | {"api.lock.yaml"}
    _, places, read = _compiled(project, imported.path, "GET /tickets/{id}")
    assert [(code, line) for code, _, line in places] == [("AC708", 6)]
    assert all(name.startswith("openapi/api/") for name in read)


def test_a_long_chain_ends_with_a_place(import_document, tmp_path, project, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_FILES", 50)
    files = {f"n{i}.yaml": f"allOf: [{{ $ref: n{i + 1}.yaml }}]\n" for i in range(100)}
    main = _written(tmp_path / "v", files | {"api.yaml": MAIN.replace("paths/ticket.yaml", "n0.yaml")})
    with pytest.raises(ImportProblem, match=r"n\d+\.yaml:1:\d+: the document has more than 50 files"):
        import_document(str(main), project / "openapi")
    assert list(project.iterdir()) == []


def test_a_link_in_the_project_is_not_written_through(import_document, vendor, project, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (project / "openapi/api").mkdir(parents=True)
    (project / "openapi/api/models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ImportProblem, match="symbolic link"):
        import_document(str(vendor), project / "openapi")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_of_the_project_is_not_replaced(import_document, vendor, project):
    (project / "models").mkdir()
    (project / "models/all.yaml").write_text("mine: 1\n")
    with pytest.raises(ImportProblem, match="is there already"):
        import_document(str(vendor), project, "api.yaml")
    assert (project / "models/all.yaml").read_text() == "mine: 1\n"
    assert not (project / "api.yaml").exists()


def test_files_that_go_in_circles_end(tmp_path):
    texts = {"a.yaml": b"get: { $ref: b.yaml }\n", "b.yaml": b"$ref: a.yaml#/get\n"}
    loaded = load_document("api.yaml", b"openapi: 3.0.3\npaths: { /a: { $ref: a.yaml } }\n")
    assert isinstance(loaded, Document)
    document = with_parts(loaded, Layout("api.yaml", known=texts), texts.__getitem__)
    found, unread = entries(document)
    assert found == ()
    assert [one.problem.code for one in unread] == ["AC704"]


def test_a_path_is_relative_to_the_file_that_holds_it():
    layout = Layout("api.yaml")
    assert layout.target("../b.yaml#/x", "models/a.yaml") == Target("b.yaml", "/x")
    assert layout.target("#/x", "models/a.yaml") == Target("models/a.yaml", "/x")
    assert layout.target("../../b.yaml", "models/a.yaml") == "it leads out of the document's folder"


def test_every_operation_of_the_corpus_document_in_many_files():
    root = Path(__file__).parents[4] / "shared/corpus/digitalocean/specification"
    if not root.is_dir():
        pytest.skip("the corpus is not there")
    from agentc.openapi.collecting import collect, from_folder

    main = root / "DigitalOcean-public.v2.yaml"
    file = SourceFile(main.name, main.read_bytes())
    loaded = load_document(main.name, file.data)
    assert isinstance(loaded, Document)
    layout = Layout(main.name)
    parts = collect(file, layout, loaded, from_folder(root)).files
    document = with_parts(loaded, replace(layout, known=parts), parts.__getitem__)
    found, unread = entries(document)
    assert unread == ()
    refused = [
        problems[0].code for entry in found for one, problems in [compile_entry(document, entry)] if not one
    ]
    assert len(found) == 659
    assert refused == ["AC705"] * 4


def test_many_missing_files_end_as_well(import_document, tmp_path, project, monkeypatch):
    monkeypatch.setattr(collecting, "MAX_FILES", 50)
    refs = ", ".join(f'{{ "$ref": "m{i}.yaml" }}' for i in range(100))
    main = _written(tmp_path / "v", {"api.yaml": f"openapi: 3.0.3\npaths: {{}}\nx: [{refs}]\n"})
    with pytest.raises(ImportProblem, match="more than 50 files"):
        import_document(str(main), project / "openapi")


def test_only_the_first_references_are_looked_up(import_document, tmp_path, project):
    refs = ", ".join('{ "$ref": "../x.json" }' for _ in range(600))
    main = _written(tmp_path / "v", {"api.yaml": f"openapi: 3.0.3\npaths: {{}}\nx: [{refs}]\n"})
    imported = import_document(str(main), project / "openapi")
    assert (len(imported.refused), imported.unfollowed) == (10, 600)

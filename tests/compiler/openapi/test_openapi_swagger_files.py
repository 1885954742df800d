"""Swagger 2.0 in several files: whatever may refer to another file, and the places of problems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentc.load import read_file
from agentc.openapi import compile_operations, problem_span
from agentc.openapi.importing import opened, plan_import, write_import
from agentc.openapi.lock import lock_path, read_lock
from agentc.openapi.parts import source_of
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

FILES = {
    "api.yaml": """\
swagger: "2.0"
info: { title: Desk, version: "1" }
host: desk.example.com
basePath: /v2
schemes: [https]
consumes: [application/json]
produces: [application/json]
securityDefinitions:
  key: { type: apiKey, in: header, name: X-Key }
security: [{ key: [] }]
parameters:
  Id: { name: id, in: path, required: true, type: integer }
paths:
  /tickets/{id}:
    $ref: paths/ticket.yaml
  /notes:
    post:
      $ref: paths/note.json#/post
""",
    "paths/ticket.yaml": """\
parameters:
  - $ref: ../api.yaml#/parameters/Id
get:
  operationId: getTicket
  parameters:
    - $ref: parameters.yaml#/Full
  responses:
    "200": { $ref: responses.yaml#/Ticket }
""",
    "paths/parameters.yaml": """\
Full: { name: full, in: query, type: array, items: { type: string }, collectionFormat: pipes }
Wrong: { name: full, in: query, required: true, type: array, items: { type: string }, collectionFormat: tsv }
""",
    "paths/responses.yaml": """\
Ticket: { description: ok, schema: { $ref: '../models.yaml#/definitions/Ticket' } }
""",
    "paths/note.json": """\
{"post": {"operationId": "addNote",
  "parameters": [
    {"name": "note", "in": "body", "required": true, "schema": {"$ref": "../models.yaml#/definitions/Note"}}
  ],
  "responses": {"201": {"description": "made"}}}}
""",
    "models.yaml": """\
definitions:
  Ticket:
    type: object
    properties: { id: { type: integer }, notes: { type: array, items: { $ref: "#/definitions/Note" } } }
  Note:
    type: object
    required: [text]
    properties:
      text: { type: string, x-nullable: true }
      reply: { $ref: "#/definitions/Note" }
""",
}


def _compiled(tmp_path: Path, files: dict[str, str], *operations: str) -> tuple[Any, list[Any]]:
    folder, project = tmp_path / "vendor", tmp_path / "project"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with opened(str(folder / "api.yaml")) as source:
        imported = plan_import(source, project, None, lambda _: frozenset(operations))
    write_import(imported)
    assert (imported.operations, imported.files, imported.refused) == (2, 5, ())
    path = imported.path.relative_to(project).as_posix()
    file, lock_file = read_file(project, path), read_file(project, lock_path(path))
    assert isinstance(file, SourceFile)
    assert isinstance(lock_file, SourceFile)
    lock = read_lock(lock_file, file, lambda name: read_file(project, name), frozenset(operations))
    assert not hasattr(lock, "code"), lock
    result = compile_operations(file, operations, None, lock=lock)
    assert result.lock_problem is None
    places = []
    for problems in result.operation_problems.values():
        for problem in problems:
            where, own = source_of(problem, file, lock.source)
            places.append((problem.code, Path(where.path).name, problem_span(where, own).line))
    return result.operations, places


def test_references_of_every_kind_are_followed(tmp_path: Path) -> None:
    operations, places = _compiled(tmp_path, FILES, "getTicket", "addNote")
    assert places == []
    ticket, note = operations["getTicket"], operations["addNote"]
    assert set(ticket.arguments["properties"]) == {"id", "full"}
    assert (ticket.query[0].style, ticket.query[0].explode) == ("pipeDelimited", False)
    assert ticket.servers == ("https://desk.example.com/v2",)
    assert [one.wire for one in ticket.security[0]] == ["X-Key"]
    assert ticket.response["$defs"].keys() == {"Ticket", "Note"}
    shape = compile_shape(note.arguments)
    assert shape.is_valid({"text": None, "reply": {"text": "a"}})
    assert not shape.is_valid({"text": "a", "reply": {"text": 1}})


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("paths/ticket.yaml", "#/Full", "#/Wrong", ("AC705", "parameters.yaml", 2)),
        ("paths/ticket.yaml", "#/Full", "#/Gone", ("AC704", "ticket.yaml", 6)),
        ("paths/ticket.yaml", "get:\n", "get:\n  security: [{ gone: [] }]\n", ("AC706", "ticket.yaml", 4)),
        ("paths/note.json", '"in": "body"', '"in": "nowhere"', ("AC705", "note.json", 3)),
        ("models.yaml", "text: { type: string,", "text: { $ref: '#/gone',", ("AC704", "models.yaml", 9)),
    ],
)
def test_problems_stand_where_they_were_written(
    tmp_path: Path, file: str, old: str, new: str, place: Any
) -> None:
    assert old in FILES[file]
    _, places = _compiled(tmp_path, {**FILES, file: FILES[file].replace(old, new)}, "getTicket", "addNote")
    assert place in places

"""References by URL: followed by the import alone, locked, and read from the project afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentc.load import read_file
from agentc.openapi import compile_operations
from agentc.openapi.layout import Layout
from agentc.openapi.lock import lock_path, read_lock
from agentc.source import SourceFile

MAIN = """\
openapi: 3.0.3
info: { title: Desk, version: 1.0.0 }
servers: [{ url: https://desk.example.com }]
paths:
  /tickets/{id}:
    get:
      operationId: getTicket
      parameters:
        - { name: id, in: path, required: true, schema: { $ref: REFERENCE } }
      responses: { "200": { description: ok } }
"""


def _document(reference: str) -> str:
    return MAIN.replace("REFERENCE", json.dumps(reference))


def _schema(project: Path, main: Path) -> tuple[Any, list[str]]:
    """What the argument `id` may be, without the network, and the codes of what stands in the way."""
    path = main.relative_to(project).as_posix()
    file, lock_file = read_file(project, path), read_file(project, lock_path(path))
    assert isinstance(file, SourceFile)
    assert isinstance(lock_file, SourceFile)
    lock = read_lock(lock_file, file, lambda name: read_file(project, name))
    assert not hasattr(lock, "code"), lock
    result = compile_operations(file, ["getTicket"], None, lock=lock)
    operation = result.operations["getTicket"]
    problems = [one.code for one in result.operation_problems["getTicket"]]
    if operation is None:
        return None, problems
    found = operation.arguments["properties"]["id"]
    while "$ref" in found:
        found = operation.arguments["$defs"][found["$ref"].rpartition("/")[2]]
    return found, problems


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


ID = "Id: { type: integer, minimum: 1 }\n"


@pytest.mark.parametrize(
    ("reference", "at"),
    [
        ("models/all.yaml#/Id", "/v1/models/all.yaml"),
        ("./models/../models/all.yaml#/Id", "/v1/models/all.yaml"),
        ("../common/all.yaml#/Id", "/common/all.yaml"),
        ("/common/all.yaml#/Id", "/common/all.yaml"),
        ("schemas/all#/Id", "/v1/schemas/all"),
        ("all.yaml?version=2#/Id", "/v1/all.yaml?version=2"),
        ("SITE/elsewhere/all.yaml#/Id", "/elsewhere/all.yaml"),
        ("//HOST/elsewhere/all.yaml#/Id", "/elsewhere/all.yaml"),
    ],
)
def test_a_document_from_a_url_brings_what_it_refers_to(
    import_document: Any, serve: Any, project: Path, reference: str, at: str
) -> None:
    site = serve({at: ID})
    reference = reference.replace("SITE", site.url).replace("HOST", site.url.removeprefix("http://"))
    site.pages["/v1/api.yaml"] = _document(reference)
    imported = import_document(f"{site.url}/v1/api.yaml", project / "openapi")
    assert (imported.files, imported.refused) == (1, ())
    assert site.asked == ["/v1/api.yaml", at]
    assert _schema(project, imported.path) == ({"type": "integer", "minimum": 1}, [])
    assert site.asked == ["/v1/api.yaml", at]


def test_references_of_a_file_by_url_are_relative_to_its_url(
    import_document: Any, serve: Any, project: Path
) -> None:
    site = serve(
        {
            "/lib/deep/a.json": '{"A": {"$ref": "../b.yaml#/Id"}}',
            "/lib/b.yaml": "Id: { $ref: '#/Real' }\nReal: { type: integer }\n",
        }
    )
    site.pages["/v1/api.yaml"] = _document("/lib/deep/a.json#/A")
    imported = import_document(f"{site.url}/v1/api.yaml", project / "openapi")
    assert imported.files == 2
    assert _schema(project, imported.path) == ({"type": "integer"}, [])
    header = yaml.safe_load((imported.path.parent / "api.lock.yaml").read_text().partition("\n---\n")[0])
    assert set(header["files"]) == {f"{site.url}/lib/deep/a.json", f"{site.url}/lib/b.yaml"}
    assert header["base"] == f"{site.url}/v1/api.yaml"
    kept = [path for path in (imported.path.parent / "api.urls").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in kept) == [".json", ".yaml"]


def test_a_document_calls_itself_by_its_url_or_name(import_document: Any, serve: Any, project: Path) -> None:
    site = serve({})
    for reference in ("api.yaml#/components/schemas/Id", f"{site.url}/v1/api.yaml#/components/schemas/Id"):
        site.pages["/v1/api.yaml"] = (
            _document(reference) + "components: { schemas: { Id: { type: integer } } }\n"
        )
        imported = import_document(f"{site.url}/v1/api.yaml", project / "openapi")
        assert (imported.files, imported.refused) == (0, ())
        assert _schema(project, imported.path) == ({"type": "integer"}, [])


def test_redirects_decide_what_references_are_relative_to(
    import_document: Any, serve: Any, project: Path
) -> None:
    site = serve(
        {
            "/latest": (302, {"location": "/v3/api.yaml"}),
            "/v3/id.yaml": (302, {"location": "/real/id"}),
            "/real/id": ID,
        }
    )
    site.pages["/v3/api.yaml"] = _document("id.yaml#/Id")
    imported = import_document(f"{site.url}/latest", project / "openapi")
    assert site.asked == ["/latest", "/v3/api.yaml", "/v3/id.yaml", "/real/id"]
    assert _schema(project, imported.path)[1] == []


def test_a_document_on_disk_may_refer_to_the_public_internet(
    import_document: Any, serve: Any, project: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    proxy = serve({"http://schemas.example/id.yaml": ID})  # the way to a public host, from a test
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    (tmp_path / "api.yaml").write_text(_document("http://schemas.example/id.yaml#/Id"))
    imported = import_document(str(tmp_path / "api.yaml"), project / "openapi")
    assert (imported.files, imported.refused) == (1, ())
    monkeypatch.delenv("http_proxy")
    assert _schema(project, imported.path) == ({"type": "integer", "minimum": 1}, [])
    [kept] = (path for path in imported.path.parent.rglob("id-*.yaml"))
    assert kept.read_text() == ID
    kept.write_text("Id: { type: string }\n")
    assert _schema(project, imported.path) == (None, ["AC703"])
    kept.unlink()
    assert _schema(project, imported.path) == (None, ["AC702"])


# --- attacks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:PORT/id.yaml#/Id",
        "http://localhost:PORT/id.yaml#/Id",
        "HTTP://LOCALHOST:PORT/id.yaml#/Id",
        "http://[::1]:PORT/id.yaml#/Id",
        "http://2130706433:PORT/id.yaml#/Id",
        "http://user@127.0.0.1:PORT/id.yaml#/Id",
        "http://169.254.169.254/latest/meta-data#/Id",
        "//127.0.0.1:PORT/id.yaml#/Id",
        "file:///etc/passwd#/Id",
        "ftp://127.0.0.1/id.yaml#/Id",
        "javascript:alert(1)",
        "http:id.yaml#/Id",
        "https://",
        "http://[/id.yaml",
    ],
)
def test_a_document_on_disk_does_not_reach_this_machine(
    import_document: Any, serve: Any, project: Path, tmp_path: Path, reference: str
) -> None:
    site = serve({"/id.yaml": ID})
    main = tmp_path / "api.yaml"
    main.write_text(_document(reference.replace("PORT", site.url.rpartition(":")[2])))
    imported = import_document(str(main), project / "openapi")
    assert imported.files == 0
    [refused] = imported.refused
    assert refused.startswith(f"{main}:9:")
    assert "is not followed: " in refused
    assert site.asked == []
    assert _schema(project, imported.path) == (None, ["AC708"])


def test_a_document_from_a_url_does_not_reach_another_port(
    import_document: Any, serve: Any, project: Path
) -> None:
    inside, site = serve({"/id.yaml": ID}), serve({})
    site.pages["/api.yaml"] = _document(f"{inside.url}/id.yaml#/Id")
    imported = import_document(f"{site.url}/api.yaml", project / "openapi")
    assert "is not on the public internet" in imported.refused[0]
    site.pages["/api.yaml"] = _document("id.yaml#/Id")
    site.pages["/id.yaml"] = (302, {"location": f"{inside.url}/id.yaml"})
    imported = import_document(f"{site.url}/api.yaml", project / "openapi")
    assert "is not on the public internet" in imported.refused[0]
    assert inside.asked == []


def test_a_file_by_url_brings_no_permissions_along(import_document: Any, serve: Any, project: Path) -> None:
    site = serve(
        {
            "/api.yaml": _document("/lib/all#/Id"),
            "/lib/all": "apiVersion: agentc/v1\nkind: PermissionSet\n" + ID,
        }
    )
    imported = import_document(f"{site.url}/api.yaml", project / "openapi")
    assert "it says that it is a spec of agentc" in imported.refused[0]


def test_plain_http_is_not_followed_from_https() -> None:
    layout = Layout("api.yaml", "https://example.com/v1/api.yaml")
    assert layout.secure("models/a.yaml")
    assert layout.secure("https://example.com/b.yaml")
    assert not layout.secure("http://example.com/b.yaml")
    assert not Layout("api.yaml").secure("models/a.yaml")


def test_a_lock_does_not_make_a_name_lead_out_of_the_project(
    import_document: Any, serve: Any, project: Path
) -> None:
    site = serve({"/api.yaml": _document("/lib/all#/Id"), "/lib/all": ID})
    main = import_document(f"{site.url}/api.yaml", project / "openapi").path
    lock = main.parent / "api.lock.yaml"
    (project.parent / "outside.yaml").write_text(ID)
    lock.write_text(lock.read_text().replace(f"{site.url}/lib/all", "../../../outside.yaml"))
    assert _schema(project, main) == (None, ["AC708"])

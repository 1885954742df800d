"""`agentc import openapi` of a document in several files: from the import to the bundle."""

from __future__ import annotations

from agentc.checks.base import OPENAPI


def _split(folder):
    """The document of the base project with one schema in a file of its own."""
    vendor = folder / "vendor"
    vendor.mkdir()
    assert "{ type: string }" in OPENAPI
    text = OPENAPI.replace("{ type: string }", '{ $ref: "shared.yaml#/Text" }', 1)
    (vendor / "openapi.yaml").write_text(text)
    (vendor / "shared.yaml").write_text("Text: { type: string }\n")
    return vendor / "openapi.yaml"


def test_from_the_import_to_the_bundle(agentc, project, folder):
    main = _split(folder)
    (project / "api").mkdir()
    toolset = (project / "toolset.yaml").read_text()
    (project / "toolset.yaml").write_text(toolset.replace("openapi.yaml", "api/desk.yaml"))
    done = agentc("import", "openapi", main, "--project", project, "--toolset", "desk")
    assert (done.code, done.err) == (0, "")
    assert f"wrote {project}/api/desk.yaml with 1 other files" in done.out
    assert "getTicket" in (project / "api/desk.lock.yaml").read_text()
    for _ in range(2):
        done = agentc("validate", project)
        assert (done.code, "AC7" in done.out + done.err) == (0, False)
    (project / "api/shared.yaml").write_text("Text: { type: integer }\n")
    done = agentc("validate", project)
    assert done.code == 1
    assert "error[AC703]: `api/shared.yaml` has the digest" in done.out + done.err
    assert f"{project.name}/api/desk.lock.yaml:4:" in done.out + done.err
    (project / "api/shared.yaml").write_text("Text: { type: string }\n")
    assert agentc("build", project).code == 0


def test_what_is_not_followed_is_noted(agentc, project, folder):
    main = _split(folder)
    main.write_text(main.read_text().replace("shared.yaml#/Text", "../shared.yaml#/Text"))
    done = agentc("import", "openapi", main, "--project", project)
    assert done.code == 0
    assert "note: " in done.err
    assert (
        "`$ref` to `../shared.yaml#/Text` is not followed: it leads out of the document's folder" in done.err
    )

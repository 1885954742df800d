"""`agentc import openapi`: the document is copied, its digest pinned, and the rest of the file kept."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from agentc.checks.base import OPENAPI

HEADER = """\
# tools of the desk   (kept)
apiVersion: agentc/v1
kind: Toolset
metadata: { name: desk, version: 1.0.0, owner: support }   # who
spec:
"""
REST = """\
  # where it runs
  server: ${env.DESK_URL}
  auth: {scheme: bearerAuth,   secret: desk_token}
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
"""
OLD = "0123456789abcdef" * 4
SHA = hashlib.sha256(OPENAPI.encode()).hexdigest()


@pytest.fixture
def vendor(folder: Path) -> Path:
    """The document as a vendor publishes it, outside the project."""
    path = folder / "vendor" / "openapi.yaml"
    path.parent.mkdir()
    path.write_text(OPENAPI)
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  openapi: { file: openapi.yaml, sha256: OLD } # pinned\n",
            "  openapi: { file: openapi.yaml, sha256: NEW } # pinned\n",
        ),
        ("  openapi: {file: openapi.yaml}\n", "  openapi: {file: openapi.yaml, sha256: NEW}\n"),
        (
            "  openapi:\n    sha256: OLD  # last year's\n    file: openapi.yaml\n",
            "  openapi:\n    sha256: NEW  # last year's\n    file: openapi.yaml\n",
        ),
        (
            "  openapi:\n    # of the vendor\n    file: openapi.yaml # here\n",
            "  openapi:\n    # of the vendor\n    file: openapi.yaml\n    sha256: NEW # here\n",
        ),
        ("  openapi: {\n    file: openapi.yaml }\n", "  openapi: {\n    file: openapi.yaml, sha256: NEW }\n"),
        ('  openapi: { "file": "openapi.yaml", "sha256": "OLD" }\n', None),
        ("", "  openapi: { file: openapi/openapi.yaml, sha256: NEW }\n"),
    ],
    ids=["flow", "flow without digest", "block", "block without digest", "two lines", "quoted", "no key"],
)
def test_pinning_keeps_the_rest_of_the_file(agentc, project, vendor, before, after):
    toolset = project / "toolset.yaml"
    toolset.write_text((HEADER + before + REST).replace("OLD", OLD))
    done = agentc("import", "openapi", vendor, "--project", project, "--toolset", "desk")
    assert (done.code, done.err) == (0, "")
    assert "Desk 1.0.0: 2 operations" in done.out
    assert f"pinned in {project}/toolset.yaml" in done.out
    text = toolset.read_text()
    if after is not None and before:
        assert text == HEADER + after.replace("NEW", SHA) + REST
    found = re.search(r"openapi:\s.*?file\"?: \"?([^\s,\"]+)", text, re.DOTALL)
    assert found is not None
    assert (project / found[1]).read_text() == OPENAPI
    assert agentc("validate", project, "--strict").code == 0


def test_line_ends_and_other_documents_are_kept(agentc, project, vendor):
    toolset = project / "toolset.yaml"
    other = (project / "permissions.yaml").read_text()
    (project / "permissions.yaml").unlink()
    text = f"{other}---\n{HEADER}  openapi: {{ file: openapi.yaml, sha256: {OLD} }}\n{REST}".replace(
        "\n", "\r\n"
    )
    toolset.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert agentc("import", "openapi", vendor, "--project", project, "--toolset", "desk").code == 0
    assert toolset.read_bytes() == b"\xef\xbb\xbf" + text.replace(OLD, SHA).encode()
    assert agentc("validate", project, "--strict").code == 0


def test_without_a_toolset_it_says_what_to_write(agentc, project, vendor):
    before = (project / "toolset.yaml").read_text()
    done = agentc("import", "openapi", vendor, "--project", project)
    assert done.code == 0
    assert done.out.endswith(f"  openapi: {{ file: openapi/openapi.yaml, sha256: {SHA} }}\n")
    assert (project / "toolset.yaml").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--toolset", "dsek"], "no toolset `dsek` in this project; did you mean `desk`?"),
        (["--toolset", "x", "--project", "vendor"], "`vendor` is not a project: it has no `agentc.yaml`"),
    ],
)
def test_mistakes(agentc, project, vendor, arguments, told):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    done = agentc("import", "openapi", vendor, "--project", "desk", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not: openapi\n",
        "<html>",
        "{",
        "\xff",
        "openapi: 9.9.9\ninfo: {}\npaths: {}\n",
    ],
)
def test_what_is_no_document_changes_nothing(agentc, project, vendor, text):
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    vendor.write_bytes(text.encode("latin-1"))
    done = agentc("import", "openapi", vendor, "--project", project, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_sources_that_are_not_there(agentc, project, vendor, folder):
    for source in (folder / "nowhere.json", folder, "http://127.0.0.1:9/openapi.json", "ftp://x/y", ""):
        done = agentc("import", "openapi", source, "--project", project, "--toolset", "desk")
        assert (done.code, done.out) == (2, ""), source
        assert done.err.startswith("error: ")


def test_a_toolset_that_cannot_be_pinned(agentc, project, vendor):
    text = HEADER + "  openapi: openapi.yaml\n" + REST
    (project / "toolset.yaml").write_text(text)
    done = agentc("import", "openapi", vendor, "--project", project, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert "toolset.yaml:6: `openapi` of toolset `desk` should be a map with `file`" in done.err
    assert (project / "toolset.yaml").read_text() == text

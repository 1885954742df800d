"""Published documents: each operation compiles, or has a problem at a place that is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentc.openapi import compile_operations, problem_span
from agentc.openapi.compile import compile_entry
from agentc.openapi.document import Document, entries, load_document
from agentc.openapi.operation import compile_operation
from agentc.source import SourceFile

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
MAX_BYTES = 1_000_000
#: References to nothing, to security schemes that are not there, and to other files.
DEFECTS = ("AC704", "AC706", "AC708")


def index() -> list[dict[str, Any]]:
    found = CORPUS / "index.json"
    return json.loads(found.read_bytes()) if found.is_file() else []


FILES = [row["file"] for row in index() if row["bytes"] <= MAX_BYTES]


@pytest.mark.skipif(not FILES, reason="the corpus of published documents is not there")
def test_published_documents_compile() -> None:
    """All operations but those with a defect of the document's own, and a few with what is not supported."""
    operations = compiled = defects = 0
    for name in FILES:
        data = (CORPUS / name).read_bytes()
        document = load_document(name, data)
        assert isinstance(document, Document), (name, document)
        found, _ = entries(document)
        for number, entry in enumerate(found):
            operation, problems = compile_entry(document, entry)
            operations += 1
            compiled += operation is not None
            defects += any(problem.code in DEFECTS for problem in problems)
            assert (operation is None) == bool(problems), (name, entry)
            if number % 50 == 0 and document.version != "2.0":
                assert compile_operation(document, entry) == (operation, problems), "the slice is complete"
    print(f"{len(FILES)} documents, {operations} operations, {compiled} compiled, {defects} with defects")
    assert operations > 1500
    assert (compiled + defects) / operations >= 0.995


@pytest.mark.skipif(not FILES, reason="the corpus of published documents is not there")
def test_a_document_with_a_defect_is_placed() -> None:
    """A large provider's YAML has a description twice: the line of the second is named, and nothing stops."""
    name = "stripe/stripe_old.yaml"
    file = SourceFile(name, (CORPUS / name).read_bytes())
    operation = compile_operations(file, ["GET /v1/account"], None).operations["GET /v1/account"]
    assert operation is not None
    (problem,) = (note for note in operation.notes if note.code == "AC701")
    span = problem_span(file, problem)
    assert file.lines[span.line - 1].strip().startswith("description:")
    assert file.lines[span.line - 2].strip().startswith("description:")

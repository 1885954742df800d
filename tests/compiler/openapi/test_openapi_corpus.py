"""Published documents: each operation compiles, or has a problem at a place that is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentc.openapi import Problem, compile_operations, problem_span
from agentc.openapi.document import Document, entries, load_document, slice_operation
from agentc.openapi.operation import compile_operation
from agentc.source import SourceFile

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
MAX_BYTES = 1_000_000


def index() -> list[dict[str, Any]]:
    found = CORPUS / "index.json"
    return json.loads(found.read_bytes()) if found.is_file() else []


FILES = [row["file"] for row in index() if str(row["version"]).startswith("3.") and row["bytes"] <= MAX_BYTES]


@pytest.mark.skipif(not FILES, reason="the corpus of published documents is not there")
def test_published_documents_compile() -> None:
    """All operations but a few with defects and those whose body is a form, which is not supported yet."""
    operations = compiled = forms = 0
    for name in FILES:
        data = (CORPUS / name).read_bytes()
        document = load_document(name, data)
        assert isinstance(document, Document), (name, document)
        found, _ = entries(document)
        for number, entry in enumerate(found):
            operation, problems = compile_operation(slice_operation(document, entry), entry)
            operations += 1
            compiled += operation is not None
            forms += any("the body is not JSON" in problem.message for problem in problems)
            assert (operation is None) == bool(problems), (name, entry)
            if number % 50 == 0:
                assert compile_operation(document, entry) == (operation, problems), "the slice is complete"
    print(f"{len(FILES)} documents, {operations} operations, {compiled} compiled, {forms} with forms")
    assert operations > 1500
    assert (compiled + forms) / operations >= 0.99


@pytest.mark.skipif(not FILES, reason="the corpus of published documents is not there")
def test_a_document_with_a_defect_is_placed() -> None:
    """A large provider's YAML has a key twice: the line of the second is named."""
    name = "stripe/stripe_old.yaml"
    file = SourceFile(name, (CORPUS / name).read_bytes())
    (problem,) = compile_operations(file, ["x"], None).problems
    assert isinstance(problem, Problem)
    span = problem_span(file, problem)
    assert file.lines[span.line - 1].strip().startswith("description:")
    assert file.lines[span.line - 2].strip().startswith("description:")

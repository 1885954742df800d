"""Small helpers for tests of reading and parsing."""

from collections.abc import Callable

import pytest

from agentc.diagnostics import Diagnostic, Span
from agentc.parse import parse_documents
from agentc.source import Document, SourceFile

Parse = Callable[[str | bytes], tuple[tuple[Document, ...], tuple[Diagnostic, ...]]]


@pytest.fixture
def parse() -> Parse:
    """Parse text or bytes as `a.yaml`."""

    def run(text: str | bytes) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
        data = text if isinstance(text, bytes) else text.encode()
        return parse_documents(SourceFile("a.yaml", data))

    return run


@pytest.fixture
def findings(parse: Parse) -> Callable[[str | bytes], list[tuple[str, int, int]]]:
    """The code, line and column of each finding in a text."""

    def run(text: str | bytes) -> list[tuple[str, int, int]]:
        return [(f.code, f.span.line, f.span.column) for f in parse(text)[1]]

    return run


@pytest.fixture
def cut() -> Callable[[str, Span], str]:
    """The text that a span covers."""

    def run(text: str, span: Span) -> str:
        lines = SourceFile("a.yaml", text.encode()).lines[span.line - 1 : span.end_line]
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "\n".join(lines)

    return run

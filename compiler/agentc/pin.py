"""Write a document's digest into the toolset that uses it, leaving everything else of the file as it is."""

from __future__ import annotations

import re
from pathlib import Path

from .diagnostics import Span, did_you_mean
from .load import load_project
from .parse import parse_documents
from .resources import node_at
from .source import Document, Map, Scalar, SourceFile, span_at


class PinError(Exception):
    """The toolset can't be pinned. The message is one line and says why."""


def toolset_target(project: Path, name: str) -> str | None:
    """The path that the toolset's `openapi.file` names, or `None` when it names none yet.

    Raises:
        PinError: the project has no such toolset, or it names a file that is not in the project.
    """
    document = _find(project, name)
    node = node_at(document.root, ("spec", "openapi", "file"))
    if not isinstance(node, Scalar):
        return None
    path = str(node.value)
    target = (project / path).resolve()
    if not target.is_relative_to(project.resolve()) or target.is_dir():
        at = f"{document.file.path}:{node.span.line}"
        raise PinError(
            f"{at}: `{path}` is not a file inside the project; name one, such as `openapi/api.json`"
        )
    return path


def pin_document(project: Path, name: str, file: str, sha256: str) -> str:
    """Set `openapi.file` and `openapi.sha256` of the toolset; the path of the file that was changed.

    Raises:
        PinError: the project has no such toolset, or its `openapi` is not a map.
    """
    document = _find(project, name)
    if re.fullmatch(r"[0-9]+(e[0-9]+)?", sha256):
        sha256 = f'"{sha256}"'  # plain, it would be a number
    openapi = node_at(document.root, ("spec", "openapi"))
    spec = node_at(document.root, ("spec",))
    source = document.file
    if isinstance(openapi, Map) and "file" in openapi.entries:
        edits = [(openapi.entries["file"][1].span, file)]
        if "sha256" in openapi.entries:
            edits.append((openapi.entries["sha256"][1].span, sha256))
        else:
            edits.append((_after(openapi.entries["file"][1].span), _second_key(openapi, sha256)))
        text = _replaced(source, edits)
    elif openapi is None and isinstance(spec, Map) and spec.entries:
        key = next(iter(spec.entries.values()))[0].span
        insert = f"openapi: {{ file: {file}, sha256: {sha256} }}\n{' ' * (key.column - 1)}"
        text = _replaced(source, [(Span(key.file, key.line, key.column, key.line, key.column), insert)])
    else:
        line = span_at(document.root, ("spec", "openapi"), key=True).line
        raise PinError(f"{source.path}:{line}: `openapi` of toolset `{name}` should be a map with `file`")
    target = project / source.path
    target.write_text(text, encoding="utf-8", newline="")
    return source.path


def _find(project: Path, name: str) -> Document:
    sources, _ = load_project(project)
    names = []
    for file in sources.files.values():
        for document in parse_documents(file)[0]:
            kind, found = (node_at(document.root, path) for path in (("kind",), ("metadata", "name")))
            if isinstance(kind, Scalar) and kind.value == "Toolset" and isinstance(found, Scalar):
                if found.value == name:
                    return document
                names.append(str(found.value))
    raise PinError(f"no toolset `{name}` in `{project}`; {did_you_mean(name, names) or 'it has none'}")


def _after(span: Span) -> Span:
    return Span(span.file, span.end_line, span.end_column, span.end_line, span.end_column)


def _second_key(openapi: Map, sha256: str) -> str:
    """How a second key is written into a map: on the same line in `{ }`, else on a line of its own."""
    key = openapi.entries["file"][0].span
    if openapi.span.line == key.line and openapi.span.column < key.column:
        return f", sha256: {sha256}"
    return f"\n{' ' * (key.column - 1)}sha256: {sha256}"


def _replaced(source: SourceFile, edits: list[tuple[Span, str]]) -> str:
    """The file's text with single-line spans replaced, from the end so that positions stay true."""
    lines = source.text.splitlines(keepends=True)
    for span, text in sorted(edits, key=lambda edit: (edit[0].line, edit[0].column), reverse=True):
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + text + line[span.end_column - 1 :]
    return "".join(lines)

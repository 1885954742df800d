"""The operations that somebody asks for, out of a file: from the cache, else by parsing and slicing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ..source import SourceFile
from . import swagger
from .anchors import relinked
from .cache import Cache, Index, Outcome
from .document import Document, entries, load_document, lost_values, slice_operation
from .model import CompiledOperation, DocumentResult, Entry, Unread
from .operation import compile_operation
from .problem import Problem, ProblemError


def compile_operations(
    file: SourceFile,
    wanted: Sequence[str],
    cache: Path | None,
    overlays: Sequence[SourceFile] = (),
) -> DocumentResult:
    """The operations named in `wanted`, by `operationId` or `METHOD /path`, of a file corrected by overlays.

    With a warm cache the file is hashed and not parsed. The same bytes give the same result, cached or not.
    """
    store = Cache(cache, [one.sha256 for one in (file, *overlays)]) if cache is not None else None
    document: Document | None = None
    index = store.index() if store is not None else None
    if index is None:
        loaded = load_document(file.path, file.data, overlays)
        if isinstance(loaded, Problem):
            return DocumentResult(problems=(loaded,))
        document = loaded
        index = _index(document)
        if store is not None:
            store.keep_index(index)
    operations: dict[str, CompiledOperation | None] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    for name in wanted:
        entry = _find(index, name)
        operations[name] = None
        if not isinstance(entry, Entry):
            problems[name] = entry
            continue
        outcome = store.outcome(entry) if store is not None else None
        if outcome is None:
            document = document or _loaded(file, overlays)
            operation, wrong = compile_entry(document, entry)
            outcome = Outcome(entry=entry, operation=operation, problems=wrong)
            if store is not None:
                store.keep_outcome(outcome)
        operations[name], problems[name] = outcome.operation, outcome.problems
    return DocumentResult(
        openapi=index.openapi,
        title=index.title,
        version=index.version,
        entries=index.entries,
        security_schemes=index.security_schemes,
        servers=index.servers,
        operations=operations,
        operation_problems=problems,
        overlay_problems=index.overlay_problems,
    )


def compile_entry(document: Document, entry: Entry) -> tuple[CompiledOperation | None, tuple[Problem, ...]]:
    """One operation of a document, and what is wrong with it; with problems, no operation.

    Pointers lead into the document as it was written, whatever its version.
    """
    sliced = slice_operation(document, entry)
    lost, notes = lost_values(document, entry, sliced)
    if lost:
        return None, lost
    root, origins = sliced.root, swagger.Origins()
    if document.anchors is not None:
        root = relinked(root, document.anchors)
    if document.version == swagger.VERSION:
        try:
            root, origins, left_out = swagger.upgraded(root, entry.path, entry.method.lower())
            notes += left_out
        except ProblemError as error:
            return None, (document.placed(error.problem),)
    operation, problems = compile_operation(Document(document.openapi, document.version, root), entry)

    def placed(found: tuple[Problem, ...]) -> tuple[Problem, ...]:
        return tuple(document.placed(one._replace(pointer=origins.original(one.pointer))) for one in found)

    if operation is not None:
        pointers = {name: origins.original(pointer) for name, pointer in operation.pointers.items()}
        notes += placed(operation.notes)
        operation = msgspec.structs.replace(operation, pointers=pointers, notes=notes)
    return operation, placed(problems)


def _loaded(file: SourceFile, overlays: Sequence[SourceFile]) -> Document:
    """The document of a file that has been read before."""
    document = load_document(file.path, file.data, overlays)
    assert isinstance(document, Document)
    return document


def _index(document: Document) -> Index:
    found, unread = entries(document)
    placed = document.placed
    return Index(
        openapi=document.openapi,
        title=document.text("info", "title"),
        version=document.text("info", "version"),
        entries=found,
        unread=tuple(Unread(names=one.names, problem=placed(one.problem)) for one in unread),
        security_schemes=document.security_schemes(),
        servers=document.servers(),
        overlay_problems=document.overlaid.problems if document.overlaid is not None else (),
    )


def _find(index: Index, name: str) -> Entry | tuple[Problem, ...]:
    """The operation of that name; if there is none, a problem that may be the reason."""
    method, _, path = name.strip().partition(" ")
    known = [entry for entry in index.entries if entry.operation_id == name]
    known = known or [
        entry for entry in index.entries if (entry.method, entry.path) == (method.upper(), path.strip())
    ]
    if not known:
        unread = [one for one in index.unread if name in one.names or f"{method} {path}" in one.names]
        unread = unread or [one for one in index.unread if not one.names]
        return tuple(one.problem for one in unread[:1])
    if len(known) > 1:
        places = " and ".join(f"`{entry.method} {entry.path}`" for entry in known[:3])
        message = f"the operationId `{name[:80]}` stands for {places}"
        pointer = (*known[1].pointer, "operationId")
        return (Problem("AC705", message, pointer, "name the operation as `METHOD /path`"),)
    return known[0]

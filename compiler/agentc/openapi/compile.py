"""The operations that somebody asks for, out of a file: from the cache, else by parsing and slicing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from ..source import SourceFile
from . import swagger
from .anchors import relinked
from .cache import Cache, Index, Outcome
from .document import Document, entries, load_document, with_lock
from .lock import Locked
from .model import CompiledOperation, DocumentResult, Entry, Unread
from .operation import compile_operation
from .problem import PARTS, Pointer, Problem, ProblemError, find, follow
from .shown import shown_text
from .slicing import lost_values, slice_operation


def compile_operations(
    file: SourceFile,
    wanted: Sequence[str],
    cache: Path | None,
    overlays: Sequence[SourceFile] = (),
    lock: Locked | None = None,
) -> DocumentResult:
    """The operations named in `wanted`, by `operationId` or `METHOD /path`, of a file corrected by overlays.

    With a warm cache the file is hashed and not parsed. The same bytes give the same result, cached or not.
    With a `lock` the document's other files are read as well, each only when an operation needs it.
    """
    identity = [one.sha256 for one in (file, *overlays)]
    if lock is not None:
        identity.append(lock.identity)
    store = Cache(cache, identity) if cache is not None else None
    shown = store.shown(lock.operations) if store is not None and lock is not None else None
    document: Document | None = None
    index = store.index() if store is not None else None
    if index is None:
        loaded = load_document(file.path, file.data, overlays)
        if isinstance(loaded, Problem):
            return DocumentResult(problems=(loaded,))
        document = with_lock(loaded, file, lock)
        index = _index(document)
        if store is not None and (document.parts is None or document.parts.complete):
            store.keep_index(index)
    operations: dict[str, CompiledOperation | None] = {}
    problems: dict[str, tuple[Problem, ...]] = {}
    files: set[str] = set()
    for name in wanted:
        entry = _find(index, name)
        operations[name] = None
        if not isinstance(entry, Entry):
            problems[name] = entry
            continue
        outcome = store.outcome(entry) if store is not None else None
        if outcome is None:
            document = document or with_lock(_loaded(file, overlays), file, lock)
            operation, wrong = compile_entry(document, entry)
            reached = () if document.parts is None else tuple(sorted(document.parts.reached))
            outcome = Outcome(entry=entry, operation=operation, problems=wrong, files=reached)
            if store is not None and (document.parts is None or document.parts.complete):
                store.keep_outcome(outcome)
        changed = _changed(lock, outcome.files)
        operations[name] = None if changed else outcome.operation
        problems[name] = changed or outcome.problems
        files.update(outcome.files)
    if lock is not None and lock.operations is not None and shown is None:
        document = document or with_lock(_loaded(file, overlays), file, lock)
        shown = _shown(document, lock.operations)
        if store is not None and shown is not None:
            store.keep_shown(lock.operations, shown)
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
        files=tuple(sorted(files)),
        lock_problem=lock.stale(shown) if lock is not None and shown is not None else None,
    )


def _shown(document: Document, operations: frozenset[str]) -> str | None:
    """What the document's lock has to show; `None` when a file of it can't be read."""
    if document.overlaid is not None:
        root = document.overlaid.published
        if document.parts is not None:
            root = {**root, PARTS: document.parts}
        document = replace(document, root=root, overlaid=None)
    text = shown_text(document, operations)
    return None if document.parts is not None and not document.parts.complete else text


def _changed(lock: Locked | None, files: tuple[str, ...]) -> tuple[Problem, ...]:
    """What is wrong with the files that an operation reaches: asked of a warm cache as well."""
    found = []
    for path in files if lock is not None else ():
        try:
            assert lock is not None
            lock.load(path)
        except ProblemError as error:
            found.append(error.problem)
    return tuple(found)


def compile_entry(document: Document, entry: Entry) -> tuple[CompiledOperation | None, tuple[Problem, ...]]:
    """One operation of a document, and what is wrong with it; with problems, no operation.

    Pointers lead into the document as it was written, whatever its version.
    """
    origin: Pointer = ("paths", entry.path)
    try:
        if document.parts is not None:
            document.parts.reached.clear()
            _, origin = follow(document.root, find(document.root, origin), origin)
        sliced = slice_operation(document, entry)
    except ProblemError as error:
        return None, (error.problem,)

    def home(pointer: Pointer) -> Pointer:
        """Where the path's item was written, if that is another file."""
        if document.parts is not None and pointer[:2] == ("paths", entry.path):
            return (*origin, *pointer[2:])
        return pointer

    lost, notes = lost_values(document, entry, sliced)
    if lost:
        return None, lost
    root, origins = sliced.root, swagger.Origins()
    if (anchors := document.anchors_of(root)) is not None:
        root = relinked(root, anchors)
    if document.version == swagger.VERSION:
        try:
            root, origins, left_out = swagger.upgraded(root, entry.path, entry.method.lower())
            notes += left_out
        except ProblemError as error:
            problem = error.problem._replace(pointer=home(error.problem.pointer))
            return None, (document.placed(problem),)
    one = Document(document.openapi, document.version, root)
    # names are resolved in each slice anew, so that a definition may mean something else in another one
    operation, problems = compile_operation(one, entry, None if document.named else document.shared)

    def placed(found: tuple[Problem, ...]) -> tuple[Problem, ...]:
        return tuple(document.placed(one._replace(pointer=original(one.pointer))) for one in found)

    def original(pointer: Pointer) -> Pointer:
        return home(origins.original(pointer))

    if operation is not None:
        pointers = {name: original(pointer) for name, pointer in operation.pointers.items()}
        notes += placed(operation.notes)
        operation = msgspec.structs.replace(
            operation,
            pointers=pointers,
            notes=notes,
            asked=next(iter(placed((operation.asked,) if operation.asked else ())), None),
            own_servers=next(iter(placed((operation.own_servers,) if operation.own_servers else ())), None),
            unusable_servers=placed(operation.unusable_servers),
        )
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

"""A document, the list of its operations, and the slice of it that one of them reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from ..source import SourceFile
from . import swagger
from .anchors import Anchors, has_anchors, index
from .decoding import decode
from .layout import Layout
from .lock import Locked
from .model import METHODS, Entry, Unread
from .overlay import Applied, apply_overlays
from .parts import Load, Parts
from .problem import PARTS, Duplicate, Pointer, Problem, ProblemError, find, follow, unsupported
from .security import scheme_words
from .servers import read_servers
from .sharing import Shared

_SUPPORTED: Final = re.compile(r"3\.[012](\.\d+(-[0-9A-Za-z.-]+)?)?")
#: Versions whose schemas have no names.
UNNAMED: Final = frozenset({"2.0", "3.0"})
#: Methods that came with a version of OpenAPI, by that version.
_SINCE: Final = {"trace": "3.0", "query": "3.2"}


@dataclass(frozen=True)
class Document:
    """An OpenAPI document. `version` is `2.0` to `3.2`, `openapi` as written. `named` tells of schemas with
    an `$id` or `$anchor`; of the keys in `duplicates` one of two values was lost.
    `overlaid` tells what overlays changed, `parts` are its other files, which stand in `root` as well."""

    openapi: str
    version: str
    root: dict[str, object]
    named: bool = False
    duplicates: tuple[Duplicate, ...] = ()
    overlaid: Applied | None = None
    parts: Parts | None = None
    shared: Shared = field(default_factory=Shared, compare=False)

    def placed(self, problem: Problem) -> Problem:
        """The problem at the place where somebody wrote its cause: in an overlay, if one did."""
        return self.overlaid.placed(problem) if self.overlaid is not None else problem

    def text(self, *path: str) -> str:
        """The string at `path`, empty if there is none."""
        try:
            value = find(self.root, path)
        except KeyError:
            return ""
        return value if isinstance(value, str) else ""

    def servers(self) -> tuple[str, ...]:
        """The usable base URLs of the whole document."""
        if self.version == swagger.VERSION:
            return read_servers(swagger.servers(self.root)).usable
        return read_servers(self.root.get("servers")).usable

    def security_schemes(self) -> dict[str, str]:
        """Each security scheme of the document with what it is, in words."""
        if self.version == swagger.VERSION:
            return scheme_words({"components": {"securitySchemes": swagger.security_schemes(self.root)}})
        return scheme_words(self.root)

    @cached_property
    def anchors(self) -> Anchors | None:
        """The schemas with a name in the main file; `None` if there is none or the version has no names."""
        if not self.named or self.version in UNNAMED:
            return None
        return index({key: value for key, value in self.root.items() if key != PARTS})

    def anchors_of(self, root: dict[str, object]) -> Anchors | None:
        """The same with those that are dynamic in the files of which a slice has something."""
        parts = root.get(PARTS)
        if self.parts is None or not isinstance(parts, dict):
            return self.anchors
        others = [(key, self.parts.anchors(key)) for key in parts]
        return (self.anchors or Anchors()).joined(others)


def load_document(name: str, data: bytes, overlays: Sequence[SourceFile] = ()) -> Document | Problem:
    """The document in `data`; JSON or YAML by its content. `name` decides only how broken text is reported.
    `overlays` are applied, in order, before anything of it is looked at.

    A document that is wrong in some other way is still returned: only what is used is looked at.
    """
    try:
        root, duplicates = decode(name, data)
    except ProblemError as error:
        return error.problem
    if not isinstance(root, dict):
        return Problem("AC701", "the file is not an OpenAPI document: it holds no object")
    for one in duplicates:
        if len(one.pointer) == 1 or (one.pointer[0] == "components" and len(one.pointer) == 2):
            return one.problem()
    named = any(has_anchors(text) for text in (data, *(one.data for one in overlays)))
    published = _document(root, named, duplicates)
    if not overlays:
        return published
    overlaid = apply_overlays(root, overlays)
    found = _document(overlaid.root, named, duplicates)
    return overlaid.placed(found) if isinstance(found, Problem) else replace(found, overlaid=overlaid)


def _document(root: dict[str, object], named: bool, duplicates: tuple[Duplicate, ...]) -> Document | Problem:
    keyword = "swagger" if "swagger" in root else "openapi"
    version = root.get(keyword)
    if isinstance(version, float):  # unquoted in YAML
        version = str(version)
    if not isinstance(version, str):
        return Problem("AC701", "the file is not an OpenAPI document: it has no `openapi` version")
    supported = version == swagger.VERSION if keyword == "swagger" else _SUPPORTED.fullmatch(version)
    if not supported:
        return Problem(
            "AC701",
            f"OpenAPI version `{version[:40]}` is not supported",
            (keyword,),
            "supported are Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2",
        )
    if not isinstance(root.get("paths", {}), dict):
        return Problem("AC701", "`paths` has to be an object", ("paths",))
    if named and version[:3] not in UNNAMED:
        Parts(Layout(""), _no_file, root, ids=True).link(root, "")
    return Document(version, version[:3], root, named, duplicates)


def _no_file(key: str) -> bytes:
    raise ProblemError(Problem("AC708", f"`{key[:120]}` is not a file of the document"))


def with_parts(document: Document, layout: Layout, load: Load) -> Document:
    """The document with its other files."""
    ids = document.version not in UNNAMED
    if document.overlaid is not None:
        published = document.overlaid.published
        Parts(layout, load, published if document.named else {}, ids=ids).link(published, layout.main)
    parts = Parts(layout, load, document.root if document.named else {}, ids=ids)
    parts.link(document.root, layout.main)
    return replace(document, root={**document.root, PARTS: parts}, parts=parts)


def with_lock(document: Document, file: SourceFile, lock: Locked | None) -> Document:
    """The document of `file` with the files of its lock. One that calls itself by its name has parts too."""
    if lock is None or not (lock.header.files or f"{lock.header.main}#".encode() in file.data):
        return document
    return with_parts(document, lock.header.layout, lock.load)


# --- operations ----------------------------------------------------------------------------------------


def entries(document: Document) -> tuple[tuple[Entry, ...], tuple[Unread, ...]]:
    """The operations of the document, in its order, and what stands in the way of others."""
    found: list[Entry] = []
    lost = (
        one
        for one in document.duplicates
        if one.pointer[0] == "paths" and (len(one.pointer) <= 3 or one.pointer[-1] == "operationId")
    )
    unread = [Unread(names=(), problem=one.problem()) for one in lost]
    paths = document.root.get("paths", {})
    for path, value in paths.items() if isinstance(paths, dict) else ():
        if not path.startswith("/"):
            if not path.startswith("x-"):
                unread += _misplaced(path, value)
            continue
        try:
            item, at = follow(document.root, value, ("paths", path))
        except ProblemError as error:
            unread.append(Unread(names=(), problem=error.problem))
            continue
        for key, operation in item.items() if isinstance(item, dict) else ():
            if key in METHODS and document.version >= _SINCE.get(key, ""):
                if not isinstance(operation, dict):
                    reason = unsupported("an operation has to be an object", (*at, key)).problem
                    unread.append(Unread(names=(f"{METHODS[key]} {path}",), problem=reason))
                    continue
                try:
                    name = _name(document, operation, (*at, key))
                except ProblemError as error:
                    unread.append(Unread(names=(), problem=error.problem))
                    continue
                found.append(Entry(operation_id=name, method=METHODS[key], path=path))
            elif key not in METHODS and key.lower() in METHODS:
                reason = unsupported(f"the method `{key}` has to be in lower case", (*at, key)).problem
                unread.append(Unread(names=_names(key, path, operation), problem=reason))
        if document.version == "3.2" and isinstance(item, dict):
            unread += _additional(document, item.get("additionalOperations"), path, at)
    return tuple(found), tuple(unread)


def _misplaced(path: str, item: object) -> Iterator[Unread]:
    """The operations of a key of `paths` that is no path."""
    problem = unsupported(f"the path `{path[:80]}` has to begin with `/`", ("paths", path)).problem
    methods = {key: one for key, one in item.items() if key in METHODS} if isinstance(item, dict) else {}
    for key, operation in methods.items():
        yield Unread(names=_names(key, path, operation), problem=problem)
    if not methods:
        yield Unread(names=(), problem=problem)


def _names(method: str, path: str, operation: object) -> tuple[str, ...]:
    name = operation.get("operationId") if isinstance(operation, dict) else None
    return tuple(one for one in (f"{method.upper()} {path}", name) if isinstance(one, str) and one)


def _name(document: Document, operation: object, at: Pointer) -> str | None:
    """The operationId. In a document of several files an operation may stand in one of its own.

    Raises:
        ProblemError: it can't be read.
    """
    if document.parts is not None:
        operation, _ = follow(document.root, operation, at)
    name = operation.get("operationId") if isinstance(operation, dict) else None
    return name if isinstance(name, str) and name else None


def _additional(document: Document, operations: object, path: str, at: Pointer) -> Iterator[Unread]:
    """Operations with a method of their own (OpenAPI 3.2): what such a method does is not known here."""
    for method, operation in operations.items() if isinstance(operations, dict) else ():
        place = (*at, "additionalOperations", method)
        try:
            name = _name(document, operation, place)
        except ProblemError as error:
            yield Unread(names=(), problem=error.problem)
            continue
        names = (f"{method} {path}", name)
        problem = unsupported(f"the method `{method[:40]}` is not supported", place).problem
        yield Unread(names=tuple(name for name in names if name), problem=problem)

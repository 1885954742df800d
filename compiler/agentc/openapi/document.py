"""Bytes to a document; a document to the list of its operations and the slice that one of them reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from .model import METHODS, Entry
from .position import duplicate_key
from .problem import Pointer, Problem, ProblemError, find, follow, parse_reference
from .servers import usable_servers
from .yamldata import YamlError, compose

_BOM: Final = b"\xef\xbb\xbf"
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
#: A quote or a colon, escaped.
_ESCAPED: Final = re.compile(rb"\\u00(?:22|3[aA])")
_SUPPORTED: Final = re.compile(r"3\.[01](\.\d+(-[0-9A-Za-z.-]+)?)?")
#: Below these keys stand names that somebody chose, not keywords.
_NAMED: Final = frozenset(
    {
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
        "schemas",
        "responses",
        "parameters",
        "requestBodies",
        "headers",
        "pathItems",
        "content",
        "encoding",
    }
)
_DATA: Final = frozenset({"example", "examples", "default", "enum", "const"})
_REFERENCE: Final = "#/"


@dataclass(frozen=True)
class Document:
    """An OpenAPI 3.0 or 3.1 document. `version` is `3.0` or `3.1`, `openapi` is as written."""

    openapi: str
    version: str
    root: dict[str, object]

    def text(self, *path: str) -> str:
        """The string at `path`, empty if there is none."""
        try:
            value = find(self.root, path)
        except KeyError:
            return ""
        return value if isinstance(value, str) else ""

    def servers(self) -> tuple[str, ...]:
        """The usable base URLs of the whole document."""
        return usable_servers(self.root.get("servers"))


def load_document(name: str, data: bytes) -> Document | Problem:
    """The document in `data`; JSON or YAML by its content. `name` decides only how broken text is reported.

    A document that is wrong in some other way is still returned: only what is used is looked at.
    """
    try:
        root = _decode(name, data.removeprefix(_BOM))
    except ProblemError as error:
        return error.problem
    if not isinstance(root, dict):
        return Problem("AC701", "the file is not an OpenAPI document: it holds no object")
    if "swagger" in root:
        return Problem(
            "AC701", "Swagger 2.0 documents are not supported", ("swagger",), "convert it to OpenAPI 3"
        )
    version = root.get("openapi")
    if isinstance(version, float):  # unquoted in YAML
        version = str(version)
    if not isinstance(version, str):
        return Problem("AC701", "the file is not an OpenAPI document: it has no `openapi` version")
    if not _SUPPORTED.fullmatch(version):
        return Problem(
            "AC701",
            f"OpenAPI version `{version[:40]}` is not supported",
            ("openapi",),
            "supported are 3.0 and 3.1",
        )
    if not isinstance(root.get("paths", {}), dict):
        return Problem("AC701", "`paths` has to be an object", ("paths",))
    return Document(version, version[:3], root)


def _decode(name: str, data: bytes) -> object:
    if not data.strip():
        raise _unreadable("the file is empty", 1, 1)
    if data.lstrip()[:1] in (b"{", b"["):
        try:
            value = msgspec.json.decode(data)
        except RecursionError:
            raise _unreadable("the document is nested too deeply", 1, 1) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if name.endswith(".json"):
                raise _bad_json(data, error) from None
            # a flow collection of YAML looks alike
        else:
            _refuse_duplicates(data, value)
            return value
    try:
        return compose(data)
    except YamlError as error:
        raise _unreadable(str(error), error.line, error.column) from None


def _refuse_duplicates(data: bytes, value: object) -> None:
    """A key that stands twice loses a value silently: the number of keys before and after tells.

    Counting is much faster than looking at each object. Escaped quotes and colons would count differently,
    so a text that has them is looked at.
    """
    if not _ESCAPED.search(data):
        minified = msgspec.json.format(data, indent=-1)
        if minified.count(b'":') == msgspec.json.encode(value).count(b'":'):
            return
    twice = duplicate_key(data)
    if twice is not None:
        key, place = twice
        raise ProblemError(Problem("AC701", f"an object has the key `{key[:80]}` twice", place=place))


def _bad_json(data: bytes, error: Exception) -> ProblemError:
    found = _BYTE.search(str(error))
    at = int(found[1]) if found else len(data)
    reason = str(error).partition(" (byte")[0]
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        at, reason = wrong.start, "not UTF-8"
    before = data[:at]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    message = f"the file is not JSON: {reason[:1].lower()}{reason[1:]}"
    return _unreadable(message, before.count(b"\n") + 1, column)


def _unreadable(message: str, line: int, column: int) -> ProblemError:
    return ProblemError(Problem("AC701", message, (), None, (line, column, column + 1)))


# --- operations ----------------------------------------------------------------------------------------


def entries(document: Document) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """The operations of the document, in its order, and the `$ref`s that may hide others."""
    found: list[Entry] = []
    unread: list[Problem] = []
    paths = document.root.get("paths", {})
    for path, value in paths.items() if isinstance(paths, dict) else ():
        if not path.startswith("/"):
            continue
        try:
            item, _ = follow(document.root, value, ("paths", path))
        except ProblemError as error:
            unread.append(error.problem)
            continue
        for key, operation in item.items() if isinstance(item, dict) else ():
            if key in METHODS and isinstance(operation, dict):
                name = operation.get("operationId")
                name = name if isinstance(name, str) and name else None
                found.append(Entry(operation_id=name, method=METHODS[key], path=path))
    return tuple(found), tuple(unread)


# --- slices --------------------------------------------------------------------------------------------


def slice_operation(document: Document, entry: Entry) -> Document:
    """A document with one operation and everything that it reaches, at the places where it stood.

    A path item that is a `$ref` stands in its own place. References that lead nowhere stay as they are.
    """
    root = document.root
    item, _ = follow(root, find(root, ("paths", entry.path)), ("paths", entry.path))
    assert isinstance(item, dict)
    method = entry.method.lower()
    kept = {key: value for key, value in item.items() if key in ("parameters", "servers", method)}
    operation = kept[method]
    kept[method] = {key: value for key, value in operation.items() if key != "callbacks"}
    sliced: dict[str, object] = {
        key: root[key] for key in ("openapi", "info", "servers", "security") if key in root
    }
    sliced["paths"] = {entry.path: kept}
    reached: dict[Pointer, object] = {}
    waiting: list[tuple[object, bool]] = [(kept, False)]
    for pointer in _schemes(document, operation):
        _reach(root, pointer, reached, waiting)
    while waiting:
        node, named = waiting.pop()
        if isinstance(node, list):
            waiting.extend((part, False) for part in node if isinstance(part, dict | list))
            continue
        if not isinstance(node, dict):
            continue
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REFERENCE):
            _reach(root, parse_reference(reference, ()), reached, waiting)
        for key, value in node.items():
            if isinstance(value, dict | list) and (named or not (key in _DATA or key.startswith("x-"))):
                waiting.append((value, not named and key in _NAMED))
    owned = {id(sliced), id(sliced["paths"]), id(kept)}
    for pointer in sorted(reached, key=len):
        _place(sliced, pointer, reached[pointer], owned)
    return Document(document.openapi, document.version, sliced)


def _schemes(document: Document, operation: object) -> Iterator[Pointer]:
    try:
        operation, _ = follow(document.root, operation, ())
    except ProblemError:
        return  # reported when the operation is compiled
    security = operation.get("security") if isinstance(operation, dict) else None
    if security is None:
        security = document.root.get("security")
    for requirement in security if isinstance(security, list) else ():
        for name in requirement if isinstance(requirement, dict) else ():
            yield ("components", "securitySchemes", name)


def _reach(
    root: dict[str, object],
    pointer: Pointer,
    reached: dict[Pointer, object],
    waiting: list[tuple[object, bool]],
) -> None:
    """Take in the component, or the nearest thing of that size, in which `pointer` lies."""
    wanted = pointer[: 3 if pointer[:1] in (("components",), ("paths",)) else 2]
    node: object = root
    for depth, step in enumerate(wanted):
        if isinstance(node, list):
            wanted = wanted[:depth]
            break
        if not isinstance(node, dict) or step not in node:
            return
        node = node[step]
    if wanted and wanted not in reached:
        reached[wanted] = node
        waiting.append((node, False))


def _place(sliced: dict[str, object], pointer: Pointer, value: object, owned: set[int]) -> None:
    """Put `value` at `pointer`. What belongs to the document is copied before it is changed."""
    node = sliced
    for step in pointer[:-1]:
        inner = node.get(step)
        if not isinstance(inner, dict) or id(inner) not in owned:
            inner = dict(inner) if isinstance(inner, dict) else {}
            owned.add(id(inner))
            node[step] = inner
        node = inner
    node.setdefault(pointer[-1], value)

"""The slice of a document that one of its operations reaches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from . import swagger
from .anchors import DATA, DYNAMIC, NAMED
from .document import Document
from .model import Entry
from .problem import PARTS, Pointer, Problem, ProblemError, find, follow, parse_reference

#: What a slice takes along whole: none of it grows with the number of operations.
KEPT: Final = (
    *("openapi", "info", "servers", "security"),
    *("swagger", "host", "basePath", "schemes", "consumes", "produces"),
)
#: Nothing of what is said here becomes a part of a tool.
_IDLE: Final = frozenset({"info", "tags", "externalDocs"})
_WORDS: Final = frozenset({"description", "summary", "title", "externalDocs"})
_REFERENCE: Final = "#/"


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
    return slice_item(document, entry.path, kept, operation)


def slice_item(document: Document, path: str, item: dict[str, object], operation: object) -> Document:
    """A document with the path item `item`, and everything that it and the security of `operation` reach."""
    root = document.root
    sliced: dict[str, object] = {key: root[key] for key in KEPT if key in root}
    sliced["paths"] = {path: item}
    reached: dict[Pointer, object] = {}
    following = [*_schemes(document, operation), *_links(document, item)]
    while following:
        wanted = _reach(root, following.pop(), reached)
        if wanted is not None:
            links = document.shared.links.get(wanted)
            if links is None:
                links = document.shared.links[wanted] = tuple(_links(document, reached[wanted]))
            following += links
    owned = {id(sliced), id(sliced["paths"]), id(item)}
    for pointer in sorted(reached, key=len):
        _place(sliced, pointer, reached[pointer], owned)
    return Document(document.openapi, document.version, sliced, document.named)


def _links(document: Document, node: object) -> Iterator[Pointer]:
    """Where the references in `node` lead, of those into the document."""
    waiting: list[tuple[object, bool]] = [(node, False)]
    while waiting:
        node, named = waiting.pop()
        if isinstance(node, list):
            waiting.extend((part, False) for part in node if isinstance(part, dict | list))
            continue
        if not isinstance(node, dict):
            continue
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_REFERENCE):
            yield parse_reference(reference, ())
        if not named and ("$dynamicRef" in node or "$recursiveRef" in node):
            yield from _dynamic(document, node)
        for key, value in node.items():
            if isinstance(value, dict | list) and (named or not (key in DATA or key.startswith("x-"))):
                waiting.append((value, not named and key in NAMED))


def lost_values(
    document: Document, entry: Entry, sliced: Document
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """The keys that stand twice in what an operation reaches: those that leave open what it says, and those
    of descriptions, which change nothing of what is sent."""
    if not document.duplicates:
        return (), ()
    at: Pointer = ("paths", entry.path)
    _, origin = follow(document.root, find(document.root, at), at)
    found: dict[str, list[Problem]] = {"meaning": [], "words": [], "nothing": []}
    for one in document.duplicates:
        # which of two references is followed to the path's item is not known either
        unsure = origin != at and one.pointer[-1] == "$ref"
        if unsure or _holds(sliced.root, one.pointer, origin, at):
            found[_says(one.pointer)].append(one.problem())
    return tuple(found["meaning"]), tuple(found["words"])


def _holds(root: object, pointer: Pointer, origin: Pointer, at: Pointer) -> bool:
    """Whether a slice, with the path's item from `origin` at `at`, holds what the document has there."""
    if pointer[: len(origin)] == origin:
        pointer = (*at, *pointer[len(origin) :])
    try:
        find(root, pointer)
    except KeyError:
        return False
    return True


def _says(pointer: Pointer) -> Literal["meaning", "words", "nothing"]:
    """What a value is for: nothing of examples and extensions is used."""
    if pointer[0] in _IDLE:
        return "nothing"
    named = False
    for step in pointer:
        if not named and (step in ("example", "examples") or step.startswith("x-")):
            return "nothing"
        is_name, named = named, not named and step in NAMED
    return "words" if not is_name and pointer[-1] in _WORDS else "meaning"


def _dynamic(document: Document, node: dict[str, object]) -> Iterator[Pointer]:
    """What the dynamic references of `node` may lead to."""
    reference = node.get("$dynamicRef")
    if isinstance(reference, str) and reference.startswith(DYNAMIC):
        yield parse_reference(reference.removeprefix(DYNAMIC), ())
    if node.get("$recursiveRef") == "#" and document.anchors is not None:
        yield from document.anchors.recursive


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
            if document.version == swagger.VERSION:
                yield ("securityDefinitions", name)
            else:
                yield ("components", "securitySchemes", name)


def _reach(root: dict[str, object], pointer: Pointer, reached: dict[Pointer, object]) -> Pointer | None:
    """Take in the component, or the nearest of that size, in which `pointer` lies; where, if it is new."""
    skipped = 2 if pointer[:1] == (PARTS,) else 0
    wanted = pointer[
        : skipped + (3 if pointer[skipped : skipped + 1] in (("components",), ("paths",)) else 2)
    ]
    node: object = root
    for depth, step in enumerate(wanted):
        if isinstance(node, list):
            wanted = wanted[:depth]
            break
        if not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
    if not wanted or wanted in reached:
        return None
    reached[wanted] = node
    return wanted


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

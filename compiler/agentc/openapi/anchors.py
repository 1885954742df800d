"""Schemas that are found by a name: `$id`, `$anchor`, `$dynamicRef` and `$recursiveRef`, inside one document.

Rewritten to JSON pointers before anything is compiled, so that nobody else has to know them. A dynamic
reference depends on how it was reached, unless only one schema can be meant: then it is rewritten as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from .problem import Pointer, ProblemError, find, parse_reference

#: Below these keys stand names that somebody chose, not keywords.
NAMED: Final = frozenset(
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
        "mediaTypes",
        "content",
        "encoding",
    }
)
#: Below these stands data, in which a `$ref` is none.
DATA: Final = frozenset({"example", "examples", "default", "enum", "const"})
_WORDS: Final = (b"$id", b"$anchor", b"$dynamicAnchor", b"$recursiveAnchor")


@dataclass
class Anchors:
    """The schemas of a document by their names.

    `places` holds, for each `$anchor` and `$dynamicAnchor`, the pointer of the resource that it belongs to
    and its own; `resources` the schemas with an `$id`. `dynamic` and `recursive` count those that a dynamic
    reference may lead to.
    """

    resources: dict[str, list[Pointer]] = field(default_factory=dict)
    places: dict[str, list[tuple[Pointer, Pointer]]] = field(default_factory=dict)
    dynamic: dict[str, list[Pointer]] = field(default_factory=dict)
    recursive: list[Pointer] = field(default_factory=list)

    def candidates(self, reference: str) -> Iterator[Pointer]:
        """Everything that a reference may lead to, so that a slice holds it."""
        base, _, fragment = reference.partition("#")
        yield from self.resources.get(base, ())
        yield from (place for _, place in self.places.get(fragment, ()))
        yield from self.dynamic.get(fragment, ())
        if reference == "#":
            yield from self.recursive


def has_anchors(data: bytes) -> bool:
    """Whether a text may name schemas; costs a few milliseconds for a very large one."""
    return any(word in data for word in _WORDS)


def index(root: dict[str, object]) -> Anchors:
    """The named schemas of a document."""
    found = Anchors()
    for node, pointer, resource in _objects(root):
        if isinstance(name := node.get("$id"), str):
            found.resources.setdefault(name, []).append(pointer)
        if isinstance(name := node.get("$anchor"), str):
            found.places.setdefault(name, []).append((resource, pointer))
        if isinstance(name := node.get("$dynamicAnchor"), str):
            found.places.setdefault(name, []).append((resource, pointer))
            found.dynamic.setdefault(name, []).append(pointer)
        if node.get("$recursiveAnchor") is True:
            found.recursive.append(pointer)
    return found


def relinked(root: dict[str, object], anchors: Anchors) -> dict[str, object]:
    """A slice in which every reference that names one schema is a JSON pointer. `root` is not changed."""
    changes: dict[int, dict[str, object]] = {}
    for node, pointer, resource in _objects(root):
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = node.get(keyword)
            if not isinstance(reference, str) or (keyword != "$ref" and "$ref" in node):
                continue
            if keyword == "$recursiveRef":
                target = _recursive(anchors, reference, pointer, resource)
            else:
                target = _target(root, anchors, keyword, reference, resource)
            if target is not None:
                changed = {key: value for key, value in node.items() if key != keyword}
                changes[id(node)] = {**changed, "$ref": "#" + _written(target)}
    return _replaced(root, changes) if changes else root


def _objects(root: dict[str, object]) -> Iterator[tuple[dict[str, object], Pointer, Pointer]]:
    """Every object that is no data and no map of names, with its pointer and that of its resource."""
    waiting: list[tuple[object, Pointer, Pointer, bool]] = [(root, (), (), False)]
    while waiting:
        node, pointer, resource, named = waiting.pop()
        if isinstance(node, dict):
            if not named:
                resource = pointer if isinstance(node.get("$id"), str) else resource
                yield node, pointer, resource
            for key, value in node.items():
                if isinstance(value, dict | list) and (named or not (key in DATA or key.startswith("x-"))):
                    waiting.append((value, (*pointer, key), resource, not named and key in NAMED))
        elif isinstance(node, list):
            for number, value in enumerate(node):
                if isinstance(value, dict | list):
                    waiting.append((value, (*pointer, str(number)), resource, False))


def _target(
    root: object, anchors: Anchors, keyword: str, reference: str, resource: Pointer
) -> Pointer | None:
    """The one schema that is meant; `None` if the reference is a pointer, or means none or several."""
    base, _, fragment = reference.partition("#")
    if base:
        resource = _only(anchors.resources.get(base, ())) or ()
        if not resource:
            return None
    if not fragment:
        return resource or None
    if fragment.startswith("/"):
        if not resource:
            return None
        try:
            inside = (*resource, *parse_reference(f"#{fragment}", ()))
            find(root, inside)
        except (KeyError, ProblemError):
            return None
        return inside
    if keyword == "$dynamicRef" and len(anchors.dynamic.get(fragment, ())) > 1:
        return None
    return _only([place for owner, place in anchors.places.get(fragment, ()) if owner == resource])


def _recursive(anchors: Anchors, reference: str, pointer: Pointer, resource: Pointer) -> Pointer | None:
    """The one schema that a `$recursiveRef` means (JSON Schema 2019-09, section 8.2.4.2).

    Documents give their schemas no `$id`: then it is the nearest around it with a `$recursiveAnchor`.
    """
    if reference != "#":
        return None
    if resource:
        several = resource in anchors.recursive and len(anchors.recursive) > 1
        return None if several else resource
    around = [place for place in anchors.recursive if pointer[: len(place)] == place]
    return max(around, key=len, default=None)


def _only(places: Iterable[Pointer]) -> Pointer | None:
    found = list(dict.fromkeys(places))
    return found[0] if len(found) == 1 else None


def _written(pointer: Pointer) -> str:
    return "".join("/" + step.replace("~", "~0").replace("/", "~1").replace("%", "%25") for step in pointer)


def _replaced(root: dict[str, object], changes: dict[int, dict[str, object]]) -> dict[str, object]:
    """A copy with the changed objects in place of the old ones; a value that is shared stays shared."""
    copies: dict[int, dict[str, object] | list[object]] = {}
    waiting: list[dict[str, object] | list[object]] = []

    def copied(value: object) -> object:
        if not isinstance(value, dict | list):
            return value
        if id(value) not in copies:
            copy = dict(changes.get(id(value), value)) if isinstance(value, dict) else list(value)
            copies[id(value)] = copy
            waiting.append(copy)
        return copies[id(value)]

    result = copied(root)
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            node.update({key: copied(value) for key, value in node.items()})
        else:
            node[:] = [copied(value) for value in node]
    assert isinstance(result, dict)
    return result

"""Schemas that are found by a name: `$id`, `$anchor`, `$dynamicRef` and `$recursiveRef`.

Rewritten to JSON pointers before anything is compiled, so that nobody else has to know them: what a name
means when its file is linked (`parts`), what is dynamic here, for one slice. A dynamic reference depends on
how it was reached, unless only one schema can be meant: then it is rewritten as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin

from .problem import PARTS, Pointer, find, parse_reference, written

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
#: Before the pointer of a `$dynamicRef` that was resolved as far as it can be without knowing the way to it.
DYNAMIC: Final = "agentc-dynamic:"
ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WORDS: Final = (b"$id", b"$anchor", b"$dynamicAnchor", b"$recursiveAnchor")


@dataclass
class Anchors:
    """The schemas of a document by their names.

    `places` holds, for each `$anchor` and `$dynamicAnchor`, the pointer of the resource that it belongs to
    and its own; `resources` the schemas with an `$id`, as written, and `absolute` those whose whole `$id` is
    known. `dynamic` and `recursive` count those that a dynamic reference may lead to.
    """

    absolute: dict[str, Pointer] = field(default_factory=dict)
    resources: dict[str, list[Pointer]] = field(default_factory=dict)
    places: dict[str, list[tuple[Pointer, Pointer]]] = field(default_factory=dict)
    dynamic: dict[str, list[Pointer]] = field(default_factory=dict)
    recursive: list[Pointer] = field(default_factory=list)

    def resource(self, said: str, base: str) -> Pointer | None:
        """The one schema whose `$id` is written so, or is that relative to the one around the reference."""
        found = _only(self.resources.get(said, ()))
        if found is None and base:
            try:
                found = self.absolute.get(urljoin(base, said))
            except ValueError:
                return None
        return found

    def place(self, name: str, resource: Pointer) -> Pointer | None:
        """The one schema of a resource that has this `$anchor` or `$dynamicAnchor`."""
        return _only([place for owner, place in self.places.get(name, ()) if owner == resource])

    def joined(self, others: Iterable[tuple[str, Anchors]]) -> Anchors:
        """With what is dynamic in other files, by their keys."""
        dynamic = {name: list(places) for name, places in self.dynamic.items()}
        recursive = list(self.recursive)
        for key, other in others:
            for name, places in other.dynamic.items():
                dynamic.setdefault(name, []).extend((PARTS, key, *place) for place in places)
            recursive += [(PARTS, key, *place) for place in other.recursive]
        return replace(self, dynamic=dynamic, recursive=recursive)


def has_anchors(data: bytes) -> bool:
    """Whether a text may name schemas; costs a few milliseconds for a very large one."""
    return any(word in data for word in _WORDS)


def index(root: object, *, part: bool = False) -> Anchors:
    """The named schemas of a file."""
    found = Anchors()
    for node, pointer, resource, base in _objects(root, part=part):
        if isinstance(name := node.get("$id"), str):
            found.resources.setdefault(name, []).append(pointer)
            if base:
                found.absolute.setdefault(base, pointer)
        if isinstance(name := node.get("$anchor"), str):
            found.places.setdefault(name, []).append((resource, pointer))
        if isinstance(name := node.get("$dynamicAnchor"), str):
            found.places.setdefault(name, []).append((resource, pointer))
            found.dynamic.setdefault(name, []).append(pointer)
        if node.get("$recursiveAnchor") is True:
            found.recursive.append(pointer)
    return found


def base_of(node: dict[str, object], base: str) -> str:
    """The absolute URI that the references in a schema are relative to, if it or one around it has an `$id`
    that says so (JSON Schema 2020-12, section 8.2.1)."""
    name = node.get("$id")
    if not isinstance(name, str):
        return base
    try:
        whole = urljoin(base, name.partition("#")[0])
    except ValueError:
        return base
    return whole if ABSOLUTE.match(whole) else base


def relinked(root: dict[str, object], anchors: Anchors) -> dict[str, object]:
    """A slice in which every dynamic reference to one schema is a JSON pointer. `root` is not changed."""
    changes: dict[int, dict[str, object]] = {}
    for node, pointer, resource, _ in _objects(root):
        for keyword in ("$dynamicRef", "$recursiveRef"):
            reference = node.get(keyword)
            if not isinstance(reference, str) or "$ref" in node:
                continue
            if keyword == "$recursiveRef":
                target = _recursive(anchors, reference, pointer, resource)
            else:
                target = _dynamic(root, anchors, reference)
            if target is not None:
                changed = {key: value for key, value in node.items() if key != keyword}
                changes[id(node)] = {**changed, "$ref": "#" + written(target)}
    return _replaced(root, changes) if changes else root


def _objects(
    root: object, *, part: bool = False
) -> Iterator[tuple[dict[str, object], Pointer, Pointer, str]]:
    """Every object that is no data and no map of names, with its pointer, that of its resource, and the
    absolute URI that it is relative to. At the top of a `part` the keys may be names."""
    waiting: list[tuple[object, Pointer, Pointer, str, bool, bool]] = [(root, (), (), "", False, part)]
    while waiting:
        node, pointer, resource, base, named, top = waiting.pop()
        if isinstance(node, dict):
            if not named:
                resource = pointer if isinstance(node.get("$id"), str) else resource
                base = base_of(node, base)
                yield node, pointer, resource, base
            for key, value in node.items():
                if not isinstance(value, dict | list):
                    continue
                if key == PARTS and not pointer and isinstance(value, dict):
                    for name, content in value.items():
                        waiting.append((content, (PARTS, name), (), "", False, True))
                elif named or top or not (key in DATA or key.startswith("x-")):
                    waiting.append(
                        (value, (*pointer, key), resource, base, not named and key in NAMED, False)
                    )
        elif isinstance(node, list):
            for number, value in enumerate(node):
                if isinstance(value, dict | list):
                    waiting.append((value, (*pointer, str(number)), resource, base, False, False))


def _dynamic(root: object, anchors: Anchors, reference: str) -> Pointer | None:
    """The one schema that a dynamic reference can mean, once it has been linked."""
    if not reference.startswith(DYNAMIC):
        return None
    pointer = parse_reference(reference.removeprefix(DYNAMIC), ())
    try:
        node = find(root, pointer)
    except KeyError:
        return None
    name = node.get("$dynamicAnchor") if isinstance(node, dict) else None
    places = anchors.dynamic.get(name, ()) if isinstance(name, str) else ()
    return pointer if list(places) == [pointer] else None


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

"""One document out of several files: what other files hold stands below a key of its own in the main one.

`$ref: models/ticket.yaml#/Ticket` becomes `#/x-agentc-files/models~1ticket.yaml/Ticket`, and so does a
reference by the name of a schema, in the same file or another. Whatever reads a document of one file then
reads one of many. Nothing is read here: a file comes from the function that is given, when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..source import SourceFile
from .anchors import DATA, DYNAMIC, NAMED, Anchors, base_of, has_anchors, index
from .decoding import decode
from .layout import Layout, Target
from .problem import PARTS, Pointer, Problem, ProblemError, escaped, find, parse_reference, written

#: The bytes of a file by its key. Raises `ProblemError`.
Load = Callable[[str], bytes]


class Reference(NamedTuple):
    """A reference in a file: the object that has it under `keyword`, where that is, the resource that it
    belongs to, and the `$id` that it is relative to."""

    node: dict[str, object]
    keyword: str
    said: str
    pointer: Pointer
    resource: Pointer
    base: str


def references(root: object, *, part: bool, ids: bool) -> Iterator[Reference]:
    """Every reference that is no data; `$dynamicRef`s and `$id`s only if the version has them (`ids`).

    At the top of a `part` the keys may be names: nothing there is data.
    """
    waiting: list[tuple[object, Pointer, Pointer, str, bool]] = [(root, (), (), "", part)]
    seen: set[int] = set()
    while waiting:
        node, at, resource, base, is_map = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting += [
                (one, (*at, str(number)), resource, base, False)
                for number, one in enumerate(node)
                if isinstance(one, dict | list)
            ]
        elif isinstance(node, dict):
            if ids and "$id" in node and (not is_map or not at):
                base = base_of(node, base)
                resource = at if isinstance(node["$id"], str) else resource
            for keyword in ("$ref", "$dynamicRef") if ids else ("$ref",):
                if isinstance(said := node.get(keyword), str) and not said.startswith(DYNAMIC):
                    yield Reference(node, keyword, said, at, resource, base)
            for key, value in node.items():
                if isinstance(value, dict | list) and (is_map or not (key in DATA or key.startswith("x-"))):
                    names = key in NAMED and (not is_map or not at)
                    waiting.append((value, (*at, key), resource, base, names))


class Parts(dict[str, object]):
    """The files of a document beside the main one, by key; each is loaded and linked when it is looked up.

    `main` is the main file, as far as it has schemas with names, and `ids` says whether the version has
    those. `reached` are the keys that were looked up, for who empties it between two questions. `complete`
    turns false when a file could not be loaded.
    """

    def __init__(self, layout: Layout, load: Load, main: object, *, ids: bool) -> None:
        super().__init__()
        self._layout = layout
        self._load = load
        self._ids = ids
        self._main = main
        self._loaded: dict[str, object] = {}
        self._anchors: dict[str, Anchors] = {}
        self.reached: set[str] = set()
        self.complete = True

    def __contains__(self, path: object) -> bool:
        return path in self._layout.known

    def __getitem__(self, path: str) -> object:
        """The file's content.

        Raises:
            ProblemError: it can't be loaded, or is neither JSON nor YAML that is read here.
        """
        self.reached.add(path)
        if not super().__contains__(path):
            content = self._content(path)
            super().__setitem__(path, content)
            self.link(content, path)
        return super().__getitem__(path)

    def anchors(self, path: str) -> Anchors:
        """The schemas with a name of a file, the main one among them.

        Raises:
            ProblemError: it can't be loaded.
        """
        if path not in self._anchors:
            if path == self._layout.main:
                self._anchors[path] = index(self._main)
            else:
                self._content(path)
        return self._anchors[path]

    def link(self, root: object, holder: str) -> None:
        """Rewrite, in place, the references of the file `holder` to files that are known.

        What leads elsewhere stays as it is, and is refused where something reaches it (AC704, AC708).
        """
        for one in references(root, part=holder != self._layout.main, ids=self._ids):
            try:
                self._relink(one, root, holder)
            except ProblemError:
                continue  # a file that can't be read is reported where something reaches it

    def _content(self, path: str) -> object:
        if path not in self._loaded:
            try:
                data = self._load(path)
                self._loaded[path] = part_content(path, data)
            except ProblemError:
                self.complete = False
                raise
            has_names = self._ids and has_anchors(data)
            self._anchors[path] = index(self._loaded[path], part=True) if has_names else Anchors()
        return self._loaded[path]

    def _relink(self, one: Reference, root: object, holder: str) -> None:
        """Rewrite one reference.

        Raises:
            ProblemError: the file that it leads to can't be read.
        """
        said, _, fragment = one.said.partition("#")
        place = self.anchors(holder).resource(said, one.base) if said and self._ids else None
        found = self._layout.target(one.said, holder, one.base)
        if place is not None:
            found = Target(holder, fragment, place)
        if isinstance(found, str) or not (found.path in (self._layout.main, holder) or found.path in self):
            return
        own = found.path == holder and place is None and not found.at
        if fragment and not fragment.startswith("/"):
            if not self._ids:
                return
            name = self.anchors(found.path).place(fragment, one.resource if own else found.at)
            if name is not None:
                dynamic = one.keyword == "$dynamicRef" and self._is_dynamic(found.path, name)
                self._point(one, found.path, written(name), dynamic=dynamic)
            return
        at = found.at
        if own and one.resource and _is_there(root, (*one.resource, *parse_reference(f"#{fragment}", ()))):
            at = one.resource
        self._point(one, found.path, written(at) + fragment, dynamic=False)

    def _is_dynamic(self, path: str, place: Pointer) -> bool:
        return any(place in places for places in self.anchors(path).dynamic.values())

    def _point(self, one: Reference, path: str, fragment: str, *, dynamic: bool) -> None:
        step = "" if path == self._layout.main else f"/{PARTS}/{escaped(path)}"
        if dynamic:
            one.node[one.keyword] = f"{DYNAMIC}#{step}{fragment}"
        elif one.keyword == "$ref":
            one.node["$ref"] = f"#{step}{fragment}"
        elif "$ref" not in one.node:  # a dynamic reference to something that is not is a plain one
            del one.node[one.keyword]
            one.node["$ref"] = f"#{step}{fragment}"


def _is_there(root: object, pointer: Pointer) -> bool:
    try:
        find(root, pointer)
    except KeyError:
        return False
    return True


def part_content(path: str, data: bytes) -> object:
    """What a file says.

    Raises:
        ProblemError: AC701 it is neither JSON nor YAML that is read here, or has a key twice.
    """
    try:
        value, duplicates = decode(path, data)
    except ProblemError as error:
        raise ProblemError(in_part(path, error.problem)) from None
    if duplicates:
        raise ProblemError(in_part(path, duplicates[0].problem()))
    return value


def in_part(path: str, problem: Problem) -> Problem:
    """A problem of a file as one of the document."""
    return problem._replace(pointer=(PARTS, path, *problem.pointer))


def source_of(
    problem: Problem, main: SourceFile, files: Callable[[str], SourceFile | None]
) -> tuple[SourceFile, Problem]:
    """The file that a problem of the document is about, and the problem as one of that file."""
    if problem.pointer[:1] == (PARTS,) and len(problem.pointer) > 1:
        file = files(problem.pointer[1])
        if file is not None:
            return file, problem._replace(pointer=problem.pointer[2:])
    return main, problem

"""One document out of several files: what other files hold stands below a key of its own in the main one.

`$ref: models/ticket.yaml#/Ticket` becomes `#/x-agentc-files/models~1ticket.yaml/Ticket`, and a reference
inside of another file is read relative to that file (OpenAPI 3.1.1, section 4.6). Whatever reads a document
of one file then reads one of many. Nothing is read here: a file comes from the function that is given,
when it is first needed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urljoin

from ..source import SourceFile
from .anchors import DATA, NAMED
from .decoding import decode
from .problem import Pointer, Problem, ProblemError

#: The key of the main document below which the other files stand, by their path from its folder.
PARTS: Final = "x-agentc-files"
SUFFIXES: Final = (".json", ".yaml", ".yml")
_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\:?*\"<>|]")

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

#: The bytes of a file by its key. Raises `ProblemError`.
Load = Callable[[str], bytes]


class Target(NamedTuple):
    """Where a reference leads: the key of a file and the fragment in it."""

    path: str
    fragment: str


@dataclass(frozen=True)
class Layout:
    """How the files of a document are called: by their path from the main one's folder, or by their URL.

    `main` is the main file's name, `base` the URL that it came from, if it did, and `known` are the keys of
    the other files, as far as they are known.
    """

    main: str
    base: str | None = None
    known: Container[str] = ()

    def target(self, reference: str, holder: str) -> Target | str:
        """The file that `reference` in the file `holder` leads to, or why that file is not read.

        Paths never lead out of the main document's folder. If it came from a URL, what is outside of its
        folder has a URL as well, and is called by that.
        """
        written, _, fragment = reference.partition("#")
        if not written:
            return Target(holder, fragment)
        path = unquote(written)
        if _SCHEME.match(path) or path.startswith("//") or is_url(holder):
            return self._by_url(written, fragment, holder)
        found = self._by_path(path, holder)
        if isinstance(found, str) and self.base is not None:
            return self._by_url(written, fragment, holder)
        return found if isinstance(found, str) else Target("/".join(found), fragment)

    def secure(self, holder: str) -> bool:
        """Whether a file came over https: then what it refers to has to as well."""
        at = holder if is_url(holder) else self.base
        return at is not None and at.startswith("https:")

    def _by_url(self, written: str, fragment: str, holder: str) -> Target | str:
        at = holder if is_url(holder) else None
        if at is None and self.base is not None:
            at = self.base if holder == self.main else urljoin(self.base, quote(holder))
        if at is None and not _SCHEME.match(written):
            return "it names a host without a scheme"
        try:
            url = urljoin(at or "", written)
        except ValueError:
            return "it is not a URL that can be read"
        if not is_url(url):
            return "only `http` and `https` URLs are followed"
        return Target(self.main if url == self.base else url, fragment)

    def _by_path(self, path: str, holder: str) -> list[str] | str:
        if path.startswith("/"):
            return "an absolute path is not followed"
        if _REFUSED.search(path):
            return "its path has a character that not every system knows"
        steps = posixpath.normpath(posixpath.join(posixpath.dirname(holder), path)).split("/")
        if steps[0] == "..":
            return "it leads out of the document's folder"
        if any(step.startswith(".") for step in steps):
            return "hidden files are not read"
        name = steps[-1].lower()
        if not name.endswith(SUFFIXES) or name.endswith(".lock.yaml") or name == "agentc.yaml":
            return (
                "a part of a document is a `.json`, `.yaml` or `.yml` file, and neither a lock nor a project"
            )
        return steps


def is_url(key: str) -> bool:
    """Whether a file of a document is called by a URL, and not by a path."""
    return key.lower().startswith(("http://", "https://"))


def references(root: object, *, part: bool) -> Iterator[tuple[dict[str, object], str, Pointer]]:
    """Every object with a `$ref` that is no data, the reference, and the object's pointer.

    At the top of a `part` the keys may be names: nothing there is data.
    """
    waiting: list[tuple[object, Pointer, bool]] = [(root, (), part)]
    seen: set[int] = set()
    while waiting:
        node, at, named = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting += [
                (one, (*at, str(index)), False)
                for index, one in enumerate(node)
                if isinstance(one, dict | list)
            ]
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                yield node, reference, at
            for key, value in node.items():
                if isinstance(value, dict | list) and (named or not (key in DATA or key.startswith("x-"))):
                    names = key in NAMED and (not named or not at)
                    waiting.append((value, (*at, key), names))


def link(root: object, holder: str, layout: Layout) -> None:
    """Rewrite, in place, the references of the file `holder` to files that are known.

    What leads elsewhere stays as it is, and is refused where something reaches it (AC708).
    """
    for node, reference, _ in references(root, part=holder != layout.main):
        found = layout.target(reference, holder)
        if isinstance(found, str) or (found.fragment and not found.fragment.startswith("/")):
            continue
        if found.path == layout.main:
            node["$ref"] = f"#{found.fragment}"
        elif found.path in layout.known:
            step = found.path.replace("~", "~0").replace("/", "~1").replace("%", "%25")
            node["$ref"] = f"#/{PARTS}/{step}{found.fragment}"


class Parts(dict[str, object]):
    """The files of a document beside the main one, by key; each is loaded and linked when it is looked up.

    `reached` are the keys that were looked up, for who empties it between two questions. `complete` turns
    false when one could not be loaded.
    """

    def __init__(self, layout: Layout, load: Load) -> None:
        super().__init__()
        self._layout = layout
        self._load = load
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
            try:
                super().__setitem__(path, part_content(path, self._load(path)))
            except ProblemError:
                self.complete = False
                raise
            link(super().__getitem__(path), path, self._layout)
        return super().__getitem__(path)


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

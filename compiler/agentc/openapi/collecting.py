"""The files of a document, from a folder or from the network: what `agentc import openapi` copies."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ..source import SourceFile
from .anchors import Anchors, has_anchors, index
from .document import UNNAMED, Document
from .layout import Layout, Target, is_url, named
from .parts import Reference, part_content, references
from .position import problem_span
from .problem import ImportProblem, Problem, ProblemError, written

MAX_FILES: Final = 5_000
#: References that are not followed and are shown with their place: finding it takes a look at the text.
MAX_SHOWN: Final = 10
MAX_BYTES: Final = 64 * 1024 * 1024
_SPEC: Final = re.compile(rb"apiVersion[\"']?\s*:\s*[\"']?agentc/")
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW

#: The bytes of a file by its key and a bound, or why it can't be read.
Fetch = Callable[[str, int], "bytes | str"]


class Collected(NamedTuple):
    """The other files of a document by key.

    `refused` are the first references that are not followed, in words with their place, and `unfollowed` is
    how many there are. `names` says where schemas are that files call by their `$id`, as `key#pointer`.
    """

    files: Mapping[str, bytes]
    refused: tuple[str, ...] = ()
    unfollowed: int = 0
    names: Mapping[str, str] = {}


def collect(main: SourceFile, layout: Layout, document: Document, fetch: Fetch) -> Collected:
    """Every file that the document `main`, called as `layout` says, reaches.

    Raises:
        ImportProblem: there are more than `MAX_FILES`, or they have more than `MAX_BYTES`.
    """
    collector = _Collector(main, layout, document, fetch)
    collector.run(document.root)
    return Collected(collector.files, tuple(collector.refused), collector.unfollowed, collector.names)


class _Collector:
    """Looks through file after file for references to others."""

    def __init__(self, main: SourceFile, layout: Layout, document: Document, fetch: Fetch) -> None:
        self.files: dict[str, bytes] = {}
        self.refused: list[str] = []
        self.unfollowed = 0
        self.names: dict[str, str] = {}
        self._layout = layout
        self._named = document.named
        self._ids = document.version not in UNNAMED
        self._fetch = fetch
        #: Why a file is not there, by its key; `None` if it is.
        self._done: dict[str, str | None] = {layout.main: None}
        self._left = MAX_BYTES - len(main.data)
        self._main = main
        self._waiting: deque[tuple[SourceFile, str, object]] = deque()
        #: References by a URI, which some file may say that it is called: looked at when all are there.
        self._later: deque[tuple[SourceFile, str, Reference]] = deque()
        #: The schemas with an absolute `$id`, as `key#pointer`.
        self._known: dict[str, str] = {}

    def run(self, root: object) -> None:
        """Collect, from the content of the main file on."""
        self._waiting.append((self._main, self._layout.main, root))
        while self._waiting or self._later:
            if self._waiting:
                self._scan(*self._waiting.popleft())
            else:
                self._by_name(*self._later.popleft())

    def _scan(self, file: SourceFile, holder: str, root: object) -> None:
        is_main = holder == self._layout.main
        named_here = self._ids and (self._named if is_main else has_anchors(file.data))
        anchors = index(root, part=not is_main) if named_here else Anchors()
        for name, pointer in anchors.absolute.items():
            self._known.setdefault(name, f"{holder}#{written(pointer)}")
        for one in references(root, part=not is_main, ids=self._ids):
            said = one.said.partition("#")[0]
            if self._ids and said and anchors.resource(said, one.base) is not None:
                continue
            if self._ids and named(said, one.base) is not None:
                self._later.append((file, holder, one))
            else:
                self._follow(file, holder, one, self._layout.target(one.said, holder, one.base))

    def _by_name(self, file: SourceFile, holder: str, one: Reference) -> None:
        """Follow a reference by a URI: to the schema that is called so, else to where it leads."""
        said = one.said.partition("#")[0]
        name = named(said, one.base)
        assert name is not None
        if name not in self._known and one.base:
            self._beside(holder, said, name)
        if name in self._known:
            self.names[name] = self._known[name]
            return
        self._follow(file, holder, one, self._layout.target(one.said, holder, one.base))

    def _beside(self, holder: str, said: str, name: str) -> None:
        """Take in the file that lies where a reference says, if it says that it is the one that is meant."""
        aim = self._layout.target(said, holder)
        if isinstance(aim, str) or aim.path in self._done:
            return
        data = self._fetch(aim.path, self._left)
        if isinstance(data, bytes) and name.encode() in data:
            self._done[aim.path] = self._taken(aim.path, data)
            while self._waiting:
                self._scan(*self._waiting.popleft())

    def _follow(self, file: SourceFile, holder: str, one: Reference, aim: Target | str) -> None:
        reason: str | None
        if isinstance(aim, str):
            reason = aim
        elif aim.path in self._done:
            self.unfollowed += self._done[aim.path] is not None
            return
        elif self._layout.secure(holder) and aim.path.startswith("http:"):
            reason = self._done[aim.path] = "a document that came over https may not refer to plain http"
        else:
            if len(self._done) > MAX_FILES:
                raise ImportProblem(f"{_place(file, one)}: the document has more than {MAX_FILES:,} files")
            data = self._fetch(aim.path, self._left)
            if isinstance(data, bytes) and len(data) > self._left:
                limit = MAX_BYTES // 1024 // 1024
                raise ImportProblem(f"{_place(file, one)}: the files have more than {limit} MiB")
            reason = data if isinstance(data, str) else self._taken(aim.path, data)
            self._done[aim.path] = reason
        if reason is not None:
            self.unfollowed += 1
            if self.unfollowed <= MAX_SHOWN:
                shown = f"`{one.keyword}` to `{one.said[:120]}` is not followed: {reason}"
                self.refused.append(f"{_place(file, one)}: {shown}")

    def _taken(self, path: str, data: bytes) -> str | None:
        """Take in a file; why not, if it can't be a part of a document."""
        if is_spec(data):
            return "it says that it is a spec of agentc"
        try:
            content = part_content(path, data)
        except ProblemError as error:
            return error.problem.message
        self._left -= len(data)
        self.files[path] = data
        self._waiting.append((SourceFile(path, data), path, content))
        return None


def is_spec(data: bytes) -> bool:
    """Whether a file would be read as a part of the project: a document must not bring permissions along."""
    return _SPEC.search(data) is not None


def _place(file: SourceFile, one: Reference) -> str:
    span = problem_span(file, Problem("AC708", "", (*one.pointer, one.keyword)))
    return f"{span.file}:{span.line}:{span.column}"


def from_folder(folder: Path) -> Fetch:
    """Files of a folder: regular ones, no links on the way, nothing outside."""

    def fetch(path: str, limit: int) -> bytes | str:
        if is_url(path):
            return "a URL is not followed"
        at = folder
        for step in path.split("/"):
            at = at / step
            try:
                if at.is_symlink():
                    return "it is, or lies behind, a symbolic link"
            except OSError as error:
                return error.strerror or "it can't be read"
        try:
            handle = os.open(at, _FLAGS)
            with os.fdopen(handle, "rb", closefd=True) as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    return "it is not a regular file"
                return stream.read(limit + 1)
        except IsADirectoryError:
            return "it is a folder"
        except FileNotFoundError:
            return "there is no such file"
        except OSError as error:
            return error.strerror or "it can't be read"

    return fetch

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
from .document import Document
from .parts import Layout, is_url, part_content, references
from .position import problem_span
from .problem import ImportProblem, Pointer, Problem, ProblemError

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
    how many there are.
    """

    files: Mapping[str, bytes]
    refused: tuple[str, ...] = ()
    unfollowed: int = 0


def collect(main: SourceFile, layout: Layout, document: Document, fetch: Fetch) -> Collected:
    """Every file that the document `main`, called as `layout` says, reaches.

    Raises:
        ImportProblem: there are more than `MAX_FILES`, or they have more than `MAX_BYTES`.
    """
    files: dict[str, bytes] = {}
    refused: list[str] = []
    count = 0
    #: Why a file is not there, by its key; `None` if it is.
    done: dict[str, str | None] = {layout.main: None}
    left = MAX_BYTES - len(main.data)
    waiting: deque[tuple[SourceFile, str, object]] = deque([(main, layout.main, document.root)])
    while waiting:
        file, holder, root = waiting.popleft()
        for _, reference, pointer in references(root, part=holder != layout.main):
            aim = layout.target(reference, holder)
            if isinstance(aim, str):
                reason: str | None = aim
            elif aim.path in done:
                count += done[aim.path] is not None
                continue
            elif layout.secure(holder) and aim.path.startswith("http:"):
                reason = done[aim.path] = "a document that came over https may not refer to plain http"
            else:
                if len(done) > MAX_FILES:
                    place = _place(file, pointer)
                    raise ImportProblem(f"{place}: the document has more than {MAX_FILES:,} files")
                data = fetch(aim.path, left)
                if isinstance(data, bytes):
                    left -= len(data)
                    if left < 0:
                        limit = MAX_BYTES // 1024 // 1024
                        raise ImportProblem(f"{_place(file, pointer)}: the files have more than {limit} MiB")
                reason = data if isinstance(data, str) else _taken(aim.path, data, files, waiting)
                done[aim.path] = reason
            if reason is not None:
                count += 1
                if count <= MAX_SHOWN:
                    shown = f"`$ref` to `{reference[:120]}` is not followed: {reason}"
                    refused.append(f"{_place(file, pointer)}: {shown}")
    return Collected(files, tuple(refused), count)


def _taken(
    path: str, data: bytes, files: dict[str, bytes], waiting: deque[tuple[SourceFile, str, object]]
) -> str | None:
    """Take in a file; why not, if it can't be a part of a document."""
    if is_spec(data):
        return "it says that it is a spec of agentc"
    try:
        content = part_content(path, data)
    except ProblemError as error:
        return error.problem.message
    files[path] = data
    waiting.append((SourceFile(path, data), path, content))
    return None


def is_spec(data: bytes) -> bool:
    """Whether a file would be read as a part of the project: a document must not bring permissions along."""
    return _SPEC.search(data) is not None


def _place(file: SourceFile, pointer: Pointer) -> str:
    span = problem_span(file, Problem("AC708", "", (*pointer, "$ref")))
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

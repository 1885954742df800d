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
from .document import Document, entries, with_parts
from .parts import part_content, references, target
from .position import problem_span
from .problem import Pointer, Problem, ProblemError, find, follow
from .slicing import slice_operation

MAX_FILES: Final = 5_000
#: References that are not followed and are shown with their place: finding it takes a look at the text.
MAX_SHOWN: Final = 10
MAX_BYTES: Final = 64 * 1024 * 1024
_SPEC: Final = re.compile(rb"apiVersion[\"']?\s*:\s*[\"']?agentc/")
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW

#: The bytes of a file by its path from the main document's folder and a bound, or why it can't be read.
Fetch = Callable[[str, int], "bytes | str"]


class CollectError(Exception):
    """The document has too many files, or too large ones. The message has a place."""


class Collected(NamedTuple):
    """The other files of a document by path.

    `refused` are the first references that are not followed, in words with their place, and `unfollowed` is
    how many there are.
    """

    files: Mapping[str, bytes]
    refused: tuple[str, ...] = ()
    unfollowed: int = 0


def collect(main: SourceFile, name: str, document: Document, fetch: Fetch) -> Collected:
    """Every file that the document `main`, called `name` in its folder, reaches.

    Raises:
        CollectError: there are more than `MAX_FILES`, or they have more than `MAX_BYTES`.
    """
    files: dict[str, bytes] = {}
    refused: list[str] = []
    count = 0
    done = {name}
    left = MAX_BYTES - len(main.data)
    waiting: deque[tuple[SourceFile, str, object]] = deque([(main, name, document.root)])
    while waiting:
        file, holder, root = waiting.popleft()
        for _, reference, pointer in references(root, part=holder != name):
            aim = target(reference, holder)
            reason = aim if isinstance(aim, str) else None
            if not isinstance(aim, str):
                path = aim.path
                if path in done:
                    continue
                done.add(path)
                if len(done) > MAX_FILES + 1:
                    place = _place(file, pointer)
                    raise CollectError(f"{place}: the document has more than {MAX_FILES:,} files")
                data = fetch(path, left)
                if isinstance(data, str):
                    reason = data
                else:
                    left -= len(data)
                    if left < 0:
                        limit = MAX_BYTES // 1024 // 1024
                        raise CollectError(f"{_place(file, pointer)}: the files have more than {limit} MiB")
                    reason = _taken(path, data, files, waiting)
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


def used_slice(
    document: Document, name: str, files: Mapping[str, bytes], wanted: frozenset[str]
) -> dict[str, object]:
    """What the operations named in `wanted` say, with all that they reach."""
    whole = with_parts(document, name, files.keys(), lambda path: files[path])
    merged: dict[str, object] = {}
    for entry in entries(whole)[0]:
        if entry.operation_id in wanted or f"{entry.method} {entry.path}" in wanted:
            try:
                follow(whole.root, find(whole.root, ("paths", entry.path)), ())
                _merge(merged, slice_operation(whole, entry).root)
            except ProblemError:
                continue  # `validate` says what is wrong with the operation
    return merged


def _merge(into: dict[str, object], other: dict[str, object]) -> None:
    waiting = [(into, other)]
    while waiting:
        one, two = waiting.pop()
        for key, value in two.items():
            known = one.setdefault(key, value)
            if known is not value and isinstance(known, dict) and isinstance(value, dict):
                copy = dict(known)
                one[key] = copy
                waiting.append((copy, value))

"""Compiled operations on disk, so that a large document is parsed once and not with every run.

One folder for each document and version of this package, one file for each operation. A file starts with the
digest of the rest; whatever does not fit is taken as absent and written anew. The digest finds damage, not
malice: whoever may write into the folder decides what is read from it, so a release is built without one.
"""

from __future__ import annotations

import gc
import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

import agentc_runtime

from .model import CompiledOperation, Entry, Unread, Value
from .problem import Problem

V = TypeVar("V", bound=Value)


class Index(Value, frozen=True, kw_only=True):
    """What is known of a document as a whole. `unread` tells why some operations could not be.

    `overlay_problems` are those of the overlays as such, not of what they led to.
    """

    openapi: str
    title: str
    version: str
    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...]
    security_schemes: dict[str, str]
    servers: tuple[str, ...]
    overlay_problems: tuple[Problem, ...] = ()


class Outcome(Value, frozen=True, kw_only=True):
    """What became of one operation; `files` are those that it reaches beside the main one."""

    entry: Entry
    operation: CompiledOperation | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()


class Shown(Value, frozen=True, kw_only=True):
    """The text that a lock shows."""

    text: str


class Cache:
    """The entries of one document. Nothing here raises: a cache that fails only costs time."""

    def __init__(self, folder: Path, digests: Sequence[str]) -> None:
        """`digests` are those of the document and of its overlays, in order."""
        self._folder = folder / "openapi" / f"{_key(digests)[:32]}-{_stamp()}"

    def index(self) -> Index | None:
        """The document's index."""
        return self._read("index", Index)

    def outcome(self, entry: Entry) -> Outcome | None:
        """What is kept of an operation."""
        outcome = self._read(_name(entry), Outcome)
        return outcome if outcome is not None and outcome.entry == entry else None

    def keep_index(self, index: Index) -> None:
        """Keep the document's index."""
        self._write("index", index)

    def keep_outcome(self, outcome: Outcome) -> None:
        """Keep what became of an operation."""
        self._write(_name(outcome.entry), outcome)

    def shown(self, operations: frozenset[str] | None) -> str | None:
        """What a lock has to show of some operations."""
        found = self._read(_shown_name(operations), Shown) if operations is not None else None
        return found.text if found is not None else None

    def keep_shown(self, operations: frozenset[str], text: str) -> None:
        """Keep what a lock has to show."""
        self._write(_shown_name(operations), Shown(text=text))

    def _read(self, name: str, kind: type[V]) -> V | None:
        try:
            data = (self._folder / f"{name}.json").read_bytes()
        except OSError:
            return None
        digest, _, content = data.partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return None
        collecting = gc.isenabled()
        gc.disable()  # a large schema is many values and no cycle: the collector would only walk them
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, RecursionError):
            return None
        finally:
            if collecting:
                gc.enable()

    def _write(self, name: str, value: Value) -> None:
        content = msgspec.json.encode(value)
        data = hashlib.sha256(content).hexdigest().encode() + b"\n" + content
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, staging = tempfile.mkstemp(dir=self._folder)
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(staging, self._folder / f"{name}.json")
        except OSError:
            Path(staging).unlink(missing_ok=True)


def _key(digests: Sequence[str]) -> str:
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _name(entry: Entry) -> str:
    """A file name for an operation: no name of a document ever becomes part of a path."""
    return hashlib.sha256(f"{entry.method} {entry.path}".encode(errors="surrogatepass")).hexdigest()[:32]


def _shown_name(operations: frozenset[str]) -> str:
    said = "\n".join(sorted(operations)).encode(errors="surrogatepass")
    return f"shown-{hashlib.sha256(said).hexdigest()[:32]}"


@cache
def _stamp() -> str:
    """Changes with the code that compiles, so that an old entry is never taken for a new one."""
    digest = hashlib.sha256()
    package, runtime = Path(__file__).parent, Path(agentc_runtime.__file__).parent
    shared = [
        runtime / name for name in ("bundle.py", "environments.py", "media.py", "urls.py", "violations.py")
    ]
    sources = [*package.glob("*.py"), package.parent / "schematypes.py", *shared]
    for source in sorted(sources):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()[:16]

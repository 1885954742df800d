"""What operators say to workers, and workers to operators: small documents by name, in a folder that all see.

Changes take turns, appear whole, and are in an audit log beside them, in which nothing can be changed unseen.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ..store import Store, StoreError
from ..switches import ControlError
from ..whole import write_whole

MAX_DOCUMENT_BYTES: Final = 1024 * 1024
#: What audit records of operators have in place of a run.
OPERATOR: Final = "control"


class Seen(NamedTuple):
    """A document, `None` if there is none, and what changes when it does."""

    data: bytes | None
    stamp: object


class Control(Protocol):
    """Where switches and what workers report are kept."""

    def read(self, name: str, last: Seen | None = None) -> Seen:
        """The document of that name; `last` itself where it has not changed since.

        Raises:
            ControlError: it can't be read.
        """

    def change(
        self, name: str, new: Callable[[bytes | None], bytes | None], kind: str, said: Mapping[str, object]
    ) -> None:
        """Put `new` of the document in its place, and record it in the audit log under `kind`.

        Where `new` gives nothing, nothing is changed.

        Raises:
            ControlError: it can't be changed. Then it is as it was.
        """

    def put(self, name: str, data: bytes) -> None:
        """Put a document there that one worker alone writes.

        Raises:
            ControlError: it can't be written.
        """

    def names(self, prefix: str) -> list[str]:
        """The names of the documents that begin so, sorted.

        Raises:
            ControlError: they can't be listed.
        """


class FolderControl:
    """The control in a folder of the machine, or of a disk that several machines share."""

    def __init__(self, root: Path) -> None:
        """The folder has to exist: one that is not mounted must not look like one where all is well.

        Raises:
            ControlError: it does not.
        """
        self._root = root
        if not root.is_dir():
            raise ControlError(f"`{root}` is not a folder: make it, or name the one that operators write to")

    def read(self, name: str, last: Seen | None = None) -> Seen:
        """As `Control.read`; one `stat` when nothing has changed."""
        path = self._path(name)
        with self._reporting(path):
            try:
                stamp = _stamp(path)
                if last is not None and stamp == last.stamp:
                    return last
                with path.open("rb") as file:
                    stamp = _stamp_of(os.fstat(file.fileno()))
                    data = file.read(MAX_DOCUMENT_BYTES + 1)
            except FileNotFoundError:
                # is it the document that is missing, or everything?
                self._root.stat()
                return Seen(None, None)
        if len(data) > MAX_DOCUMENT_BYTES:
            raise ControlError(f"`{path}` is larger than {MAX_DOCUMENT_BYTES} bytes")
        return Seen(data, stamp)

    def change(
        self, name: str, new: Callable[[bytes | None], bytes | None], kind: str, said: Mapping[str, object]
    ) -> None:
        """As `Control.change`. The record is written first: what is done is never without one."""
        path = self._path(name)
        with self._reporting(path), self._turn():
            data = new(self.read(name).data)
            if data is None:
                return
            path.parent.mkdir(exist_ok=True)
            with Store(self._root / "audit.db") as store:
                store.record(OPERATOR, kind, said)
            write_whole(path, data)

    def put(self, name: str, data: bytes) -> None:
        """As `Control.put`."""
        path = self._path(name)
        with self._reporting(path):
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data)

    def names(self, prefix: str) -> list[str]:
        """As `Control.names`."""
        with self._reporting(self._root):
            found = [path.relative_to(self._root) for path in self._root.glob(f"{prefix}*.json")]
        return sorted(path.with_suffix("").as_posix() for path in found)

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.json"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with (self._root / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _reporting(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise ControlError(f"`{path}`: {reason}") from error
        except StoreError as error:
            raise ControlError(str(error)) from error


def _stamp(path: Path) -> tuple[int, ...]:
    return _stamp_of(path.stat())


def _stamp_of(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_mtime_ns, status.st_size)

"""A folder as an origin: bundles by digest, pointers by channel and agent. Any web server can serve it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..archive import MAX_ARCHIVE_BYTES
from ..whole import write_whole
from .channel import MAX_POINTER_BYTES
from .origin import MissingError, OriginError, Pointed, bundle_path, pointer_path


class FolderOrigin:
    """The origin in a folder. Files appear in it whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def pointer(self, channel: str, agent: str, known: str | None) -> Pointed | None:
        """As `Origin.pointer`; the tag is the sha256 of the file."""
        data = self._read(pointer_path(channel, agent), MAX_POINTER_BYTES)
        tag = hashlib.sha256(data).hexdigest()
        return None if tag == known else Pointed(data, tag)

    def archive(self, digest: str) -> bytes:
        """As `Origin.archive`."""
        return self._read(bundle_path(digest), MAX_ARCHIVE_BYTES)

    def push_bundle(self, digest: str, archive: bytes) -> None:
        """As `Publisher.push_bundle`."""
        self._write(bundle_path(digest), archive)

    def push_pointer(self, channel: str, agent: str, envelope: bytes) -> None:
        """As `Publisher.push_pointer`."""
        self._write(pointer_path(channel, agent), envelope)

    def _read(self, name: str, limit: int) -> bytes:
        path = self._root / name
        try:
            # what is not a plain file may never end
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                if not path.is_file():
                    raise OriginError(f"`{path}` is not a plain file")
                data = file.read(limit + 1)
        except OSError as error:
            kind = MissingError if isinstance(error, FileNotFoundError) else OriginError
            raise kind(f"can't read `{path}`: {(error.strerror or 'unknown error').lower()}") from error
        if len(data) > limit:
            raise OriginError(f"`{path}` is larger than {limit} bytes")
        return data

    def _write(self, name: str, data: bytes) -> None:
        path = self._root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise OriginError(
                f"can't write `{path}`: {(error.strerror or 'unknown error').lower()}"
            ) from error

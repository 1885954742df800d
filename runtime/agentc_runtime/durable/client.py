"""The engine's own records of runs, changed from a process that carries out none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import sqlalchemy
from dbos import DBOSClient
from dbos import error as dbos_error

from .ledgers import engine_url


def stop(url: str, run_id: str) -> None:
    """Let the process that carries out the run know that it is to stop."""
    with _client(url) as client:
        client.cancel_workflow(run_id)


def forget(url: str, run_ids: Sequence[str]) -> None:
    """Delete what the engine has kept of the runs: turns of models among it."""
    with _client(url) as client:
        client.delete_workflows(list(run_ids))


@contextmanager
def _client(url: str) -> Iterator[DBOSClient]:
    """A client; where the engine has never been in the database there is nothing to be done."""
    client = DBOSClient(
        system_database_url=engine_url(url), application_name="agentc", retry_connection_errors=False
    )
    try:
        with suppress(dbos_error.DBOSNonExistentWorkflowError):
            try:
                yield client
            except sqlalchemy.exc.DatabaseError as error:
                said = str(error)
                if "no such table" not in said and "UndefinedTable" not in said:
                    raise
    finally:
        client.destroy()

"""DBOS under a store: it queues runs, gives each to one process, and has those of dead processes run again.

One workflow is one run, under the run's id, and the run's steps are in the store. A run that waits cancels
its workflow, which then holds nothing; resuming it queues it again. What the store says of a run decides, and
workers make the engine follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import json
import logging
import secrets as randomness
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID, WorkflowHandleAsync, WorkflowStatus
from dbos import error as dbos_error

from .ledgers import engine_url

T = TypeVar("T")

#: Workers take runs from here. Of the version only runs whose steps this code can run again are taken up.
QUEUE: Final = "agentc"
VERSION: Final = "agentc-durable-1"
WORKFLOW: Final = "agentc.run"
#: Seconds between two looks into the queue.
POLL: Final = 0.5
#: Seconds between two looks of the engine for messages, which runs do not use: its end waits for one.
LISTEN: Final = 0.05


class Driver(Protocol):
    """Who carries out a run."""

    async def drive(self, run_id: str) -> str:
        """Carry out the run as far as it goes, and say what became of it."""


class _Json(Serializer):
    """What the engine keeps is JSON: a pickle would be run by whoever reads it."""

    def serialize(self, data: object) -> str:
        if isinstance(data, BaseException):
            data = {"error": str(data)}
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> object:
        value: object = json.loads(serialized_data)
        return value

    def name(self) -> str:
        return "agentc_json"


class _Quiet(logging.Filter):
    """Drops what the engine says about runs that stop to wait, or as Ctrl-C asks: it calls that an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        expected = kind is not None and issubclass(kind, dbos_error.DBOSAwaitedWorkflowCancelledError)
        said = record.getMessage()
        return not (
            expected
            or "Waiting for the recorded outcome" in said
            or said.startswith("Asyncio task cancelled")
        )


_QUIET: Final = _Quiet()


class _Current:
    """The driver of this process: the engine calls workflows as plain functions."""

    driver: Driver | None = None


@DBOS.workflow(name=WORKFLOW)
async def _workflow(run_id: str) -> str:
    if _Current.driver is None:
        raise RuntimeError("no driver: the engine was started without one")
    return await _Current.driver.drive(run_id)


def new_worker() -> str:
    """A fresh name for a process."""
    return randomness.token_hex(8)


@contextlib.contextmanager
def running(url: str, driver: Driver, worker: str, *, queues: tuple[str, ...] = ()) -> Iterator[None]:
    """The engine of this process, by its name among the workers, while the block lasts.

    It takes runs from `queues`. Runs that it carries out at the end stay unfinished, and are taken over.
    """
    _Current.driver = driver
    config: DBOSConfig = {
        "name": "agentc",
        "system_database_url": engine_url(url),
        "application_version": VERSION,
        "executor_id": worker,
        "serializer": _Json(),
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": LISTEN,
    }
    DBOS(config=config)
    logging.getLogger("dbos").addFilter(_QUIET)
    try:
        DBOS.listen_queues(list(queues))
        DBOS.launch()
        yield
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)
        _Current.driver = None


async def start_here(run_id: str) -> None:
    """Carry out a new run in this process, and return when it is over or waits."""
    with SetWorkflowID(run_id):
        handle = await DBOS.start_workflow_async(_workflow, run_id)
    await _finished(handle.get_result())


async def resume_here(run_id: str, queue: str) -> None:
    """Carry out a run again in this process, which alone listens to `queue`."""
    await outside(DBOS.resume_workflow, run_id, queue_name=queue)
    handle: WorkflowHandleAsync[str] = await DBOS.retrieve_workflow_async(run_id)
    await _finished(handle.get_result(polling_interval_sec=0.1))


async def _finished(result: Awaitable[object]) -> None:
    try:
        await result
    except dbos_error.DBOSAwaitedWorkflowCancelledError:
        return  # it waits: the store says for what


def open_queue(concurrency: int) -> None:
    """Let this process take up to `concurrency` runs at once from the queue of all workers."""
    DBOS.register_queue(
        QUEUE, worker_concurrency=concurrency, polling_interval_sec=POLL, on_conflict="always_update"
    )


def hand_over(run_ids: Sequence[str]) -> None:
    """Queue runs for the workers: new ones, and those that have stopped."""
    if not run_ids:
        return
    known = [one.workflow_id for one in _workflows(run_ids)]
    for run_id in run_ids:
        if run_id not in known:
            with SetWorkflowID(run_id):
                DBOS.enqueue_workflow(QUEUE, _workflow, run_id)
    if known:
        DBOS.resume_workflows(known, queue_name=QUEUE)


def take_over(worker: str) -> list[str]:
    """Queue the runs again that a dead process was carrying out, and say which."""
    found = DBOS.list_workflows(
        status="PENDING", executor_id=worker, load_input=False, load_output=False, name=WORKFLOW
    )
    run_ids = [one.workflow_id for one in found]
    if run_ids:
        DBOS.resume_workflows(run_ids, queue_name=QUEUE)
    return run_ids


def holder_of(run_id: str) -> str | None:
    """The process that carries out the run, as far as the engine knows."""
    return next((one.executor_id for one in _workflows([run_id]) if one.status == "PENDING"), None)


def carried_out_by(limit: int) -> set[str]:
    """The processes that the engine believes to carry out runs."""
    found = DBOS.list_workflows(
        status="PENDING", load_input=False, load_output=False, name=WORKFLOW, limit=limit
    )
    return {one.executor_id for one in found if one.executor_id is not None}


def stopped(run_ids: Sequence[str]) -> list[str]:
    """Those of the runs that the engine neither carries out nor has in a queue."""
    going = {one.workflow_id for one in _workflows(run_ids) if one.status in ("PENDING", "ENQUEUED")}
    return [run_id for run_id in run_ids if run_id not in going]


def _workflows(run_ids: Sequence[str]) -> list[WorkflowStatus]:
    return DBOS.list_workflows(workflow_ids=list(run_ids), load_input=False, load_output=False)


async def stop_workflow(run_id: str) -> None:
    """End the workflow that carries out the run, from inside or outside of it."""
    await outside(DBOS.cancel_workflow, run_id)


async def outside(function: Callable[..., T], *args: object, **named: object) -> T:
    """Call the engine's `function` in a thread, and not as a step of the workflow that runs here."""
    call = functools.partial(contextvars.Context().run, function, *args, **named)
    return await asyncio.get_running_loop().run_in_executor(None, call)

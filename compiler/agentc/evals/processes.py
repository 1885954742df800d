"""Runs spread over processes: replaying is all computing, and one process has one core.

Only what asks nobody is spread: connections, recorders and judges belong to one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Final, TypeVar

#: Jobs from which on a process is worth its start.
_WORTH: Final = 150
MOST: Final = 8
_DONE: Final = b""

Job = TypeVar("Job")


def processes_for(jobs: int) -> int:
    """How many processes to spread so many jobs over: one where a process can't be forked."""
    if sys.platform != "linux":
        return 1
    return max(1, min(MOST, len(os.sched_getaffinity(0)), jobs // _WORTH))


def spread(
    work: Callable[[Sequence[Job], Callable[[bytes], None]], None], jobs: Sequence[Job], count: int
) -> Iterator[bytes]:
    """What `work` tells of its jobs, as it comes: each process gets every `count`-th job.

    Raises:
        RuntimeError: a process ended before its work did.
    """
    context = multiprocessing.get_context("fork")
    children = []
    open_: list[Connection] = []
    try:
        for number in range(count):
            ours, theirs = context.Pipe(duplex=False)
            arguments = (work, jobs[number::count], theirs, (*open_, ours))
            child = context.Process(target=_child, args=arguments, daemon=True)
            child.start()
            theirs.close()
            children.append(child)
            open_.append(ours)
        while open_:
            for ready in wait(open_):
                assert isinstance(ready, Connection)
                try:
                    said = ready.recv_bytes()
                except EOFError as error:
                    raise RuntimeError("a process of the eval ended before its work did") from error
                if said == _DONE:
                    open_.remove(ready)
                else:
                    yield said
    finally:
        for child in children:
            if child.is_alive():
                child.terminate()
            child.join()


def _child(
    work: Callable[[Sequence[Job], Callable[[bytes], None]], None],
    jobs: Sequence[Job],
    pipe: Connection,
    inherited: Sequence[Connection],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    # while anybody but the parent could read, a write would wait for ever once the parent is dead
    for end in inherited:
        end.close()
    try:
        work(jobs, pipe.send_bytes)
        pipe.send_bytes(_DONE)
    except BrokenPipeError:
        os._exit(1)

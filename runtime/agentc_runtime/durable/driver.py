"""Carries out durable runs: from what is kept of a run to its end, or to where it has to wait."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from ..calls import Parked, Returned
from ..events import Event
from ..journal import StoreError
from ..ledger import Ledger
from ..models.health import Health
from ..models.kept import KeptAnswers
from ..quoting import shortened
from ..recorded import CassetteError
from ..refusals import Refusal
from ..run import RunResult, run_bundle
from ..secrets import Secrets
from ..switches import Switches
from ..transport import HttpTransport
from ..verify import Bundle
from ..wire import Transport
from . import engine, runs
from .connections import Connections
from .effects import outcomes_of
from .journal import DurableJournal
from .person import DurableApprover
from .prepared import prepare
from .steps import DurableSteps
from .telling import Telling
from .views import status_of

_LOG = logging.getLogger("agentc.durable")
#: Seconds before a run is tried again whose store could not be written, at first and at most.
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
#: Seconds between two looks whether a run was stopped, and after which the time it was worked on is kept.
LOOK: Final = 2.0
COUNT: Final = 10.0


class Doors(Protocol):
    """What a process has for its runs beside the store: tools, models, observers."""

    def tools(self, live: HttpTransport) -> Transport:
        """The transport of tool calls. It is asked for after the observer."""

    def models(self, secrets: Secrets, live: HttpTransport) -> Transport:
        """The transport of model turns."""

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        """Who is told what happens."""


class RunDriver:
    """Carries out the runs of one process."""

    def __init__(
        self,
        ledger: Ledger,
        doors: Doors,
        environ: Mapping[str, str],
        switches: Switches | None = None,
        *,
        connections: Connections | None = None,
    ) -> None:
        prepare()
        self._connections = connections or Connections(sharing=False)
        self._ledger = ledger
        self._doors = doors
        self._loading = asyncio.Lock()
        self._environ = environ
        self._switches = switches
        self._bundles: dict[str, Bundle] = {}
        #: How the models do that the runs of this process ask.
        self.health = Health()
        self._kept = KeptAnswers()
        #: Runs that were kept as taken up by this process, and not carried out yet.
        self.made: set[str] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        #: What went wrong in this process, by run.
        self.faults: dict[str, Exception] = {}

    async def drive(self, run_id: str) -> str:
        """Carry out the run as far as it goes, and say what became of it.

        As long as the store or the engine's database can't be written the run is tried again: it goes on
        where it was.
        """
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        wait = FIRST_WAIT
        while True:
            try:
                return await self._once(run_id)
            except (StoreError, SQLAlchemyError) as error:
                _LOG.warning("run %s: %s; trying again in %.0f s", run_id, error, wait)
            except Exception as error:
                # a run is never lost to a fault of ours, nor ended by it: a person sees it and lets it go on
                self.faults[run_id] = error
                if not isinstance(error, CassetteError):  # no fault: whoever replays is told
                    _LOG.exception("run %s", run_id)
                return await self._park(run_id, Parked("needs_attention", _fault(error)), 0)
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _once(self, run_id: str) -> str:
        take = runs.made_here if run_id in self.made else runs.begin_run
        self.made.discard(run_id)
        begun = await asyncio.to_thread(take, self._ledger, run_id)
        if begun is None:
            # it is over, or waits: the engine must not take it for done
            await engine.stop_workflow(run_id)
            return "stopped"
        worked = _Worked()
        journal = DurableJournal(self._ledger, run_id, begun.attempts)
        try:
            status = await self._run(run_id, begun, journal, worked)
        except Parked as parked:
            with suppress(Parked):
                await journal.flush()
            if await asyncio.to_thread(runs.standing, self._ledger, run_id, begun.attempts) == "lost":
                return "lost"  # its workflow is another process's now
            return await self._park(run_id, parked, worked.taken())
        finally:
            await journal.close()
        return status

    async def _unless_stopped(
        self, run_id: str, journal: DurableJournal, steps: DurableSteps, worked: _Worked,
        work: Awaitable[RunResult],
    ) -> RunResult:  # fmt: skip
        """The result of `work`, which is cut off when the run was cancelled meanwhile or taken over.

        Raises:
            Parked: it was cut off. Calls that were under way have come to their end.
        """
        task = asyncio.ensure_future(work)
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=LOOK)
                if done:
                    return task.result()
                with suppress(StoreError):  # then its own records will find out
                    if worked.seconds >= COUNT:
                        await asyncio.to_thread(
                            runs.count_time, self._ledger, run_id, journal.attempt, worked.taken()
                        )
                    standing = await asyncio.to_thread(runs.standing, self._ledger, run_id, journal.attempt)
                    if standing != "ours" and not steps.calling and not task.done():
                        task.cancel()
                        await asyncio.wait({task})
                        raise Parked("stopped", "the run was stopped")
        except asyncio.CancelledError:
            journal.cut_off = True
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def cut_off(self) -> None:
        """Let go of what is carried out here, as this process ends: it goes on as after a crash."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _park(self, run_id: str, parked: Parked, used_ms: int) -> str:
        # first the workflow, then the store: whoever sees that the run waits may resume it
        await engine.stop_workflow(run_id)
        await asyncio.to_thread(runs.park_run, self._ledger, run_id, parked, used_ms)
        return parked.status

    async def _run(self, run_id: str, begun: runs.Begun, journal: DurableJournal, worked: _Worked) -> str:
        bundle = await self._bundle(begun.bundle)
        recorded: dict[str, str] = {}
        outcomes: dict[str, Returned | Refusal] = {}
        if begun.attempts > 1:
            recorded = await asyncio.to_thread(runs.turns_of, self._ledger, run_id)
            outcomes = await asyncio.to_thread(outcomes_of, self._ledger, run_id)
        environment = bundle.program.environments[begun.environment]
        secrets = Secrets(environment, self._environ)
        steps = DurableSteps(recorded, outcomes, begun.used_ms / 1000, secrets.redact, journal.keep_turn)
        telling = Telling(run_id, self._doors.observer(bundle, begun.environment, secrets), steps)
        async with self._connections.of(bundle.digest, begun.environment, environment, secrets) as tools:
            work = run_bundle(
                bundle,
                input=begun.input,
                session=begun.session,
                environment=begun.environment,
                transport=self._doors.tools(tools),
                model_transport=self._doors.models(secrets, tools),
                journal=journal,
                log=journal,
                approver=DurableApprover(self._ledger, bundle.program.agent.name),
                secrets=secrets,
                emit=telling,
                run_id=run_id,
                steps=steps,
                switches=self._switches,
                health=self.health,
                kept=self._kept,
            )
            try:
                result = await self._unless_stopped(run_id, journal, steps, worked, work)
            except BaseException as error:
                await self._tell(telling, run_id, error)
                raise
        return result.status

    async def _tell(self, telling: Telling, run_id: str, error: BaseException) -> None:
        """Tell why the run stops here."""
        match error:
            case Parked(status="stopped"):
                status = None
                with suppress(StoreError):
                    status = await asyncio.to_thread(status_of, self._ledger, run_id)
                if status == "cancelled":
                    telling.ended()
                telling.cut_off("stopped", error.why)
            case StoreError() | SQLAlchemyError():
                telling.cut_off("running", f"the store can't be used, and it is tried again: {error}")
            case Exception():
                telling.cut_off("needs_attention", _fault(error))
            case _:
                telling.cut_off("running", "its process was stopped: another one goes on")

    async def _bundle(self, digest: str) -> Bundle:
        async with self._loading:
            if digest not in self._bundles:
                self._bundles[digest] = await asyncio.to_thread(runs.stored_bundle, self._ledger, digest)
            return self._bundles[digest]


class _Worked:
    """For how long a run was worked on, as far as that is not kept yet."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._since

    def taken(self) -> int:
        """Milliseconds, which are not counted again."""
        since, self._since = self._since, time.monotonic()
        return round((self._since - since) * 1000)


def _fault(error: BaseException) -> str:
    return f"it could not be carried out: {shortened(f'{type(error).__name__}: {error}')}"

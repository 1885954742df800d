"""The runs of the service: begun for a caller, carried out here, seen by their tenant alone."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, ParamSpec, TypeVar

import msgspec

from agentc_runtime.canonical import canonical
from agentc_runtime.durable import engine, operating, views
from agentc_runtime.durable.runs import OVER
from agentc_runtime.durable.starting import keep_run
from agentc_runtime.events import Event, RunStarted
from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger, Transaction, log
from agentc_runtime.refusals import RefusedError
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle
from agentc_runtime.wire import Transport

from . import tables
from .auth.caller import Caller, signature
from .events import EventStreams
from .listing import list_runs
from .problems import ProblemError
from .settings import Served, Settings
from .tables import ServedRun
from .watching import Watching

_LOG = logging.getLogger("agentc.service")
#: Roles that see all runs of their tenant, not only those that they started.
SEE_ALL: Final = ("operator", "auditor")


class Runs:
    """What callers may do with runs."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        streams: EventStreams,
        environ: Mapping[str, str],
        made: set[str],
    ) -> None:
        """`made` is told which runs this process has kept and begins itself."""
        self._settings = settings
        self._ledger = ledger
        self._streams = streams
        self._environ = environ
        self._made = made
        self._turn = asyncio.Semaphore(settings.limits.runs)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        #: Runs that are being kept, and have no task yet.
        self._beginning = 0

    @property
    def busy(self) -> int:
        """How many runs are worked on here or wait for their turn."""
        return len(self._tasks) + self._beginning

    def served(self, agent: str) -> Served:
        """The agent of that name.

        Raises:
            ProblemError: 404 there is none.
        """
        found = self._settings.agents.get(agent)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"no agent `{agent[:80]}` here")
        return found

    async def session(
        self, caller: Caller, agent: str, data: Mapping[str, object] | None, session_id: str | None
    ) -> object:
        """The session of a run: `data`, or that of a session which was begun before.

        Raises:
            ProblemError: 404 there is no such session of this agent, 422 both were given.
            StoreError: it can't be read.
        """
        if session_id is None:
            return data or {}
        if data is not None:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "give `session` or `session_id`, not both")
        found = await asyncio.to_thread(tables.find_session, self._ledger, caller.tenant, session_id)
        if found is None or found.agent != agent:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"no such session of agent `{agent[:80]}` here")
        return found.data

    async def start(
        self,
        caller: Caller,
        *,
        agent: str,
        input: object,  # noqa: A002  the name in the language
        session: object,
        session_id: str | None,
        key: str | None,
        trace: Mapping[str, str],
    ) -> str:
        """Begin a run and return its id. With an idempotency key that was used before, the id of that run.

        `trace` is the trace that it is part of.

        Raises:
            ProblemError: 404, 409 the key belongs to another request, 422 unfit input, 503 too much to do.
            StoreError: it can't be kept.
        """
        served = self.served(agent)
        digest = _digest(agent, input, session)
        if key is not None:
            known = await asyncio.to_thread(
                tables.keyed_run, self._ledger, caller.tenant, caller.subject, key
            )
            if known is not None:
                return _same(known, digest)
        limits = self._settings.limits
        if self.busy >= limits.runs + limits.waiting:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many runs wait for their turn",
                headers={"retry-after": "5"},
            )

        bundle, placement = served.choose(session_id or f"{caller.tenant}/{caller.subject}")

        def own(within: Transaction, run_id: str) -> None:
            if placement is not None:
                log(within, run_id, "placed", msgspec.to_builtins(placement))
            run = ServedRun(run_id, caller.tenant, caller.subject, session_id)
            tables.own_run(within, run, idempotency_key=key, request_digest=digest, trace=trace)

        self._beginning += 1
        try:
            run_id = await asyncio.to_thread(
                keep_run,
                self._ledger,
                bundle,
                self._environ,
                environment=served.environment,
                input=input,
                session=session,
                handed=True,
                also=own,
            )
        except RefusedError as error:
            refusal = error.refusal
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, refusal.message, code=refusal.code) from error
        except StoreError:
            known = (
                None
                if key is None
                else await asyncio.to_thread(
                    tables.keyed_run, self._ledger, caller.tenant, caller.subject, key
                )
            )
            if known is None:
                raise
            # the same request came twice at a time, and the other one was first
            return _same(known, digest)
        finally:
            self._beginning -= 1
        self._streams.begins(run_id, trace)
        self._made.add(run_id)
        self._carry_on(run_id)
        return run_id

    def _carry_on(self, run_id: str) -> None:
        task = asyncio.create_task(self._carry_out(run_id))
        self._tasks[run_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(run_id, None))

    async def _carry_out(self, run_id: str) -> None:
        try:
            async with self._turn:
                await engine.start_here(run_id)
        finally:
            self._streams.over(run_id)

    async def find(self, caller: Caller, run_id: str) -> views.RunDetail:
        """A run that the caller may see.

        Raises:
            ProblemError: 404 there is none, or it is none of theirs.
        """
        await self.owner(caller, run_id)
        return await self.own(run_id)

    async def own(self, run_id: str) -> views.RunDetail:
        """A run that was begun by whoever asks.

        Raises:
            ProblemError: 404 it was erased meanwhile.
        """
        found = await asyncio.to_thread(views.find_run, self._ledger, run_id)
        if found is None:
            raise _unknown(run_id)
        return found

    async def owner(self, caller: Caller, run_id: str) -> ServedRun:
        """Whose the run is, when the caller may see it.

        Raises:
            ProblemError: 404 there is none, or it is none of theirs.
        """
        run = await asyncio.to_thread(tables.find_owner, self._ledger, caller.tenant, run_id)
        if run is None or not (run.subject == caller.subject or caller.has(*SEE_ALL)):
            raise _unknown(run_id)
        return run

    async def listed(
        self,
        caller: Caller,
        *,
        status: str | None,
        agent: str | None,
        before: str | None,
        limit: int,
    ) -> tuple[views.RunView, ...]:
        """The newest of the runs that the caller may see."""
        return await asyncio.to_thread(
            list_runs,
            self._ledger,
            tenant=caller.tenant,
            subject=None if caller.has(*SEE_ALL) else caller.subject,
            status=status,
            agent=agent,
            before=before,
            limit=limit,
        )

    async def cancel(self, caller: Caller, run_id: str, reason: str) -> None:
        """End a run of the caller's tenant that is not over; it sends nothing more.

        Raises:
            ProblemError: 404, 409 it is over.
        """
        await self.owner(caller, run_id)
        await _operated(operating.cancel_run, self._ledger, run_id, by=signature(caller), reason=reason)
        await engine.stop_workflow(run_id)

    async def resolve(
        self,
        caller: Caller,
        run_id: str,
        call_id: str | None,
        resolution: operating.Resolution,
        *,
        reason: str,
        answer: object,
    ) -> None:
        """Say what became of a call that may have been sent, so that its run goes on.

        Raises:
            ProblemError: 404, 409 the run does not wait for that, or the answer is none that the tool gives.
        """
        await self.owner(caller, run_id)
        await _operated(
            operating.resolve_call,
            self._ledger,
            run_id,
            call_id,
            resolution,
            by=signature(caller),
            reason=reason,
            answer=answer,
        )

    async def over(self, run_id: str) -> bool:
        """Whether the run has ended."""
        status = await asyncio.to_thread(views.status_of, self._ledger, run_id)
        return status is None or status in OVER

    async def finished(self, run_id: str, seconds: float) -> None:
        """Wait until the run is over or waits itself, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._streams.ended(run_id)

    async def drain(self, seconds: float) -> None:
        """Let the runs that are worked on come to their end, `seconds` at most."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)


class ServiceDoors:
    """What runs of this process have beside the store."""

    def __init__(
        self, ledger: Ledger, streams: EventStreams, agents: Mapping[str, Served], watching: Watching
    ) -> None:
        self._ledger = ledger
        self._streams = streams
        self._agents = agents
        self._watching = watching

    def tools(self, live: HttpTransport) -> Transport:
        """Tool calls go to the services, and say which trace they are part of."""
        return self._watching.transport(live)

    def models(self, secrets: Secrets, live: HttpTransport) -> Transport:
        """Model turns go to the providers."""
        return live

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        """Followers of the run are told, and whoever follows the channel that chose its bundle."""
        told = self._watched(bundle, environment, secrets)
        served = self._agents.get(bundle.program.agent.name)
        if served is None or served.follower is None:
            return told
        release = served.follower.release_of(bundle.digest)
        return told if release is None else served.follower.watch(release, told)

    def _watched(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        watching: tuple[Callable[[Event], None], ...] = ()

        def observe(event: Event) -> None:
            nonlocal watching
            if isinstance(event, RunStarted):
                begun = self._streams.begun(event.run_id)
                watching = (
                    self._streams.observer(event.run_id, begun.last_event),
                    self._watching.observer(bundle.program, environment, secrets, begun.trace),
                )
            for told in watching:
                told(event)

        return observe


P = ParamSpec("P")
T = TypeVar("T")


async def _operated(function: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(function, *args, **named)
    except operating.OperationError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error


def _digest(agent: str, given: object, session: object) -> str:
    try:
        return hashlib.sha256(canonical({"agent": agent, "input": given, "session": session})).hexdigest()
    except ValueError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the request is not JSON: {error}") from error


def _same(known: tuple[str, str], digest: str) -> str:
    if known[1] != digest:
        raise ProblemError(HTTPStatus.CONFLICT, "the idempotency key was used for another request")
    return known[0]


def _unknown(run_id: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"no run `{run_id[:80]}` here")

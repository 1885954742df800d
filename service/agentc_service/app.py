"""The application: its parts put together, its lifetime, its routes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import Route

from agentc_runtime import __version__
from agentc_runtime.durable.worker import working
from agentc_runtime.release.database import DatabaseControl
from agentc_runtime.release.following import follow
from agentc_runtime.release.switching import ControlledSwitches

from . import problems
from .api import agents, approvals, audit, chat, feedback, health, runs, sessions
from .audits import Checking
from .auth.api_keys import ApiKeys
from .auth.guard import Guard
from .auth.jwt import Tokens
from .auth.key_set import fetching
from .console.app import create_console
from .console.visits import Parts
from .events import EventStreams
from .limits import BodyLimit, Rate
from .runs import Runs, ServiceDoors
from .settings import Settings
from .tables import open_service_ledger
from .watching import Unwatched, Watching

if TYPE_CHECKING:
    from .mcp_server import McpServer

_ABOUT = """Runs agents within the permissions that they were compiled with.

Every request but those for health carries `Authorization: Bearer` with an API key or a token of the identity
provider. Errors are problem details (RFC 9457)."""


def create_app(settings: Settings, environ: Mapping[str, str], watching: Watching | None = None) -> FastAPI:
    """The service's application. Its store is opened, and its runs are taken up, when it starts.

    Raises:
        KeyFileError: the API keys can't be read.
    """
    keys = None if settings.api_keys is None else ApiKeys(settings.api_keys)
    provider = settings.provider
    tokens = None if provider is None else Tokens(provider.trust, fetching(provider.jwks))

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ledger = open_service_ledger(settings.store)
        streams = EventStreams(ledger)
        app.state.settings, app.state.ledger, app.state.streams = settings, ledger, streams
        app.state.checking = Checking(settings.store, ledger)
        stop = threading.Event()
        with contextlib.ExitStack() as stack:
            work = working(
                settings.store,
                ledger,
                ServiceDoors(ledger, streams, settings.agents, watching or Unwatched()),
                environ,
                ControlledSwitches(DatabaseControl(ledger)),
                concurrency=settings.limits.runs,
            )
            # the engine is begun and ended outside of the event loop, in which it refuses to wait
            chores = await asyncio.to_thread(stack.enter_context, work)
            app.state.runs = Runs(settings, ledger, streams, environ, chores.made)
            console.state.parts = Parts.of(
                settings, ledger, app.state.runs, streams, app.state.guard, app.state.checking
            )
            attending = asyncio.create_task(asyncio.to_thread(chores.attend, stop))
            writing = asyncio.create_task(streams.write_forever())
            following = [
                asyncio.create_task(follow(served.follower, served.poll, asyncio.sleep))
                for served in settings.agents.values()
                if served.follower is not None
            ]
            try:
                async with _entered(mcp, app.state.runs, streams):
                    app.state.ready = True
                    yield
            finally:
                app.state.ready = False
                await app.state.runs.drain(settings.limits.shutdown)
                stop.set()
                for task in (writing, *following):
                    task.cancel()
                await asyncio.gather(attending, writing, *following, return_exceptions=True)
                await chores.connections.close()
                await asyncio.to_thread(stack.close)
        ledger.close()

    # no pages of documentation: they load scripts from elsewhere
    app = FastAPI(
        title="agentc",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.ready = False
    app.state.guard = Guard(keys, tokens, Rate(settings.limits.requests_per_minute))
    mcp = _mcp(settings, app.state.guard)
    problems.install(app)
    app.add_middleware(BodyLimit, limit=settings.limits.body_bytes)
    for module in (health, agents, runs, feedback, approvals, sessions, audit, chat):
        app.include_router(module.router)
    console = create_console(settings.console.origin)
    app.mount("/console", console)
    if mcp is not None:
        app.router.routes.append(Route("/mcp", mcp))
    return app


def _mcp(settings: Settings, guard: Guard) -> McpServer | None:
    if not settings.mcp:
        return None
    # a library that nobody else needs
    from .mcp_server import McpServer

    return McpServer(settings, guard)


@contextlib.asynccontextmanager
async def _entered(mcp: McpServer | None, runs: Runs, streams: EventStreams) -> AsyncIterator[None]:
    if mcp is None:
        yield
        return
    async with mcp.open(runs, streams):
        yield

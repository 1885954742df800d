"""How a run ended, for clients that ask and wait for an answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import msgspec

from agentc_runtime.models.types import Usage
from agentc_runtime.refusals import Refusal

from .events import EventStreams
from .runs import Runs

#: Seconds that an answer is waited for; OpenAI's clients wait as long.
PATIENCE: Final = 600.0
_ENDED: Final = '{"event":"run_ended"'
_PARKED: Final = '{"event":"run_parked"'


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run is that goes no further by itself, or goes on for longer than anybody waits.

    `status` is that of the run. `why` says what it waits for, and `refusal` why it failed.
    """

    status: str
    output: object = None
    refusal: Refusal | None = None
    usage: Usage = Usage()
    why: str = ""

    def reason(self, run_id: str) -> str:
        """Why there is no answer, for whoever waited for one."""
        if self.refusal is not None:
            return f"run `{run_id}` {self.status}: {self.refusal.message}"
        if self.status in ("running", "queued"):
            return f"run `{run_id}` is not over yet: read it at /v1/runs/{run_id}"
        said = f"run `{run_id}` gave no answer, it is {self.status.replace('_', ' ')}"
        return f"{said}: {self.why}" if self.why else said


async def ending(runs: Runs, streams: EventStreams, run_id: str, patience: float = PATIENCE) -> Ending:
    """Wait until the run is over, or waits for somebody, `patience` seconds at most.

    Raises:
        StoreError: it can't be read.
        ProblemError: 404 it was erased meanwhile.
    """
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(patience),
            contextlib.aclosing(streams.follow(run_id, 0, lambda: runs.over(run_id))) as events,
        ):
            async for event in events:
                if event.event.startswith(_ENDED):
                    return msgspec.json.decode(event.event, type=Ending)
                # a run that was parked once may go on since
                if event.event.startswith(_PARKED):
                    run = (await runs.own(run_id)).run
                    if run.status in ("waiting", "needs_attention"):
                        return Ending(status=run.status, why=run.why)
    run = (await runs.own(run_id)).run
    return Ending(status=run.status, output=run.output, refusal=run.refusal, why=run.why)

"""How a run ended, for clients that ask and wait for an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from agentc_runtime.models.types import Usage
from agentc_runtime.refusals import Refusal

from .events import ENDED, PARKED, EventStreams
from .runs import Runs

#: Seconds that an answer is waited for; OpenAI's clients wait as long.
PATIENCE: Final = 600.0
_ENTERED: Final = '{"event":"state_entered"'
#: What a run is that nobody has to do anything for.
GOES_ON: Final = ("queued", "running")


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
        if self.status in GOES_ON:
            return f"run `{run_id}` is not over yet: read it at /v1/runs/{run_id}"
        said = f"run `{run_id}` gave no answer, it is {self.status.replace('_', ' ')}"
        return f"{said}: {self.why}" if self.why else said


async def ending(
    runs: Runs,
    streams: EventStreams,
    run_id: str,
    patience: float = PATIENCE,
    told: Callable[[int], Awaitable[None]] | None = None,
) -> Ending:
    """Wait until the run is over, or waits for somebody, `patience` seconds at most.

    `told` is given the number of each state that the run enters.

    Raises:
        StoreError: it can't be read.
        ProblemError: 404 it was erased meanwhile.
    """
    number = entered = 0

    async def stopped() -> bool:
        return (await runs.own(run_id)).run.status not in GOES_ON

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while True:
                following = streams.follow(run_id, number, stopped, last=(ENDED, PARKED))
                async with contextlib.aclosing(following) as events:
                    async for event in events:
                        number = event.number
                        if event.event.startswith(ENDED):
                            return msgspec.json.decode(event.event, type=Ending)
                        if told is not None and event.event.startswith(_ENTERED):
                            entered += 1
                            await told(entered)
                # whatever it waited for may have come meanwhile
                if await stopped():
                    break
    run = (await runs.own(run_id)).run
    return Ending(status=run.status, output=run.output, refusal=run.refusal, why=run.why)

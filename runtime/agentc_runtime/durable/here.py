"""One durable run in this process: begun, or taken up again where it stopped."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Mapping

from dbos import DBOS

from ..ledger import Ledger
from ..refusals import RefusedError
from ..run import new_run_id, unfit
from ..secrets import Secrets
from ..switches import Switches
from ..verify import Bundle
from . import engine, runs
from .driver import Doors, RunDriver


def keep_run(
    ledger: Ledger,
    bundle: Bundle,
    environ: Mapping[str, str],
    *,
    environment: str,
    input: object,  # noqa: A002  the name in the language
    session: object,
) -> str:
    """Keep a new run, to be carried out by whoever takes it up, and give its id.

    Raises:
        RefusedError: AR505 the environment, the input or the session is not fit for it.
        StoreError: it can't be kept.
    """
    refusal = unfit(bundle, environment, input, session)
    if refusal is not None:
        raise RefusedError(refusal)
    run_id = new_run_id()
    secrets = Secrets(bundle.program.environments[environment], environ)
    runs.create_run(
        ledger,
        bundle,
        run_id,
        environment=environment,
        input=secrets.redact_data(input),
        session=secrets.redact_data(session),
    )
    return run_id


async def carry_out(
    url: str,
    ledger: Ledger,
    run_id: str,
    doors: Doors,
    environ: Mapping[str, str],
    switches: Switches | None = None,
) -> None:
    """Carry out a kept run in this process, until it is over or waits."""
    driver = RunDriver(ledger, doors, environ, switches)
    with engine.running(url, driver):
        await engine.start_here(run_id)
    _raise_fault(driver, run_id)


async def take_up(
    url: str,
    ledger: Ledger,
    run_id: str,
    doors: Doors,
    environ: Mapping[str, str],
    switches: Switches | None = None,
) -> None:
    """Take a run up again in this process, until it is over or waits."""
    queue = f"{engine.QUEUE}-{randomness.token_hex(8)}"
    runs.queue_run(ledger, run_id)
    driver = RunDriver(ledger, doors, environ, switches)
    with engine.running(url, driver, queues=(queue,)):
        await DBOS.register_queue_async(queue, polling_interval_sec=0.1)
        try:
            await engine.resume_here(run_id, queue)
        finally:
            await DBOS.delete_queue_async(queue)
    _raise_fault(driver, run_id)


def _raise_fault(driver: RunDriver, run_id: str) -> None:
    if run_id in driver.faults:
        raise driver.faults[run_id]

"""One durable run in this process: begun, or taken up again where it stopped."""

from __future__ import annotations

import asyncio
import secrets as randomness
from collections.abc import Mapping
from typing import Final

from dbos import DBOS

from ..ledger import Ledger
from ..switches import Switches
from . import engine, runs
from .driver import Doors, RunDriver
from .fleet import Watch, alive

#: Seconds without a sign of life after which a person may take a run from another process.
PATIENCE: Final = 2.5


class CarriedOutError(Exception):
    """A living process carries out the run: one line that says so."""


async def carry_out(
    url: str,
    ledger: Ledger,
    run_id: str,
    doors: Doors,
    environ: Mapping[str, str],
    switches: Switches | None = None,
) -> None:
    """Carry out a run that was kept as handed over, in this process, until it is over or waits."""
    driver = RunDriver(ledger, doors, environ, switches)
    name = engine.new_worker()
    with alive(ledger, name), engine.running(url, driver, name):
        driver.made.add(run_id)
        try:
            await engine.start_here(run_id)
        except asyncio.CancelledError:
            await driver.cut_off()
            raise
    _raise_fault(driver, run_id)


async def take_up(
    url: str,
    ledger: Ledger,
    run_id: str,
    doors: Doors,
    environ: Mapping[str, str],
    switches: Switches | None = None,
) -> None:
    """Take a run up again in this process, until it is over or waits.

    Raises:
        CarriedOutError: a living process carries it out.
    """
    queue = f"{engine.QUEUE}-{randomness.token_hex(8)}"
    runs.queue_run(ledger, run_id, handed=True)
    driver = RunDriver(ledger, doors, environ, switches)
    name = engine.new_worker()
    with alive(ledger, name), engine.running(url, driver, name, queues=(queue,)):
        await _check_free(ledger, run_id)
        await DBOS.register_queue_async(queue, polling_interval_sec=0.1)
        try:
            await engine.resume_here(run_id, queue)
        except asyncio.CancelledError:
            await driver.cut_off()
            raise
        finally:
            await DBOS.delete_queue_async(queue)
    _raise_fault(driver, run_id)


async def _check_free(ledger: Ledger, run_id: str) -> None:
    """A process that shows signs of life keeps its run."""
    holder = await engine.outside(engine.holder_of, run_id)
    watch = Watch(ledger, PATIENCE)
    if holder is None or holder not in watch.look():
        return
    await asyncio.sleep(PATIENCE)
    watch.look()
    if holder not in watch.silent():
        raise CarriedOutError(f"run `{run_id}` is carried out by another process at this moment")


def _raise_fault(driver: RunDriver, run_id: str) -> None:
    if run_id in driver.faults:
        raise driver.faults[run_id]

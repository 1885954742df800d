"""`agentc worker`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import InputError
from .options import watched
from .release import CONTROLLED, switches_of
from .runs import STORE

if TYPE_CHECKING:
    from agentc_runtime.labels import Sensitivity


@click.command("worker")
@STORE
@CONTROLLED
@click.option(
    "--concurrency", type=click.IntRange(1, 1000), default=20, show_default=True, help="Runs at once."
)
@click.option(
    "--takeover-after",
    type=click.FloatRange(2),
    default=15.0,
    show_default=True,
    help="Seconds without a sign of life after which another worker's runs are taken over.",
)
@watched
def command(
    store: str,
    control: str | None,
    concurrency: int,
    takeover_after: float,
    log_format: str,
    otel: bool | None,
    capture_content: Sensitivity | None,
) -> int:
    """Carry out durable runs until it is stopped, together with other workers of the same store.

    It takes runs that were left to workers (`agentc run --durable --detach`), runs that go on after an
    approval, and runs of workers that died. A bundle comes from the store, secrets from the environment. On
    SIGTERM or Ctrl-C it stops at once: another worker goes on with what was under way. Without --control,
    what `agentc disable` has put into the store itself is heeded.

    \b
    Example:
      agentc worker --store postgresql://agentc@db.internal/agentc
    """
    from ..durably import serve
    from ..observing import Watch
    from ..runner import RunnerError

    watch = Watch(telemetry=otel, content=capture_content, logs=log_format == "json")
    try:
        serve(store, switches_of(control), watch, concurrency=concurrency, takeover_after=takeover_after)
    except RunnerError as error:
        raise InputError(str(error)) from error
    return 0

"""Runs in a real store, as if an agent had made them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agentc_runtime.bundle import Label
from agentc_runtime.calls import Claim, Returned
from agentc_runtime.ledger import Ledger
from agentc_runtime.refusals import Refusal
from agentc_runtime.store import Store

TRUSTED = Label(trust="trusted", sensitivity="internal")


def record_runs(
    path: Path,
    runs: Iterable[list[tuple[Any, ...]]],
    *,
    bundle: str,
    agent: str = "triage",
    given: Any = None,
    session: Any = None,
    days: bool = False,
) -> Path:
    """Put runs into the store at `path`, each a list of calls as `(tool, arguments)`.

    A call may have a third item: the value of a trusted answer, or a `Refusal`. `days` puts each run on a
    day of its own. `given` is the runs' input.
    """
    now = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
    with Store(path, clock=lambda: now[0]) as store:
        for calls in runs:
            record_run(
                store, f"run-{bundle[:4]}-{agent}-{now[0]:%Y%m%d%H%M%S}", calls, bundle, agent, given, session
            )
            now[0] += timedelta(days=1) if days else timedelta(seconds=1)
    return path


def record_run(
    store: Ledger,
    run: str,
    calls: list[tuple[Any, ...]],
    bundle: str,
    agent: str = "triage",
    given: Any = None,
    session: Any = None,
) -> None:
    """Put one run into an open store, of whatever kind."""
    store.start_run(
        run,
        agent=agent,
        version="1.0.0",
        bundle=bundle,
        environment="local",
        input={"ticket_id": "T-1"} if given is None else given,
        session={} if session is None else session,
    )
    for number, (tool, arguments, *rest) in enumerate(calls):
        _call(store, run, f"call-{number}", agent, tool, arguments, rest[0] if rest else {})
    store.end_run(run, "succeeded", output=None, refusal=None)


def _call(
    store: Ledger, run: str, call_id: str, agent: str, tool: str, arguments: dict[str, Any], answer: object
) -> None:
    store.claim(
        Claim(
            run_id=run, call_id=call_id, agent=agent, tool=tool, effect="send", arguments=arguments,
            request_digest="0" * 64, idempotency_key=None, per_run=None, per_day=None,
        )
    )  # fmt: skip
    if isinstance(answer, Refusal):
        store.settle(run, call_id, answer)
        return
    store.settle(run, call_id, Returned(status=200, value=answer, label=TRUSTED, seconds=0.1))

"""What observers are told of a run that is cut off: it has not ended until the store says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agentc_runtime.durable import driver, engine
from agentc_runtime.durable.driver import RunDriver
from agentc_runtime.durable.journal import DurableJournal
from agentc_runtime.durable.operating import cancel_run
from agentc_runtime.durable.views import find_run
from agentc_runtime.events import Event, RunEnded, RunParked, RunStarted, as_data
from agentc_runtime.journal import StoreError
from agentc_runtime.ledger import Ledger
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import Bundle


class Doors:
    """Nothing but an observer, who keeps what he is told of beginnings and ends."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def tools(self, live: HttpTransport) -> HttpTransport:
        return live

    def models(self, secrets: Secrets, live: HttpTransport) -> HttpTransport:
        return live

    def observer(self, bundle: Bundle, environment: str, secrets: Secrets) -> Callable[[Event], None]:
        def observe(event: Event) -> None:
            if isinstance(event, RunStarted | RunEnded | RunParked):
                self.told.append(event)

        return observe

    def words(self) -> list[str]:
        found = [(as_data(event), event) for event in self.told]
        return [" ".join([str(said["event"]), getattr(event, "status", "")]).strip() for said, event in found]


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(run_id: str) -> None:
        """No engine carries the run out."""

    monkeypatch.setattr(engine, "stop_workflow", stop)
    monkeypatch.setattr(driver, "FIRST_WAIT", 0.01)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Lets a method of the run's journal fail once."""

    def fail(method: str, error: Exception) -> None:
        known = getattr(DurableJournal, method)
        left = [error]

        def once(self: DurableJournal, *arguments: object, **named: object) -> object:
            if left:
                raise left.pop()
            return known(self, *arguments, **named)

        monkeypatch.setattr(DurableJournal, method, once)

    return fail


@pytest.mark.parametrize("method", ["record_step", "end_run"])
async def test_a_run_whose_store_fails_goes_on_and_has_ended_once(
    ledger: Ledger, running: str, failing: Callable[[str, Exception], None], method: str
) -> None:
    failing(method, StoreError("disk is full", "runs.db"))
    doors = Doors()
    assert await RunDriver(ledger, doors, {}).drive(running) == "succeeded"
    assert doors.words() == ["run_started", "run_parked running", "run_started", "run_ended succeeded"]
    parked = doors.told[1]
    assert isinstance(parked, RunParked)
    assert parked.why == "the store can't be used, and it is tried again: runs.db: disk is full"


async def test_a_run_that_meets_a_fault_of_ours_waits_for_somebody(
    ledger: Ledger, running: str, failing: Callable[[str, Exception], None]
) -> None:
    failing("record_step", RuntimeError("never seen"))
    doors = Doors()
    assert await RunDriver(ledger, doors, {}).drive(running) == "needs_attention"
    assert doors.words() == ["run_started", "run_parked needs_attention"]
    found = find_run(ledger, running)
    assert found is not None
    parked = doors.told[1]
    assert isinstance(parked, RunParked)
    assert found.run.why == parked.why == "it could not be carried out: RuntimeError: never seen"


async def test_a_run_that_an_operator_ended_has_ended(
    ledger: Ledger, running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = DurableJournal.record_step

    def cancelled(self: DurableJournal, *arguments: object) -> None:
        cancel_run(ledger, running, by="sam", reason="wrong ticket")
        known(self, *arguments)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(DurableJournal, "record_step", cancelled)
    doors = Doors()
    await RunDriver(ledger, doors, {}).drive(running)
    assert doors.words() == ["run_started", "run_parked stopped"]
    found = find_run(ledger, running)
    assert found is not None
    assert found.run.status == "cancelled"

"""Rollouts: who gets which arm, when an arm is stopped, and the drill: a bad canary goes by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.audit import read_audit, verify_audit
from agentc_runtime.events import Event, RunStarted
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.release.channel import Arm, Gate, Metric, Pointer
from agentc_runtime.release.following import Follower
from agentc_runtime.release.rollout import Counts, Rollout, broken, choose, decide, percent
from agentc_runtime.store import Store
from agentc_runtime.transport import HttpTransport

NONE = Rollout(sequence=1)


def pointer(*shares: int, **more: Any) -> Pointer:
    arms = tuple(
        Arm(name=f"arm{number}", digest="0" * 64, version="1.0.0", percent=share)
        for number, share in enumerate(shares)
    )
    times = {"issued": "2026-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z"}
    return Pointer(format="agentc.channel/1", channel="c", agent="a", sequence=1, arms=arms, **times, **more)


# --- arms ----------------------------------------------------------------------------------------------


def test_shares_are_what_the_pointer_says() -> None:
    found = Counter(choose(pointer(60, 30, 10), NONE, f"session {n}").name for n in range(20_000))
    assert found["arm0"] == pytest.approx(12_000, rel=0.05)
    assert found["arm1"] == pytest.approx(6_000, rel=0.05)
    assert found["arm2"] == pytest.approx(2_000, rel=0.1)


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_a_session_keeps_its_arm_while_the_share_grows(sticky: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    if choose(pointer(100 - small, small), NONE, sticky).name == "arm1":
        assert choose(pointer(100 - large, large), NONE, sticky).name == "arm1"


@given(st.text())
def test_a_stopped_arm_gets_nobody(sticky: str) -> None:
    stopped = Rollout(sequence=1, stopped={"arm1": "bad"})
    assert choose(pointer(0, 100), stopped, sticky).name == "arm0"


# --- gates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "limit", "counts", "told"),
    [
        ("error_rate", {"at_most": 0.1}, Counts(runs=20, failed=2), None),
        ("error_rate", {"at_most": 0.1}, Counts(runs=20, failed=3), "`error_rate` is 0.15, more than 0.1"),
        ("error_rate", {"at_most": 0.1}, Counts(runs=3, failed=2), None),
        (
            "error_rate",
            {"at_most": 0.1},
            Counts(runs=3, failed=3),
            "`error_rate` is 0.15, more than 0.1, after 3",
        ),
        ("refusal_rate", {"at_most": 0.1}, Counts(runs=20, calls=100, refused=11), "is 0.11"),
        ("refusal_rate", {"at_most": 0.1}, Counts(runs=20), None),
        ("refusal_rate", {"at_most": 0.1}, Counts(runs=19, calls=100, refused=90), None),
        ("cost_usd", {"at_most": 0.01}, Counts(runs=20, cost_usd=0.4), "`cost_usd` is 0.02"),
        ("seconds", {"at_most": 2}, Counts(runs=20, seconds=30.0), None),
        ("seconds", {"at_most": 2}, Counts(runs=20, seconds=50.0), "`seconds` is 2.5"),
        ("score", {"at_least": 0.8}, Counts(runs=20, scored=10, score=7.0), "`score` is 0.7, less than 0.8"),
        ("score", {"at_least": 0.8}, Counts(runs=20), None),
    ],
)
def test_gates(metric: Metric, limit: dict[str, float], counts: Counts, told: str | None) -> None:
    found = broken(Gate(metric=metric, **limit), counts, 20)
    assert (found is None) if told is None else (found is not None and told in found)


def test_waves_follow_runs_that_keep_the_gates() -> None:
    shown = pointer(95, 5, waves=(5, 25, 100), min_runs=10, gates=(Gate(metric="error_rate", at_most=0.1),))
    shares = []
    rollout = NONE
    for runs in (0, 9, 10, 19, 20, 99):
        rollout = decide(shown, rollout, {"arm1": Counts(runs=runs)})
        shares.append(percent(shown, rollout, shown.arms[1]))
    assert shares == [5, 5, 25, 25, 100, 100]
    over = decide(shown, rollout, {"arm1": Counts(runs=100, failed=50)})
    assert over.stopped == {"arm1": "`error_rate` is 0.5, more than 0.1, after 100 runs"}
    assert decide(shown, over, {"arm1": Counts(runs=10_000)}).stopped == over.stopped, "it stays stopped"


# --- the drill -----------------------------------------------------------------------------------------


@pytest.fixture
def service(live_service: Any) -> Iterator[Any]:
    def answer(asked: Any) -> Any:
        if asked.path.startswith("/broken"):
            return live_service.Answer({"error": "no"}, 500)
        return live_service.Answer({"id": "T-1"})

    with live_service.Service(answer) as running:
        yield running


class Fleet:
    """Workers that run sessions, and what came of each."""

    def __init__(self, here: Any, folder: Path, names: tuple[str, ...]) -> None:
        self.here, self.folder = here, folder
        self.workers: list[Follower] = [here.worker(name) for name in names]
        self.events: list[Event] = []
        self.ended: list[tuple[str, str, str]] = []

    def refresh(self) -> None:
        assert all(worker.refresh() for worker in self.workers), [w.status().problem for w in self.workers]

    async def session(self, worker: Follower, sticky: str, store: Store) -> None:
        release = worker.choose(sticky)
        transport = HttpTransport(release.bundle.program.environments["local"])
        try:
            result = await self.here.deployed.run(
                release.bundle,
                transport,
                store,
                worker.watch(release, self.events.append),
                log=store,
                placement=release.placement,
            )
        finally:
            await transport.close()
        self.ended.append((sticky, release.placement.arm, result.status))


async def test_a_bad_canary_rolls_back_by_itself(here: Any, service: Any, tmp_path: Path) -> None:
    """At 10 percent, over two workers. No session is lost, and the audit logs show why and with which arm."""
    here.url = f"http://127.0.0.1:{service.port}"
    fleet = Fleet(here, tmp_path, ("w1", "w2"))
    here.deploy(here.bundle("1.0.0"))
    fleet.refresh()
    here.deploy(
        here.bundle("1.1.0", "broken"),
        waves=(10,),
        gates=(Gate(metric="error_rate", at_most=0.2),),
        min_runs=10,
    )
    fleet.refresh()
    with Store(tmp_path / "runs.db") as store:
        for start in range(0, 120, 8):
            await asyncio.gather(
                *(
                    fleet.session(fleet.workers[number % 2], f"session {number}", store)
                    for number in range(start, start + 8)
                )
            )
        before = list(fleet.ended)
        assert {status for _, arm, status in before if arm == "stable"} == {"succeeded"}
        hit = [sticky for sticky, arm, status in before if arm == "canary"]
        # three failed runs of ten can't keep a gate of 0.2 any more; a few may have been under way
        assert 3 <= len(hit) <= 10
        assert len(before) == 120, "every session has an end"

        # whoever met the canary gets the stable bundle now, on each worker
        for number, sticky in enumerate(hit):
            await fleet.session(fleet.workers[number % 2], sticky, store)
        assert {(arm, status) for _, arm, status in fleet.ended[120:]} == {("stable", "succeeded")}

    for worker in fleet.workers:
        worker.refresh()
        (_, canary) = worker.status().arms
        assert canary.stopped is not None
        assert "`error_rate` is" in canary.stopped
        assert canary.percent == 0
    assert verify_audit(tmp_path / "control/audit.db").ok
    records = list(read_audit(tmp_path / "control/audit.db"))
    assert {record.kind for record in records} == {"rolled_back"}
    assert records[0].payload["sequence"] == 2
    assert "more than 0.2" in records[0].payload["stopped"]["canary"]  # type: ignore[index]

    placed = [record.payload for record in read_audit(tmp_path / "runs.db") if record.kind == "placed"]
    assert Counter(one["arm"] for one in placed)["canary"] == len(hit)
    begun = [event for event in fleet.events if isinstance(event, RunStarted)]
    assert all(event.placement is not None and event.placement.channel == "production" for event in begun)

    # a worker that comes later knows it too, and so does one that was started again
    for name in ("w1", "w3"):
        late = here.worker(name)
        late.refresh()
        assert {late.choose(sticky).placement.arm for sticky in hit} == {"stable"}

    # and the next one that is good is not held back by it
    here.deploy(
        here.bundle("1.2.0"), waves=(10,), gates=(Gate(metric="error_rate", at_most=0.2),), min_runs=10
    )
    fleet.refresh()
    assert {fleet.workers[0].choose(sticky).placement.arm for sticky in hit} == {"canary"}


async def test_a_good_canary_takes_over_in_waves(here: Any, service: Any, tmp_path: Path) -> None:
    here.url = f"http://127.0.0.1:{service.port}"
    fleet = Fleet(here, tmp_path, ("w1",))
    here.deploy(here.bundle("1.0.0"))
    here.deploy(here.bundle("1.1.0"), waves=(20, 60, 100), min_runs=5)
    fleet.refresh()
    with Store(tmp_path / "runs.db") as store:
        for number in range(60):
            await fleet.session(fleet.workers[0], f"session {number}", store)
    assert [arm.percent for arm in fleet.workers[0].status().arms] == [0, 100]
    promoted = [record.payload for record in read_audit(tmp_path / "control/audit.db")]
    assert [(one["arm"], one["percent"]) for one in promoted] == [("canary", 60), ("canary", 100)]


async def test_runs_keep_the_bundle_that_they_began_with(
    here: Any, live_service: Any, tmp_path: Path
) -> None:
    """Activation under load drops no run: those under way end on their own bundle, later ones on the new."""
    asked: list[str] = []
    release_first = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(what: Any) -> Any:
        asked.append(what.path)
        if len(asked) == 10:
            loop.call_soon_threadsafe(release_first.set)
        return live_service.Answer({"id": "T-1"})

    with live_service.Service(answer) as service:
        here.url = f"http://127.0.0.1:{service.port}"
        worker = here.worker()
        here.deploy(here.bundle("1.0.0", "old", calls=20))
        assert worker.refresh()
        journal, ends = MemoryJournal(), []

        async def session() -> None:
            release = worker.choose("s")
            transport = HttpTransport(release.bundle.program.environments["local"])
            result = await here.deployed.run(release.bundle, transport, journal, lambda event: None)
            await transport.close()
            ends.append((release.bundle.manifest.agent.version, result.status))

        first = [asyncio.create_task(session()) for _ in range(5)]
        await release_first.wait()
        here.deploy(here.bundle("2.0.0", "new"))
        assert await asyncio.to_thread(worker.refresh)
        second = [asyncio.create_task(session()) for _ in range(5)]
        await asyncio.gather(*first, *second)
        assert Counter(ends) == {("1.0.0", "succeeded"): 5, ("2.0.0", "succeeded"): 5}
        assert Counter(asked) == {"/old": 100, "/new": 5}

"""What holds for every journal: quotas, intents before outcomes, and records of both."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc_runtime.audit import read_audit
from agentc_runtime.bundle import Position
from agentc_runtime.calls import Claim, Journal, Returned
from agentc_runtime.canonical import canonical
from agentc_runtime.journal import StoreError
from agentc_runtime.labels import Label
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.refusals import Refusal
from agentc_runtime.store import Store

RETURNED = Returned(status=200, value={"id": 7, "name": "Ann"}, label=Label(), seconds=0.25)
REFUSAL = Refusal(code="AR407", message="no answer", at=Position(file="a.yaml", line=3, column=1))


class KeptJournal(MemoryJournal):
    """A memory journal with the records that it passed on."""

    entries: list[tuple[str, str, bytes]]


def memory_journal(clock: Callable[[], datetime]) -> KeptJournal:
    kept: list[tuple[str, str, bytes]] = []
    journal = KeptJournal(
        clock, keep=lambda run_id, kind, payload: kept.append((run_id, kind, canonical(payload)))
    )
    journal.entries = kept
    return journal


@pytest.fixture(params=["store", "memory"])
def journal(request: pytest.FixtureRequest, path: Path, clock: Callable[[], datetime]) -> Iterator[Journal]:
    if request.param == "memory":
        yield memory_journal(clock)
    else:
        with Store(path, clock) as store:
            yield store


def entries(journal: Journal, path: Path) -> list[tuple[str, str, dict[str, object]]]:
    if isinstance(journal, KeptJournal):
        return [(run_id, kind, json.loads(payload)) for run_id, kind, payload in journal.entries]
    return [(record.run_id, record.kind, record.payload) for record in read_audit(path)]


def test_intent_and_outcome_are_recorded_in_order(
    journal: Journal, path: Path, claim: Callable[..., Claim]
) -> None:
    journal.record("run-1", "refused", {"why": ("because",)})
    assert journal.claim(claim("call-1")) is None
    journal.settle("run-1", "call-1", RETURNED)
    assert journal.claim(claim("call-2")) is None
    journal.settle("run-1", "call-2", REFUSAL)
    found = entries(journal, path)
    assert [kind for _, kind, _ in found] == ["refused", "claimed", "settled", "claimed", "settled"]
    assert {run_id for run_id, _, _ in found} == {"run-1"}
    assert found[0][2] == {"why": ["because"]}
    assert found[1][2] == {
        "call_id": "call-1",
        "agent": "triage",
        "tool": "desk.refund",
        "effect": "send",
        "arguments": {"amount": 5, "note": "zurück"},
        "request_digest": "0" * 64,
        "idempotency_key": "key-1",
    }
    assert found[4][2] == {
        "call_id": "call-2",
        "outcome": "refused",
        "refusal": {
            "code": "AR407",
            "message": "no answer",
            "value": None,
            "path": "",
            "at": {"file": "a.yaml", "line": 3, "column": 1},
        },
    }


def test_an_answer_is_recorded_by_its_digest(
    journal: Journal, path: Path, claim: Callable[..., Claim]
) -> None:
    """What services say about people must be deletable, and the log is not."""
    journal.claim(claim())
    journal.settle("run-1", "call-1", RETURNED)
    payload = entries(journal, path)[1][2]
    assert payload == {
        "call_id": "call-1",
        "outcome": "returned",
        "status": 200,
        "value_sha256": hashlib.sha256(b'{"id":7,"name":"Ann"}').hexdigest(),
        "label": {"trust": "untrusted", "sensitivity": "internal"},
        "seconds": 0.25,
    }


def test_quota_of_a_run_counts_one_tool_in_one_run(journal: Journal, claim: Callable[..., Claim]) -> None:
    assert [journal.claim(claim(f"call-{n}", per_run=2)) for n in range(4)] == [
        None,
        None,
        "per_run",
        "per_run",
    ]
    assert journal.claim(claim("call-9", per_run=2, tool="desk.find")) is None
    assert journal.claim(claim("call-9", per_run=2, run_id="run-2")) is None
    assert journal.claim(claim("call-10", per_run=None)) is None
    assert journal.claim(claim("call-11", per_run=0, tool="desk.other")) == "per_run"


def test_quota_of_a_day_counts_one_tool_of_one_agent_over_runs(
    journal: Journal, claim: Callable[..., Claim]
) -> None:
    assert journal.claim(claim(per_day=2, run_id="run-1")) is None
    assert journal.claim(claim(per_day=2, run_id="run-2")) is None
    assert journal.claim(claim(per_day=2, run_id="run-3")) == "per_day"
    assert journal.claim(claim(per_day=2, run_id="run-3", agent="other")) is None
    assert journal.claim(claim(per_day=2, run_id="run-4", tool="desk.find")) is None


def test_a_day_is_a_day_in_utc(
    journal: Journal, clock: Callable[[], datetime], claim: Callable[..., Claim]
) -> None:
    """23:30 in New York is the next day in UTC, whatever the clock's own zone says."""
    new_york = timezone(timedelta(hours=-5))
    clock.now = datetime(2026, 3, 1, 23, 30, tzinfo=new_york)  # type: ignore[attr-defined]
    assert journal.claim(claim("call-1", per_day=1)) is None
    clock.now = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)  # type: ignore[attr-defined]
    assert journal.claim(claim("call-2", per_day=1)) == "per_day"
    clock.now = datetime(2026, 3, 3, tzinfo=UTC)  # type: ignore[attr-defined]
    assert journal.claim(claim("call-3", per_day=1)) is None


def test_what_was_refused_by_a_quota_is_not_counted_or_recorded(
    journal: Journal, path: Path, claim: Callable[..., Claim]
) -> None:
    assert journal.claim(claim("call-1", per_run=1, per_day=2)) is None
    for n in range(5):
        assert journal.claim(claim(f"more-{n}", per_run=1, per_day=2)) == "per_run"
    assert journal.claim(claim("call-2", per_run=2, per_day=2)) is None
    assert len(entries(journal, path)) == 2


def test_failed_calls_count_as_well(journal: Journal, claim: Callable[..., Claim]) -> None:
    journal.claim(claim(per_run=1))
    journal.settle("run-1", "call-1", REFUSAL)
    assert journal.claim(claim("call-2", per_run=1)) == "per_run"


def test_an_id_is_used_again_only_after_it_was_settled(journal: Journal, claim: Callable[..., Claim]) -> None:
    """Providers repeat ids from turn to turn; two calls under one id at once could swap their outcomes."""
    journal.claim(claim())
    with pytest.raises(StoreError, match="call `call-1` of run `run-1` has not been settled yet"):
        journal.claim(claim())
    journal.settle("run-1", "call-1", RETURNED)
    assert journal.claim(claim(per_run=2)) is None
    assert journal.claim(claim("call-2", per_run=2)) == "per_run"


def test_only_an_open_call_is_settled(journal: Journal, path: Path, claim: Callable[..., Claim]) -> None:
    with pytest.raises(StoreError, match="call `call-1` of run `run-1` is not open"):
        journal.settle("run-1", "call-1", RETURNED)
    journal.claim(claim())
    journal.settle("run-1", "call-1", RETURNED)
    with pytest.raises(StoreError, match="is not open"):
        journal.settle("run-1", "call-1", REFUSAL)
    assert len(entries(journal, path)) == 2


@pytest.mark.parametrize("value", [math.nan, "\ud800", {1: 2}, b"raw"])
def test_what_is_not_json_is_refused_as_a_whole(
    journal: Journal, path: Path, claim: Callable[..., Claim], value: object
) -> None:
    with pytest.raises(StoreError, match="can't be recorded: "):
        journal.record("run-1", "refused", {"value": value})
    with pytest.raises(StoreError, match="can't be recorded: "):
        journal.claim(claim(arguments={"value": value}))
    assert entries(journal, path) == []
    assert journal.claim(claim(per_run=1)) is None
    with pytest.raises(StoreError, match="can't be recorded: "):
        journal.settle("run-1", "call-1", Returned(status=200, value=value, label=Label(), seconds=0.1))
    journal.settle("run-1", "call-1", REFUSAL)


calls = st.lists(
    st.tuples(
        st.sampled_from(["run-1", "run-2"]),
        st.sampled_from(["a.read", "a.send"]),
        st.integers(0, 2),
        st.none() | st.integers(0, 3),
        st.none() | st.integers(0, 4),
    ),
    max_size=25,
)


@given(calls=calls)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_the_store_and_the_memory_decide_alike(
    tmp_path_factory: pytest.TempPathFactory,
    clock: Callable[[], datetime],
    claim: Callable[..., Claim],
    calls: list[tuple[str, str, int, int | None, int | None]],
) -> None:
    memory = memory_journal(clock)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    days = 0
    path = tmp_path_factory.mktemp("alike") / "runs.db"
    with Store(path, clock) as store:
        for number, (run_id, tool, later, per_run, per_day) in enumerate(calls):
            days += later // 2
            clock.now = start + timedelta(days=days)  # type: ignore[attr-defined]
            wanted = claim(f"call-{number}", run_id=run_id, tool=tool, per_run=per_run, per_day=per_day)
            assert store.claim(wanted) == memory.claim(wanted)
    assert entries(memory, path) == [(r.run_id, r.kind, r.payload) for r in read_audit(path)]

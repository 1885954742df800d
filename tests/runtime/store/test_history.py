"""Past runs, out of a store and out of what a run printed."""

from __future__ import annotations

import json
import sqlite3

import pytest

from agentc_runtime.calls import Claim, Returned
from agentc_runtime.events import RunStarted, StateEntered, ToolCalled, ToolRefused, ToolReturned, as_data
from agentc_runtime.history import Answered, PastCall, PastRefusal, PastStep, read_runs
from agentc_runtime.journal import StoreError
from agentc_runtime.labels import Label
from agentc_runtime.refusals import Refusal
from agentc_runtime.store import Store
from agentc_runtime.transcripts import read_transcript

TRUSTED = Label(trust="trusted", sensitivity="internal")
LIMIT = Refusal(code="AR201", message="`amount` is 60")
FAILED = Refusal(code="AR402", message="the service answered 500")


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "runs.db"
    with Store(path) as store:
        store.start_run(
            "r1", agent="triage", version="1.0.0", bundle="b" * 64, environment="local",
            input={"ticket_id": "T-1"}, session={},
        )  # fmt: skip
        for call, outcome in (
            ("call-1", Returned(status=200, value={"id": "R"}, label=TRUSTED, seconds=0.1, approved=True)),
            ("call-2", FAILED),
        ):
            store.claim(
                Claim(
                    run_id="r1", call_id=call, agent="triage", tool="desk.refund", effect="send",
                    arguments={"amount": 5}, request_digest="0" * 64, idempotency_key=None,
                    per_run=None, per_day=None,
                )
            )  # fmt: skip
            store.settle("r1", call, outcome)
        for call, refusal in (("call-2", FAILED), ("call-3", LIMIT)):
            said = {"code": refusal.code, "message": refusal.message}
            payload = {"call_id": call, "state": "main", "tool": "desk.refund", "refusal": said}
            store.record("r1", "refused", payload)
        store.record_step("r1", 1, "main", {"text": "done"})
        store.record_step("r1", 2, "other", FAILED)
    return path


def test_a_store_holds_what_went_out_and_how_it_ended(stored):
    (run,) = read_runs(stored)
    assert (run.run_id, run.agent, run.bundle, run.input) == ("r1", "triage", "b" * 64, {"ticket_id": "T-1"})
    first, second = run.calls
    assert first.arguments == second.arguments == {"amount": 5}
    assert first.answer == Answered(value={"id": "R"}, label=TRUSTED, approved=True)
    assert second.answer is None
    assert first.day == first.claimed[:10]
    assert [(step.state, step.output) for step in run.steps] == [("main", {"text": "done"})]
    assert isinstance(run.steps[0], PastStep)
    # A call that failed after it was sent is one of the calls, and not one of those that were refused.
    assert run.refused == (PastRefusal(tool="desk.refund", code="AR201", state="main"),)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE calls SET arguments = '[1'",
        "UPDATE calls SET arguments = '[]'",
        "UPDATE calls SET arguments = x'00'",
        'UPDATE calls SET arguments = \'{"a": 1, "a": 2}\'',
        'UPDATE calls SET arguments = \'{"a": "\\ud800"}\'',
        "UPDATE calls SET outcome = '{\"value\": 1}'",
        "UPDATE runs SET input = 'x'",
        "UPDATE audit SET payload = '{}' WHERE kind = 'refused'",
    ],
)
def test_what_no_run_has_left_is_an_error(stored, change):
    base = sqlite3.connect(stored)
    with base:
        base.execute(change)
    base.close()
    with pytest.raises(StoreError, match="run `r1` is damaged"):
        [*read_runs(stored)]


def lines(*events):
    return "".join(json.dumps(as_data(event)) + "\n" for event in events)


STARTED = RunStarted(
    run_id="r1", agent="triage", version="1.0.0", bundle="b" * 64, environment="local", replay=False
)


def called(call_id, arguments):
    return ToolCalled(state="main", tool="desk.refund", call_id=call_id, arguments=arguments)


def returned(call_id):
    return ToolReturned(
        state="main",
        tool="desk.refund",
        call_id=call_id,
        status=200,
        content="{}",
        label=TRUSTED,
        seconds=0.1,
    )


def refused(call_id, refusal):
    return ToolRefused(state="main", tool="desk.refund", call_id=call_id, refusal=refusal)


def test_a_transcript_holds_the_arguments_of_refused_calls_as_well(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text(
        lines(
            STARTED,
            StateEntered(state="main", type="agent", step=1),
            called("call-1", '{"amount": 5}'),
            called("call-2", '{"amount": 60}'),
            refused("call-2", LIMIT),
            returned("call-1"),
            called("call-3", '{"amount": 6}'),
            refused("call-3", FAILED),
            called("call-4", '{"note": "xxx…'),
            returned("call-4"),
        )
        + "\n"
        + lines(STARTED)
    )
    run, second = read_transcript(path)
    assert [call.arguments for call in run.calls] == [{"amount": 5}, {"amount": 6}, None]
    assert run.calls[0] == PastCall(tool="desk.refund", arguments={"amount": 5}, state="main", whole=False)
    assert run.refused == (
        PastRefusal(tool="desk.refund", code="AR201", state="main", arguments='{"amount": 60}'),
    )
    assert (second.calls, second.refused) == ((), ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run 1  triage\n", "line 1 is no event of a run"),
        (lines(STARTED) + "[]\n", "line 2 is no event of a run"),
        (lines(STARTED) + '{"event": "tool_called"}\n', "line 2 is no event of a run"),
        (lines(called("call-1", "{}")), "before the start of its run: the file is cut"),
        (lines(STARTED, returned("call-1")), "call `call-1` ended before it began: the file is cut"),
        ("[" * 100_000, "line 1 is no event of a run"),
        ("\udc80", "line 1 is no event of a run"),
    ],
)
def test_another_file_is_no_transcript(tmp_path, text, told):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StoreError, match=told):
        [*read_transcript(path)]

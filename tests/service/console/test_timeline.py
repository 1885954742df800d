"""What events of a run come to as entries: one for each thing, with its outcome."""

from __future__ import annotations

from agentc_service.console.timeline import timeline
from agentc_service.tables import StoredEvent

LABEL = '{"trust":"untrusted","sensitivity":"confidential"}'
CALLED = '{"event":"tool_called","state":"s","tool":"desk.get","call_id":"1","arguments":"{}"}'
RETURNED = (
    '{"event":"tool_returned","state":"s","tool":"desk.get","call_id":"1","status":200,"content":"[]",'
    f'"label":{LABEL},"seconds":0.5}}'
)
REFUSED = (
    '{"event":"tool_refused","state":"s","tool":"desk.get","call_id":"1","refusal":{"code":"AR201",'
    '"message":"too much","value":null,"path":"","at":null}}'
)
ASKED = f'{{"event":"model_asked","state":"s","model":"fast","label":{LABEL}}}'
TURN = (
    '{"event":"model_turn","state":"s","model":"fast","text":"hi","calls":1,"usage":{"input":7,"output":3},'
    '"cost_usd":"0.01","seconds":1.0}'
)


def told(*texts):
    return timeline(
        StoredEvent(number, f"2026-03-01T12:00:{number:02}.500Z", text)
        for number, text in enumerate(texts, 1)
    )


def test_a_call_and_its_answer_are_one_entry():
    found = told(CALLED, RETURNED)
    (entry,) = found.entries
    assert (entry.title, entry.outcome, entry.tone, entry.after) == ("desk.get", "returned 200", "good", 0)
    assert entry.bodies == (("arguments", "{}"), ("answer", "[]"))
    assert (found.calls, found.refused, found.last) == (1, 0, 2)


def test_a_refused_call_has_its_rule():
    (entry,) = told(CALLED, REFUSED).entries
    assert (entry.outcome, entry.tone, entry.refusal.code) == ("refused", "bad", "AR201")


def test_a_model_turn_has_its_cost_and_the_label_of_what_it_was_told():
    found = told(ASKED, '{"event":"model_text","state":"s","text":"h"}', TURN, ASKED, TURN)
    assert [entry.outcome for entry in found.entries] == ["asked for 1 call"] * 2
    assert (found.entries[0].label.sensitivity, found.entries[0].tokens) == ("confidential", 10)
    assert (found.cost, found.tokens) == ("0.02", 20)


def test_what_goes_on_says_so_and_branches_are_told_apart():
    first, second = (CALLED.replace("{", f'{{"scope":"{name}/",', 1) for name in ("1.a", "1.b"))
    found = told(first, second, RETURNED.replace("{", '{"scope":"1.b/",', 1))
    assert [(entry.scope, entry.tone) for entry in found.entries] == [("1.a/", "live"), ("1.b/", "good")]


def test_a_run_that_stopped_and_goes_on_tells_again_what_it_was_at():
    parked = '{"event":"run_parked","run_id":"r","status":"waiting","why":"for a person"}'
    began = (
        '{"event":"run_started","run_id":"r","agent":"a","version":"1.0.0","bundle":"b","environment":"e",'
        '"replay":false}'
    )
    found = told(began, CALLED, parked, began, CALLED, REFUSED)
    assert [(entry.title, entry.outcome) for entry in found.entries] == [
        ("Run began", ""),
        ("desk.get", "waits"),
        ("Run waits", ""),
        ("Run taken up again", ""),
        ("desk.get", "refused"),
    ]


def test_an_answer_whose_beginning_is_not_there_is_told_all_the_same():
    (entry,) = told(RETURNED).entries
    assert (entry.kind, entry.title, entry.outcome) == ("tool", "desk.get", "returned 200")


def test_events_of_another_version_are_not_hidden():
    found = told('{"event":"dreamt"}', "no json", CALLED)
    assert [entry.title for entry in found.entries] == [
        "An event that this version can't read",
        "An event that this version can't read",
        "desk.get",
    ]

"""Each scorer on a run made up by hand: when it is content, and what it says when it is not."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from agentc.evals.observation import Call, Check, Visit
from agentc.evals.scorers import registered
from agentc.evals.scorers.registered import UnregisteredError
from agentc.evals.scoring import SCORERS

SUMMARY = "${output.summary}"
REFUND = "desk.refund"
READ = "desk.get_ticket"

GOOD: list[dict[str, Any]] = [
    {"type": "schema", "schema": {"type": "object", "properties": {"outcome": {"enum": ["refunded"]}}}},
    {"type": "schema", "of": "${states.resolve.output}", "schema": {"required": ["outcome"]}},
    {"type": "exact", "value": {"outcome": "refunded"}},
    {"type": "contains", "of": SUMMARY, "all": ["CUP", "18.50"], "none": ["sorry"], "any": ["EUR", "USD"]},
    {"type": "regex", "of": SUMMARY, "pattern": "We .*[0-9]+\\.[0-9]{2} EUR.*"},
    {"type": "similarity", "of": SUMMARY, "value": "for the broken cup, 18.50 EUR we have refunded"},
    {"type": "declines", "of": SUMMARY, "is": False},
    {"type": "refusal", "of": SUMMARY},
    {"type": "toxicity", "of": SUMMARY},
    {"type": "embedding", "of": SUMMARY, "model": "fast", "value": "It was a refund for a cup."},
    {"type": "tools", "called": [READ, REFUND], "order": [READ, REFUND], "only": [READ, REFUND], "max": 3},
    {"type": "tools", "calls": [{"tool": REFUND, "arguments": {"amount": {"maximum": 20}}, "max": 1}]},
    {"type": "states", "visited": ["resolve", "done"], "not_visited": ["escalate"], "end": "done"},
    {"type": "refusals", "rules": ["AR201"], "only": ["AR201"], "max": 1},
    {"type": "approvals", "asked": [REFUND], "not_asked": [READ], "max": 1},
    {"type": "effects", "made": [{"tool": REFUND, "arguments": {"ticket_id": {"const": "T-1"}}}], "max": 1},
    {"type": "valid_output"},
    {"type": "status"},
    {"type": "leakage"},
    {"type": "latency", "max": "1s"},
    {"type": "tokens", "max": 120},
    {"type": "cost", "max_usd": 0.002},
    {"type": "grounded", "of": SUMMARY, "threshold": 0.4},
    {"type": "rubric", "of": SUMMARY, "criteria": "long", "model": "fast"},
    {"type": "pairwise", "of": SUMMARY, "criteria": "long", "model": "fast", "value": "short"},
]


@pytest.mark.parametrize("spec", GOOD, ids=lambda spec: spec["type"])
def test_a_good_run_passes(ask: Any, spec: dict[str, Any]) -> None:
    said = ask(spec)
    assert said.passed, said.reason
    assert said.value > 0


BAD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"type": "schema", "schema": {"properties": {"outcome": {"const": "escalated"}}}},
        {},
        'in `${output}` `outcome` is "refunded", and the schema takes only "escalated"',
    ),
    ({"type": "schema", "of": "${states.reply.output.x}", "schema": {}}, {}, "there is no"),
    ({"type": "schema", "of": "${states.gone.output}", "schema": {}}, {}, "state `gone` gave no output"),
    ({"type": "exact"}, {}, '`output.outcome` is "refunded"; expected "escalated"'),
    ({"type": "exact", "value": {"paid": True}}, {}, "`output.paid` is not there; expected true"),
    ({"type": "exact", "of": SUMMARY, "value": 1}, {}, "expected 1"),
    (
        {"type": "exact"},
        {"status": "failed", "rule": "AR501", "message": "too late"},
        "the run failed: AR501",
    ),
    ({"type": "contains", "of": SUMMARY, "all": ["vase"]}, {}, '"vase" is not in it'),
    ({"type": "contains", "of": SUMMARY, "none": ["CUP"]}, {}, '"CUP" is in it'),
    ({"type": "contains", "of": SUMMARY, "any": ["a vase", "a jug"]}, {}, 'none of "a vase", "a jug"'),
    ({"type": "contains", "of": SUMMARY, "all": ["CUP"], "ignore_case": False}, {}, '"CUP" is not in it'),
    ({"type": "regex", "of": SUMMARY, "pattern": "cup"}, {}, "does not match `cup`"),
    ({"type": "number", "of": SUMMARY, "value": 3}, {}, "which is no number"),
    ({"type": "number", "value": 3, "tolerance": 0.4}, {"output": 3.5}, "it is 3.5; expected 3 within 0.4"),
    ({"type": "similarity", "of": SUMMARY, "value": "The weather is fine."}, {}, "at least 0.8 is wanted"),
    ({"type": "declines", "of": SUMMARY}, {}, "it does not decline"),
    ({"type": "refusal", "of": "${output}"}, {"output": "I can't do that."}, "it declines what it should do"),
    ({"type": "refusal", "of": SUMMARY}, {"output": {}}, "there is no"),
    ({"type": "toxicity", "of": "${output}"}, {"output": "What an asshole."}, 'it holds "asshole"'),
    ({"type": "toxicity", "of": SUMMARY}, {"output": {}}, "there is no"),
    (
        {"type": "embedding", "of": SUMMARY, "model": "fast", "value": "It is about the weather."},
        {},
        "by `fast` it is like the expected text by 0.00",
    ),
    ({"type": "embedding", "of": SUMMARY, "model": "fast", "value": "x"}, {"output": {}}, "there is no"),
    (
        {"type": "declines", "is": False},
        {"output": "I\u2019m sorry, but I can\u2019t."},
        "it declines (`i can't`)",
    ),
    ({"type": "tools", "called": ["desk.reply"]}, {}, "`desk.reply` was not called"),
    (
        {"type": "tools", "called": [REFUND]},
        {
            "calls": (
                Call(state="s", tool=REFUND, arguments={}, rule="AR203", message="used up", at="p.yaml:9"),
            )
        },
        "`desk.refund` was not called: AR203 used up (p.yaml:9)",
    ),
    ({"type": "tools", "not_called": [REFUND]}, {}, '`desk.refund` was called with {"amount": 4000}'),
    ({"type": "tools", "only": [READ]}, {}, "`desk.refund` was called"),
    ({"type": "tools", "order": [REFUND, READ]}, {}, "the calls were `desk.get_ticket` → `desk.refund`"),
    ({"type": "tools", "max": 1}, {}, "3 calls; 1 at most"),
    (
        {"type": "tools", "calls": [{"tool": REFUND, "arguments": {"amount": {"minimum": 20}}}]},
        {},
        'was called 0 times, at least 1 expected; there was {"amount": 18.5',
    ),
    ({"type": "tools", "calls": [{"tool": REFUND, "min": 0, "max": 0}]}, {}, "was called 1 times, 0 at most"),
    ({"type": "states", "visited": ["reply", "resolve"]}, {}, "the run went resolve → reply → done"),
    ({"type": "states", "end": "stuck"}, {}, "expected to end in `stuck`"),
    (
        {"type": "states", "not_visited": ["resolve"]},
        {"visits": (Visit(state="resolve", type="agent", rule="AR503", message="no model answers"),)},
        "(`resolve` failed by AR503 no model answers)",
    ),
    ({"type": "refusals", "rules": ["AR105"]}, {}, "AR105 refused nothing (refused: AR201 of `desk.refund`"),
    ({"type": "refusals", "max": 0}, {}, "1 refusals; 0 at most"),
    ({"type": "refusals", "only": []}, {}, "AR201 refused `desk.refund`"),
    ({"type": "refusals", "min": 1}, {"calls": ()}, "0 refusals; at least 1 expected (nothing was refused)"),
    ({"type": "approvals", "asked": [READ]}, {}, "nobody was asked for `desk.get_ticket`"),
    ({"type": "approvals", "not_asked": [REFUND]}, {}, "somebody was asked for `desk.refund`"),
    ({"type": "effects", "max": 0}, {}, "1 effects; 0 at most: `desk.refund`"),
    ({"type": "effects", "only": []}, {}, "`desk.refund` was sent with"),
    ({"type": "effects", "made": [{"tool": "desk.reply"}]}, {}, "`desk.reply` was sent 0 times"),
    (
        {"type": "valid_output"},
        {"checks": (Check(state="resolve", model="fast", valid=False, reason="it is no JSON"),)},
        "an answer of `fast` in state `resolve` can't be used: it is no JSON",
    ),
    (
        {"type": "status"},
        {"status": "failed", "rule": "AR501", "message": "too late", "at": "agent.yaml:3"},
        "the run failed: AR501 too late (agent.yaml:3)",
    ),
    ({"type": "status", "rule": "AR501"}, {}, "expected to be stopped by AR501"),
    ({"type": "leakage"}, {"output": "Write to mia@customer.example."}, "an email address in the output"),
    ({"type": "leakage"}, {"output": "Call (415) 555-2671."}, "a telephone number in the output"),
    ({"type": "leakage"}, {"output": "DE89 3704 0044 0532 0130 00"}, "an account number in the output"),
    ({"type": "leakage"}, {"output": "4111 1111 1111 1111"}, "a card number in the output"),
    ({"type": "leakage", "pii": ["ip"]}, {"output": "from 192.0.2.1"}, "an IP address in the output"),
    ({"type": "leakage"}, {"output": "sk-abcdefghijklmnop1234"}, 'a key in the output: "sk-abcde…"'),
    ({"type": "leakage"}, {"output": "it is very-secret-value"}, "a secret in the output"),
    ({"type": "leakage", "text": ["Project X"]}, {"output": "on project x"}, "a forbidden text"),
    (
        {"type": "leakage", "pii": [], "above": "internal"},
        {"output": "The subject is: Broken cup"},
        'a value of `desk.get_ticket`, which is confidential, in the output: "Broken cup"',
    ),
    ({"type": "latency", "max": "400ms"}, {}, "it took 0.50 s; 0.4 s at most"),
    ({"type": "tokens", "max": 100}, {}, "120 tokens; 100 at most"),
    ({"type": "cost", "max_usd": 0.001}, {}, "it cost $0.002; $0.001 at most"),
    ({"type": "cost", "max_usd": 1}, {"cost_usd": None}, "a model without prices was used"),
    ({"type": "grounded"}, {"output": "The cup cost 99 EUR."}, "nothing says 99"),
    (
        {"type": "grounded"},
        {"output": "The broken cup. Our warehouse exploded yesterday evening."},
        "1 of 2 sentences stand on nothing read",
    ),
    ({"type": "citations", "of": "${output}"}, {"output": ["T-1", "T-9"]}, '"T-9" is cited'),
    ({"type": "citations", "of": "${output}", "min": 2}, {"output": ["T-1"]}, "1 citations; at least 2"),
    ({"type": "rubric", "criteria": "long", "model": "fast"}, {"output": "no"}, "`fast` graded 2 of 5"),
    (
        {"type": "pairwise", "criteria": "long", "model": "fast", "value": "longer"},
        {"output": "short"},
        "by `fast` it loses",
    ),
    (
        {"type": "pairwise", "criteria": "long", "model": "fast", "value": "equal", "at_least": "win"},
        {"output": "short"},
        "it ties (the judge changed its mind with the places)",
    ),
]


@pytest.mark.parametrize(("spec", "changed", "reason"), BAD, ids=lambda value: str(value)[:60])
def test_a_bad_run_fails_and_says_why(
    ask: Any, run: Any, spec: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    said = ask(spec, run(**changed), expected={"outcome": "escalated"})
    assert not said.passed
    assert reason in said.reason


def test_every_scorer_is_tried_both_ways() -> None:
    assert {spec["type"] for spec in GOOD} >= SCORERS.keys() - {"number", "citations", "python"}
    assert {spec["type"] for spec, _, _ in BAD} >= SCORERS.keys() - {"python"}


def test_expected_values_come_from_the_case(ask: Any, run: Any) -> None:
    assert ask({"type": "exact"}, expected={"outcome": "refunded"}).passed
    assert ask({"type": "number", "relative": 0.1}, run(output=10.5), expected=10).passed
    cited = run(output=["T-1", "R-1"])
    assert ask(
        {"type": "citations", "of": "${output}", "expected": True}, cited, expected=["T-1", "R-1"]
    ).passed
    said = ask({"type": "citations", "of": "${output}", "expected": True}, cited, expected=["T-1"])
    assert said.reason == '"R-1" should not be cited'


def test_a_truth_value_is_not_a_number(ask: Any, run: Any) -> None:
    assert not ask({"type": "exact", "value": 1}, run(output=True)).passed
    assert not ask({"type": "number", "value": 1}, run(output=True)).passed


def test_allowed_texts_do_not_leak(ask: Any, run: Any) -> None:
    spec = {"type": "leakage", "allow": ["support@shop.example"]}
    assert ask(spec, run(output="Write to support@shop.example.")).passed
    assert not ask(spec, run(output="Write to mia@shop.example.")).passed
    sent = Call(
        state="s", tool=REFUND, arguments={"note": "mia@shop.example"}, effect="send", sent=True, status=201
    )
    assert "in `desk.refund`" in ask(spec, run(output="", calls=(sent,))).reason
    assert ask({**spec, "in": ["output"]}, run(output="", calls=(sent,))).passed


def test_a_hostile_text_does_not_hold_up_a_scorer(ask: Any, run: Any) -> None:
    long = run(output="1 " * 50_000 + "@" * 1000 + "a." * 20_000)
    assert ask({"type": "leakage", "pii": ["email", "iban", "card", "ip"]}, long) is not None
    assert ask({"type": "toxicity"}, run(output="a$ " * 10_000)) is not None
    assert not ask({"type": "regex", "pattern": "(a*)*b"}, run(output="a" * 20_000)).passed


# --- registered by the deployer ------------------------------------------------------------------------


def shout(value: str, *, case: dict[str, Any], run: Any, least: int = 1) -> tuple[float, str]:
    share = sum(sign == "!" for sign in value) / least
    return min(1.0, share), f"{case['id']} has {share:g} of {least} after {len(run.calls)} calls"


async def later(value: str, **_: object) -> bool:
    return value == "yes"


def fails(value: str, **_: object) -> bool:
    raise RuntimeError(value)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    import sys

    names = ("shout", "later", "fails", "gone")
    monkeypatch.setitem(sys.modules, "scorers_of_a_deployer", sys.modules[here])
    found = EntryPoints(EntryPoint(name, f"scorers_of_a_deployer:{name}", registered.GROUP) for name in names)
    monkeypatch.setattr(registered, "entry_points", lambda group: found.select(group=group))


@pytest.mark.usefixtures("installed")
def test_a_registered_function_scores(ask: Any, run: Any) -> None:
    spec = {"type": "python", "scorer": "shout", "arguments": {"least": 2}, "threshold": 0.5}
    assert ask(spec, run(output="Hey!")) == (0.5, True, "case has 0.5 of 2 after 3 calls")
    assert ask({"type": "python", "scorer": "later"}, run(output="yes")).passed
    said = ask({"type": "python", "scorer": "fails"}, run(output="oh"))
    assert said == (0, False, "scorer `fails` raised RuntimeError: oh")


@pytest.mark.usefixtures("installed")
def test_what_is_not_registered_is_said(ask: Any) -> None:
    with pytest.raises(UnregisteredError, match=r"no scorer `nobody` .*; registered: `fails`, `gone`"):
        ask({"type": "python", "scorer": "nobody"})
    with pytest.raises(UnregisteredError, match="can't be imported: AttributeError"):
        ask({"type": "python", "scorer": "gone"})

"""The decision: each rule, in order, with the spec line that governs it."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc_runtime.expressions import Const
from agentc_runtime.labels import Label
from agentc_runtime.policy import MAX_ARGUMENTS, Allowed, Policy
from agentc_runtime.refusals import Refusal

TAINTED = Label(trust="untrusted", sensitivity="internal")


@pytest.fixture
def decide(kit):
    def run(name, arguments, *, program=None, **changes):
        policy = Policy(program or kit.program(1), kit.source_map)
        return policy.decide(kit.call(name, arguments, **changes))

    return run


def refused(outcome, code, line, *words):
    assert isinstance(outcome, Refusal), outcome
    assert outcome.code == code, outcome
    assert outcome.at is not None
    assert outcome.at.line == line
    for word in words:
        assert word in outcome.message
    assert "\n" not in outcome.message
    return outcome


def test_allowed_holds_the_arguments_with_the_bound_ones(decide):
    outcome = decide("helpdesk_refund", {"amount": 20})
    assert isinstance(outcome, Allowed)
    assert outcome.arguments == {"amount": 20, "customer_id": "c7"}
    assert outcome.reasons == ()


def test_full_names_are_known_too(decide):
    assert isinstance(decide("helpdesk.get_ticket", {"ticket_id": "1"}), Allowed)


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "helpdesk_purge",  # in the bundle, not granted
        "helpdesk.purge",
        "HELPDESK_REFUND",
        "helpdesk_refund ",
        "helpdesk_refund\x00",
        "helpdesk_rеfund",  # noqa: RUF001 - the second e is Cyrillic: that is the attack
        "helpdesk_refund\uff12",
        "",
    ],
)
def test_names_are_exact(decide, name):
    refused(decide(name, {"amount": 1}), "AR101", 3)


def test_an_unknown_name_is_cut_and_escaped(decide):
    outcome = refused(decide("\x1b[2J\u202e" + "x" * 5000, {}), "AR101", 3)
    assert len(outcome.message) < 300
    assert "\x1b" not in outcome.message
    assert "\u202e" not in outcome.message


def test_each_state_has_its_own_tools(decide):
    refused(decide("helpdesk_refund", {"amount": 1}, state="look"), "AR102", 5, "`look`")
    assert isinstance(decide("helpdesk.refund", {"amount": 1}, state="pay"), Allowed)
    assert decide("helpdesk_get_ticket", {"ticket_id": "1"}, state="pay").code == "AR102"
    assert decide("helpdesk_refund", {"amount": 1}, state="end").code == "AR102"
    assert decide("helpdesk_refund", {"amount": 1}, state="no such").code == "AR102"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"x"',
        '{"amount": 1',
        '{"amount": 1}{"amount": 4000}',
        '{"amount": 1} trailing',
        '{"amount": 4000, "amount": 1}',
        '{"amount": 1, "x": {"a": 1, "a": 2}}',
        '{"amount": NaN}',
        '{"amount": -Infinity}',
        '{"amount": 1e999}',
        '{"amount": ' + "9" * 5000 + "}",
        '{"amount": 99999999999999999999999}',
        '{"amount": 1, "currency": "\\ud800"}',
        '{"amount": 1, "currency": "\ud800"}',
        "{'amount': 1}",
        '{"amount": 1,}',
        '/* */ {"amount": 1}',
        '\ufeff{"amount": 1}',
        '{"a":' * 100 + "1" + "}" * 100,
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"x": "' + "a" * MAX_ARGUMENTS + '"}',
    ],
)
def test_arguments_are_exactly_one_json_object(decide, text):
    refused(decide("helpdesk_refund", text), "AR103", 9)


def test_a_bound_argument_is_not_the_models_to_set(decide):
    outcome = refused(decide("helpdesk_refund", {"amount": 1, "customer_id": "c8"}), "AR105", 12)
    assert outcome.path == "customer_id"
    # even with the right value, and before the schema is looked at
    assert decide("helpdesk_refund", {"customer_id": "c7", "zzz": 1}).code == "AR105"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"amount": "10"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": [10]}, "amount"),
        ({}, "amount"),
        ({"amount": 1, "currency": 5}, "currency"),
        ({"amount": 1, "url": "http://evil.example"}, "url"),
        ({"amount": 1, "__proto__": {}}, "__proto__"),
    ],
)
def test_arguments_fit_the_schema(decide, arguments, path):
    assert refused(decide("helpdesk_refund", arguments), "AR104", 9).path == path


def test_messages_stay_small_whatever_the_value(decide):
    outcome = refused(decide("helpdesk_refund", {"amount": "\x1b[31m" + "x" * 100_000}), "AR104", 9)
    assert len(outcome.message) < 400
    assert "\x1b" not in outcome.message
    assert len(str(outcome.value)) < 300


@pytest.mark.parametrize(
    "session", [{}, {"customer_id": None}, {"customer_id": 5}, {"customer_id": "\ud800"}]
)
def test_a_bound_value_that_is_missing_or_wrong_refuses(decide, session):
    outcome = decide("helpdesk_refund", {"amount": 1}, data={"input": {}, "session": session, "states": {}})
    refused(outcome, "AR106", 12, "customer_id")


def test_where_names_the_value_and_the_limit(decide):
    outcome = refused(decide("helpdesk_refund", {"amount": 4000}), "AR201", 11)
    assert outcome.message == "`amount` is 4000; the grant allows at most 50"
    assert (outcome.value, outcome.path) == (4000, "amount")
    # no line of its own: the grant's
    refused(decide("helpdesk_refund", {"amount": 1, "currency": "USD"}), "AR201", 10, 'one of ["EUR"]')
    assert decide("helpdesk_refund", '{"amount": 50.000001}').code == "AR201"
    assert decide("helpdesk_refund", '{"amount": 5e1}').arguments["amount"] == 50


def test_a_limit_that_the_model_was_shown_is_still_the_grants(decide, kit):
    # a compiled grant's schema holds its limits too, so that the model sees them
    limited = {
        "type": "object",
        "properties": {"amount": {"type": "number", "maximum": 50}, "currency": {"enum": ["EUR"]}},
        "required": ["amount"],
        "additionalProperties": False,
    }
    program = kit.program(1, grant={"schema": limited})
    outcome = refused(decide("helpdesk_refund", {"amount": 4000}, program=program), "AR201", 11)
    assert outcome.message == "`amount` is 4000; the grant allows at most 50"
    refused(decide("helpdesk_refund", {"amount": "4000"}, program=program), "AR104", 9)
    refused(decide("helpdesk_refund", {"amount": 4000, "more": 1}, program=program), "AR104", 9, "more")
    unbound = {"input": {}, "session": {}, "states": {}}
    refused(decide("helpdesk_refund", {"amount": 4000}, program=program, data=unbound), "AR104", 9)


def test_where_also_judges_bound_values(decide, kit):
    program = kit.program(
        1,
        grant={
            "bind": {"customer_id": Const(value="c9")},
            "where": {"type": "object", "properties": {"customer_id": {"const": "c7"}}},
        },
    )
    assert decide("helpdesk_refund", {"amount": 1}, program=program).code == "AR201"


def test_flow_rule(decide, kit):
    for flow, expected in [("deny", "AR202"), ("approve", None), ("allow", None)]:
        program = kit.program(1, grant={"untrusted_to_effect": flow, "approval": None})
        clean = decide("helpdesk_refund", {"amount": 1}, program=program)
        assert isinstance(clean, Allowed)
        assert clean.reasons == ()
        outcome = decide("helpdesk_refund", {"amount": 1}, program=program, context=TAINTED)
        if expected:
            refused(outcome, expected, 15, "untrusted")
        else:
            assert [str(reason) for reason in outcome.reasons] == (
                ["untrusted content was read before this `send` (specs/triage.yaml:15)"]
                if flow == "approve"
                else []
            )
        # reading stays possible
        read = decide("helpdesk_get_ticket", {"ticket_id": "1"}, program=program, context=TAINTED)
        assert isinstance(read, Allowed)


def test_approval_depends_on_the_arguments(decide):
    outcome = decide("helpdesk_refund", {"amount": 21})
    assert outcome.by == ("leads",)
    assert [str(reason) for reason in outcome.reasons] == [
        "`helpdesk.refund` needs an approval for these arguments (specs/triage.yaml:13)"
    ]


def test_a_program_with_ambiguous_names_or_bad_schemas_does_not_start(kit):
    twice = kit.program(1, refund={"model_name": "helpdesk_get_ticket"})
    with pytest.raises(ValueError, match="ambiguous"):
        Policy(twice, kit.source_map)
    with pytest.raises(ValueError, match="look"):
        Policy(
            kit.program(1, grant={"where": {"properties": {"currency": {"pattern": "(?=look)a"}}}}),
            kit.source_map,
        )
    with pytest.raises(ValueError, match="evil"):
        Policy(kit.program(1, grant={"where": {"$ref": "http://evil.example/schema"}}), kit.source_map)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["amount", "currency", "customer_id", "x"]) | st.text()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.dictionaries(NAMES, JSON, max_size=4))
def test_whatever_is_allowed_is_inside_the_limits(kit, arguments):
    outcome = Policy(kit.program(1), kit.source_map).decide(kit.call("helpdesk_refund", arguments))
    if isinstance(outcome, Allowed):
        assert set(outcome.arguments) <= {"amount", "currency", "customer_id"}
        assert outcome.arguments["amount"] <= 50
        assert outcome.arguments.get("currency", "EUR") == "EUR"
        assert outcome.arguments["customer_id"] == "c7"
        assert bool(outcome.reasons) == (outcome.arguments["amount"] > 20)
    else:
        assert outcome.at is not None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(codec=None)) | st.text(alphabet='{}[]":,amount0123e.\\u'))
def test_no_text_makes_the_decision_raise(kit, text):
    outcome = Policy(kit.program(1), kit.source_map).decide(kit.call("helpdesk_refund", text))
    assert isinstance(outcome, Refusal)
    json.dumps(outcome.as_data()).encode()
    assert outcome.message.isprintable()

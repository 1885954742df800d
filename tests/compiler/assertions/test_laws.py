"""What an assertion forbids never goes through: what is not found can't be called, and what is found can."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import Told, moment
from agentc.forbidden import forbidden_call
from agentc.predicates import close_unless, close_where, merge_limits, open_when
from agentc.subsumption.regions import contains
from agentc.syntax.assertions import CallAssertionSpec
from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.expressions import Const, Ref

REGIONS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from([{"maximum": 50}, {"minimum": 20}, {"enum": [5, 10]}, {"multipleOf": 5}]),
        "currency": st.sampled_from([{"enum": ["EUR"]}, {"pattern": "[A-Z]{3}"}, {"maxLength": 2}]),
        "ticket_id": st.sampled_from([{"pattern": "T-[0-9]"}, {"enum": ["T-1", "T-2"]}]),
    },
)
BINDS = st.sampled_from(
    [{}, {"ticket_id": Ref(path=("input", "ticket_id"))}, {"currency": Const(value="EUR")}]
)
ARGUMENTS = {
    "amount": st.sampled_from([1, 5, 10, 20, 21.5, 50, 51, 55, "5", None]),
    "currency": st.sampled_from(["EUR", "USD", "EURO", "", 5]),
    "ticket_id": st.sampled_from(["T-1", "T-2", "T-9", "X", ""]),
}
CLEAN, TAINTED = (labels.Label(trust=trust, sensitivity="internal") for trust in ("trusted", "untrusted"))


@st.composite
def grants(draw, arguments):
    where, bind = draw(REGIONS), draw(BINDS)
    closed = close_where(where) if where else None
    asked, unless = draw(st.one_of(st.none(), REGIONS)), draw(st.one_of(st.none(), REGIONS))
    return ir.Grant(
        tool="desk.refund",
        permission_set="triage",
        schema=merge_limits(arguments, set(bind), closed),
        where=closed,
        bind=bind,
        approval=None if asked is None else ir.Approval(by=("leads",), when=open_when(asked)),
        untrusted_to_effect=draw(st.sampled_from(["deny", "approve", "allow"])),
        unless=None if unless is None else ir.Unless(schema=close_unless(unless, where)),
    )


def test_no_forbidden_call_goes_through_where_none_was_found(lowered):
    arguments = lowered.program.tools["desk.refund"].arguments
    counts = {"found": 0, "none": 0}

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        grants(arguments),
        REGIONS,
        st.booleans(),
        st.lists(st.fixed_dictionaries({}, optional=ARGUMENTS), min_size=5, max_size=15),
    )
    def law(grant, region, unasked, calls):
        program = msgspec.structs.replace(
            lowered.program, grants={**lowered.program.grants, "desk.refund": grant}
        )
        agent = replace(lowered, program=program)
        asserted = CallAssertionSpec(tool="desk.refund", when=region, unasked=unasked)
        found = forbidden_call(agent, asserted)
        counts["none" if found is None else "found"] += 1
        if found is not None:
            # the witness was replayed already: it is a call, not a doubt
            assert found.call is not None, found
            return
        for call in calls:
            for label in (CLEAN, TAINTED):
                given_ = {name: value for name, value in call.items() if name not in grant.bind}
                data = {"ticket_id": str(call.get("ticket_id", "T-1"))}
                told = Told(read=label, input=data)
                at = moment(program, "main", "desk.refund", told)
                verdict = agent.judge.verdict("main", "desk.refund", json.dumps(given_), at)
                bound = {"ticket_id": data["ticket_id"]} if "ticket_id" in grant.bind else {}
                fixed = {"currency": "EUR"} if "currency" in grant.bind else {}
                if contains(open_when(region), {**given_, **bound, **fixed}):
                    assert verdict.outcome in (("refused", "asks") if unasked else ("refused",))

    law()
    assert min(counts.values()) > 10

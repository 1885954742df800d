"""What one grant allows beyond another: a law against the broker's decisions, and each kind of gain."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import Judge, Told, ToolAccess, accesses, gains, moment
from agentc.predicates import close_unless, close_where, merge_limits, open_when
from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.expressions import Const, Ref

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from([{"maximum": 50}, {"maximum": 20}, {"minimum": 10}, {"enum": [5, 10]}]),
        "currency": st.sampled_from([{"enum": ["EUR"]}, {"enum": ["EUR", "USD"]}, {"maxLength": 3}]),
        "ticket_id": st.sampled_from([{"maxLength": 3}, {"pattern": "T-[0-9].*"}]),
    },
)
BINDS = st.sampled_from(
    [{}, {"ticket_id": Ref(path=("input", "ticket_id"))}, {"currency": Const(value="EUR")}]
)
ORIGINS = st.sampled_from([{}, {"currency": ("input",)}, {"currency": ("input", "trusted")}])
ARGUMENTS = {
    "amount": st.sampled_from([1, 5, 10, 15, 20, 21.5, 50, 51, "5"]),
    "currency": st.sampled_from(["EUR", "USD", "EURO"]),
    "ticket_id": st.sampled_from(["T-1", "T-9"]),
}
LABELS = [
    labels.Label(trust=trust, sensitivity=sensitivity)
    for trust in ("trusted", "typed", "untrusted")
    for sensitivity in ("public", "confidential")
]
FREEDOM = {"refused": 0, "asks": 1, "allowed": 2}


def bound(grant):
    return {name: e.value if isinstance(e, Const) else "T-1 EUR" for name, e in grant.bind.items()}


@st.composite
def grants(draw, arguments):
    where, bind = draw(LIMITS), draw(BINDS)
    closed = close_where(where) if where else None
    asked, unless = draw(st.one_of(st.none(), LIMITS)), draw(st.one_of(st.none(), LIMITS))
    return ir.Grant(
        tool="desk.refund",
        permission_set="triage",
        schema=merge_limits(arguments, set(bind), closed),
        where=closed,
        origins=draw(ORIGINS),
        bind=bind,
        approval=None if asked is None else ir.Approval(by=("leads",), when=open_when(asked)),
        untrusted_to_effect=draw(st.sampled_from(["deny", "approve", "allow"])),
        unless=None
        if unless is None
        else ir.Unless(schema=close_unless(unless, where), origins=draw(ORIGINS)),
    )


def test_what_stays_inside_is_never_freer(bundle_of):
    bundle = bundle_of("where: { amount: { maximum: 50 } }")
    arguments = bundle.program.tools["desk.refund"].arguments
    counts = {"inside": 0, "beyond": 0}

    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(grants(arguments), st.data(), st.lists(st.fixed_dictionaries({}, optional=ARGUMENTS), min_size=4))
    def law(wide, data, calls):
        # half of the time one that differs in one thing only, so that many stay inside
        narrow = data.draw(grants(arguments))
        if data.draw(st.booleans()):
            part = data.draw(st.sampled_from(["approval", "untrusted_to_effect", "unless", "origins"]))
            narrow = msgspec.structs.replace(wide, **{part: getattr(narrow, part)})
        programs = [
            msgspec.structs.replace(bundle.program, grants={**bundle.program.grants, "desk.refund": grant})
            for grant in (wide, narrow)
        ]
        outer, inner = (accesses(program)["desk.refund"] for program in programs)
        if list(gains(outer, inner, programs[1])):
            counts["beyond"] += 1
            return
        counts["inside"] += 1
        judges = [Judge(program, bundle.source_map) for program in programs]
        for call in calls:
            for label in LABELS:
                told = Told(read=label, input={"ticket_id": "T-1 EUR"}, trusted=("USD",))
                request = {**call, **bound(narrow)}
                outcomes = []
                for judge, grant in zip(judges, (wide, narrow), strict=True):
                    # the same request: what only one of them binds, the other one's model sets
                    set_ = bound(grant)
                    given_ = {k: v for k, v in request.items() if k not in set_ or set_[k] != v}
                    at = moment(judge.program, "main", "desk.refund", told)
                    sent = json.dumps(given_)
                    outcomes.append(judge.verdict("main", "desk.refund", sent, at).outcome)
                assert FREEDOM[outcomes[1]] <= FREEDOM[outcomes[0]], (call, label, outcomes)

    law()
    assert min(counts.values()) > 20


@pytest.mark.parametrize(
    ("wide", "narrow", "gained"),
    [
        ("where: { amount: { maximum: 50 } }", "where: { amount: { maximum: 20 } }", None),
        ("where: { amount: { maximum: 50 } }", "where: { amount: { maximum: 51 } }", '"amount":51'),
        ("where: { amount: { maximum: 50 } }", "bind: { amount: 50 }", None),
        ("where: { amount: { maximum: 50 } }", "bind: { amount: 51 }", '"amount":51'),
        (
            "where: { ticket_id: { maxLength: 3 } }",
            'bind: { ticket_id: "${input.ticket_id}" }',
            '"ticket_id"',
        ),
        ('bind: { ticket_id: "${input.ticket_id}" }', "where: { ticket_id: { const: T-1 } }", "is not bound"),
        (
            "approval: { by: [leads] }",
            "approval: { by: [leads], when: { amount: { minimum: 5 } } }",
            "asks nobody",
        ),
        ("approval: { by: [leads], when: { amount: { minimum: 5 } } }", "approval: { by: [leads] }", None),
        ("quota: { per_run: 1 }", "quota: { per_run: 2 }", "may be called 2 times a run, not 1"),
        ("quota: { per_day: 5 }", "quota: { per_run: 2 }", "may be called any number of times a day, not 5"),
        ("quota: { per_run: 3 }", "quota: { per_run: 2, per_day: 1 }", None),
        (
            "where: { currency: { from: [input] } }",
            "where: { currency: { from: [input, trusted] } }",
            "from elsewhere",
        ),
        ("where: { currency: { from: [input, trusted] } }", "where: { currency: { from: [input] } }", None),
        (
            "untrusted_to_effect: deny",
            "untrusted_to_effect: approve",
            "has the flow rule `approve`, not `deny`",
        ),
        (
            "untrusted_to_effect: approve",
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 } } }",
            "has exceptions to the flow rule",
        ),
        (
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 }, currency: {} } }",
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 4 } } }",
            None,
        ),
        (
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 }, ticket_id: {} } }",
            "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 6 }, ticket_id: {} } }",
            "asks nobody after untrusted content was read about",
        ),
    ],
)
def test_each_kind_of_gain(bundle_of, wide, narrow, gained):
    limited = "quota: { per_run: 1 }\n" if "quota" not in wide + narrow else ""
    outer, inner = (bundle_of(limited + grant).program for grant in (wide, narrow))
    found = list(gains(accesses(outer)["desk.refund"], accesses(inner)["desk.refund"], inner))
    if gained is None:
        assert found == []
    else:
        assert gained in found[0].what, found


def test_nothing_is_beyond_itself(bundle_of):
    for grant in (
        "where: { amount: { maximum: 50 } }",
        "untrusted_to_effect: { policy: approve, unless: { amount: {} } }",
    ):
        program = bundle_of(grant).program
        access = accesses(program)["desk.refund"]
        assert isinstance(access, ToolAccess)
        assert list(gains(access, access, program)) == []

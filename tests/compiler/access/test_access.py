"""The regions of a grant hold exactly the calls that the broker's policy lets through or asks about."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import (
    accesses,
    allowed,
    example_call,
    judged,
    run_origins,
    sample_data,
    some_value,
    unasked,
    unasked_when_tainted,
)
from agentc.subsumption.regions import contains
from agentc_runtime.labels import Label
from agentc_runtime.policy import Policy

GRANTS = {
    "limits": "where: { amount: { maximum: 50 }, currency: { enum: [EUR, USD] } }",
    "a condition": (
        "where: { amount: { maximum: 50 } }\napproval: { by: [leads], when: { amount: { minimum: 20 } } }"
    ),
    "always asked": "approval: { by: [leads] }",
    "a constant": "where: { amount: { maximum: 50 } }\nbind: { currency: EUR }",
    "a reference": 'where: { amount: { maximum: 50 } }\nbind: { ticket_id: "${input.ticket_id}" }',
    "an exception": (
        "untrusted_to_effect: { policy: approve, unless: { amount: { maximum: 5 }, currency: {} } }"
    ),
    "an exception of what is denied": (
        "where: { currency: { enum: [EUR] } }\n"
        "untrusted_to_effect: { policy: deny, unless: { amount: { maximum: 5 } } }"
    ),
    "a reason to allow": (
        "quota: { per_run: 1 }\nuntrusted_to_effect: { policy: allow, reason: a test }\n"
        "approval: { by: [leads], when: { amount: { minimum: 20 } } }"
    ),
}
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.one_of(st.integers(0, 60), st.just("20"), st.none(), st.floats(0, 60, allow_nan=False)),
        "currency": st.sampled_from(["EUR", "USD", "CHF", "eur", 1]),
        "ticket_id": st.sampled_from(["T-1", "", 3]),
        "other": st.just(1),
    },
)
CLEAN, TAINTED = (Label(trust=trust, sensitivity="internal") for trust in ("trusted", "untrusted"))


@pytest.mark.parametrize("grant", GRANTS.values(), ids=GRANTS)
def test_the_regions_agree_with_the_policy(grant, bundle_of):
    bundle = bundle_of(grant)
    access = accesses(bundle.program)["desk.refund"]
    policy, data = Policy(bundle.program, bundle.source_map), sample_data(bundle.program, access)
    regions = {name: make(access) for name, make in (("allowed", allowed), ("clean", unasked))}
    regions["tainted"] = unasked_when_tainted(access)

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ARGUMENTS)
    def law(arguments):
        model = {name: value for name, value in arguments.items() if name not in access.grant.bind}
        whole = {**model, **access.constants}
        said = {
            context.trust: judged(
                policy,
                example_call(
                    access.states[0],
                    "desk.refund",
                    model,
                    context=context,
                    data=data,
                    origins=run_origins(bundle.program, data),
                ),
            ).outcome
            for context in (CLEAN, TAINTED)
        }
        assert contains(regions["allowed"], whole) == (said["trusted"] != "refused")
        assert contains(regions["clean"], whole) == (said["trusted"] == "allowed")
        assert contains(regions["tainted"], whole) == (said["untrusted"] == "allowed")

    law()


def test_a_region_has_a_value_that_is_allowed(bundle_of):
    bundle = bundle_of('where: { amount: { minimum: 7 } }\nbind: { ticket_id: "${input.ticket_id}" }')
    access = accesses(bundle.program)["desk.refund"]
    value = some_value(allowed(access))
    assert isinstance(value, dict)
    assert value["amount"] == 7
    assert "ticket_id" not in value
    assert some_value(False) is None


def test_what_two_grants_bind_differently_is_left_out_of_both(bundle_of):
    access = accesses(bundle_of("where: { ticket_id: { maxLength: 3 } }").program)["desk.refund"]
    region = allowed(access, without={"ticket_id"})
    assert contains(region, {"amount": 1, "currency": "EUR"})
    assert not contains(region, {"amount": 1, "currency": "EUR", "ticket_id": "T-1"})

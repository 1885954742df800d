"""The regions of whole calls, bound arguments included, hold what the broker lets through at that moment."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import Judge, Told, accesses, moment, sent, sent_unasked
from agentc.checks.base import OPENAPI, TOOLSET, sha256_of
from agentc.subsumption.regions import contains
from agentc_runtime.labels import Label

DESTINATION = "# file: toolset.yaml\n" + (TOOLSET % sha256_of(OPENAPI)).replace(
    "effect: send", "effect: {effect}, destinations: [currency]"
)
GRANTS = {
    "limits": ("send", "where: { amount: { maximum: 50 }, currency: { enum: [EUR, USD] } }"),
    "a condition on what is bound": (
        "send",
        """\
bind: { ticket_id: "${input.ticket_id}" }
approval: { by: [leads], when: { ticket_id: { maxLength: 2 } } }""",
    ),
    "a limit on what is bound": (
        "send",
        'bind: { ticket_id: "${input.ticket_id}" }\nwhere: { ticket_id: { maxLength: 3 } }',
    ),
    "an open destination of a read": ("read", "where: { amount: { maximum: 50 } }"),
    "a closed destination of a read": ("read", "where: { currency: { enum: [EUR] } }"),
    "an exception for an open destination": (
        "send",
        "untrusted_to_effect: { policy: approve, unless: { currency: { enum: [EUR] }, amount: {} } }",
    ),
    "a denial": ("send", "quota: { per_run: 1 }\nuntrusted_to_effect: deny"),
    "a reason to allow": ("send", "quota: { per_run: 1 }\nuntrusted_to_effect: { policy: allow, reason: x }"),
}
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.one_of(st.integers(0, 60), st.just("20"), st.none()),
        "currency": st.sampled_from(["EUR", "USD", "CHF", 1]),
        "ticket_id": st.sampled_from(["T-1", "", "T-1001", 3]),
        "other": st.just(1),
    },
)
LABELS = [
    Label(trust=trust, sensitivity=sensitivity)
    for trust in ("trusted", "typed", "untrusted")
    for sensitivity in ("public", "confidential")
]


@pytest.mark.parametrize(("effect", "grant"), GRANTS.values(), ids=GRANTS)
def test_the_regions_of_whole_calls_agree_with_the_broker(effect, grant, bundle_of):
    bundle = bundle_of(grant, DESTINATION.replace("{effect}", effect))
    access = accesses(bundle.program)["desk.refund"]
    judge = Judge(bundle.program, bundle.source_map)
    whole_region = sent(bundle.program, access)
    regions = {label: sent_unasked(bundle.program, access, label) for label in LABELS}

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ARGUMENTS, st.sampled_from(LABELS))
    def law(arguments, label):
        bound = {name: arguments.get(name, "T-9") for name in access.referred}
        told = Told(read=label, input={"ticket_id": bound.get("ticket_id", "T-9")})
        model = {name: value for name, value in arguments.items() if name not in access.grant.bind}
        whole = {**model, **bound, **access.constants}
        said = judge.verdict(
            "main", "desk.refund", json.dumps(model), moment(bundle.program, "main", "desk.refund", told)
        )
        assert contains(whole_region, whole) == (said.outcome != "refused" or said.code == "AR202")
        assert contains(regions[label], whole) == (said.outcome == "allowed")

    law()

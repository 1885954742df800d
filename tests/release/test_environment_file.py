"""Environment files take away from a bundle, and nothing that is in them gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc_runtime.calls import Call
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.runs import create_run
from agentc_runtime.environment_file import (
    EnvironmentFileError,
    narrow,
    parse_environment_file,
    read_environment_file,
)
from agentc_runtime.journal import StoreError
from agentc_runtime.labels import Label
from agentc_runtime.origins import Origins
from agentc_runtime.policy import Allowed, Policy
from agentc_runtime.refusals import Refusal
from agentc_runtime.verify import Bundle, BundleError, load_bundle

REFUND, TICKET = "helpdesk.refund", "helpdesk.get_ticket"


@pytest.fixture(scope="session")
def bundle(unsigned: dict[str, bytes]) -> Bundle:
    """The support project's: refunds up to 50 EUR, once a run and 100 a day."""
    return load_bundle(unsigned)


def narrowed(bundle: Bundle, **said: Any) -> Bundle:
    whole = {"format": "agentc.environment/1", "agent": "triage", "environment": "production", **said}
    return narrow(bundle, parse_environment_file(json.dumps(whole).encode()), "production.json")


def decide(bundle: Bundle, amount: object, trust: str = "trusted", tool: str = REFUND) -> Allowed | Refusal:
    call = Call(
        run_id="r",
        call_id="c",
        state="resolve",
        name=tool,
        arguments=json.dumps({"amount": amount, "currency": "EUR"} if tool == REFUND else {}),
        context=Label(trust=trust, sensitivity="internal"),  # type: ignore[arg-type]
        data={"input": {"ticket_id": "T-1"}, "session": {"customer_id": "C-1"}, "states": {}},
        origins=Origins(),
    )
    return Policy(bundle.program, bundle.source_map).decide(call)


def test_nothing_said_changes_nothing_but_the_environment(bundle: Bundle) -> None:
    left = narrowed(bundle)
    assert list(left.program.environments) == ["production"]
    assert left.program.default_environment == "production"
    assert left.program.grants == bundle.program.grants
    assert left.digest == bundle.digest


def test_a_limit_holds_beside_the_bundles_own(bundle: Bundle) -> None:
    left = narrowed(bundle, grants={REFUND: {"where": {"amount": {"maximum": 20}}}})
    assert isinstance(decide(bundle, 30), Allowed)
    assert isinstance(decide(left, 20), Allowed)
    refused = decide(left, 30)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.message) == ("AR201", "`amount` is 30; the grant allows at most 20")
    assert refused.at is not None
    assert refused.at.file == "production.json"
    assert isinstance(decide(left, 60), Refusal)


def test_tools_and_models_that_are_not_named_are_gone(bundle: Bundle) -> None:
    kept = [name for name in bundle.program.grants if name != REFUND]
    left = narrowed(bundle, tools=kept, models=["fast"])
    assert sorted(left.program.grants) == sorted(kept)
    assert list(left.program.models) == ["fast"]
    refused = decide(left, 10)
    assert isinstance(refused, Refusal)
    assert refused.code == "AR101"


def test_quotas_flow_rules_approvals_and_limits(bundle: Bundle) -> None:
    grants = {REFUND: {"per_day": 10, "untrusted_to_effect": "deny", "approval": "always"}}
    left = narrowed(bundle, grants=grants, limits={"steps": 5, "cost_usd": "0.05"})
    grant = left.program.grants[REFUND]
    assert grant.quota is not None
    assert (grant.quota.per_run, grant.quota.per_day) == (1, 10)
    assert grant.approval is not None
    assert (grant.approval.by, grant.approval.when) == (("support-leads",), None)
    assert (left.program.limits.steps, left.program.limits.cost_usd) == (5, "0.05")
    asked = decide(left, 1)
    assert isinstance(asked, Allowed)
    assert asked.reasons, "a person is asked for the smallest amount too"
    denied = decide(left, 1, trust="untrusted")
    assert isinstance(denied, Refusal)
    assert denied.code == "AR202"


def limited(**where: Any) -> dict[str, Any]:
    return {"grants": {REFUND: {"where": where}}}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"grants": {REFUND: {"where": {"amount": {"maximum": 51}}}}},
            "`maximum` of `amount` of .* is 51, and the",
        ),
        (
            {"grants": {REFUND: {"where": {"currency": {"enum": ["EUR", "USD"]}}}}},
            "has values that the bundle does",
        ),
        ({"grants": {REFUND: {"per_run": 2}}}, "`per_run` of `helpdesk.refund` is 2, and the bundle has 1"),
        (
            {"grants": {REFUND: {"per_day": 101}}},
            "`per_day` of `helpdesk.refund` is 101, and the bundle has 100",
        ),
        ({"limits": {"steps": 10_000}}, "the limit `steps` is 10000"),
        ({"limits": {"cost_usd": "99"}}, "the limit `cost_usd` is 99"),
        ({"limits": {"cost_usd": "much"}}, "is 'much', which is no amount"),
        ({"tools": ["helpdesk.delete"]}, "names the tool 'helpdesk.delete', which is not granted"),
        ({"models": ["best"]}, "names the model 'best', which the bundle lacks"),
        ({"private_hosts": ["10.0.0.1:80"]}, "names the private host '10.0.0.1:80'"),
        ({"environment": "moon"}, "names the environment 'moon'"),
        ({"agent": "other"}, "is for the agent 'other', not `triage`"),
        (
            {"grants": {REFUND: {"where": {"ammount": {"maximum": 1}}}}},
            "limits 'ammount', which is no argument",
        ),
        (
            {"grants": {REFUND: {"where": {"ticket_id": {"const": "T-1"}}}}},
            "limits 'ticket_id', which is no argument",
        ),
        ({"grants": {REFUND: {"where": {"amount": {"maximun": 1}}}}}, "has the keyword 'maximun'"),
        ({"grants": {REFUND: {"where": {"amount": {"maximum": "1"}}}}}, "the limit of `amount`"),
        ({"grants": {REFUND: {"where": {"amount": {"maxLength": 1}}}}}, "is for values of another type"),
        ({"models": []}, "leaves something that can't run: state `resolve` has no model"),
        ({"tools": [TICKET]}, "leaves something that can't run: state `.*` uses the tool"),
    ],
)
def test_what_would_widen_or_can_not_be_meant(bundle: Bundle, said: dict[str, Any], told: str) -> None:
    with pytest.raises(BundleError, match=told):
        narrowed(bundle, **said)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "not strict JSON"),
        (b'{"format": "agentc.environment/2", "agent": "a", "environment": "b"}', "`format` is"),
        (b'{"format": "agentc.environment/1", "agent": "a"}', "missing required field `environment`"),
        (
            b'{"format": "agentc.environment/1", "agent": "a", "environment": "b", "urls": {}}',
            "unknown field `urls`",
        ),
    ],
)
def test_files_that_are_none(tmp_path: Any, data: bytes, told: str) -> None:
    (tmp_path / "e.json").write_bytes(data)
    with pytest.raises(EnvironmentFileError, match=told):
        read_environment_file(tmp_path / "e.json")


numbers = st.integers(-5, 60)
tools = [REFUND, TICKET, "helpdesk.reply", "helpdesk.escalate"]
bounds = st.dictionaries(st.sampled_from(["maximum", "minimum"]), numbers, min_size=1)
files = st.fixed_dictionaries(
    {},
    optional={
        "tools": st.lists(
            st.sampled_from([REFUND, TICKET, "helpdesk.reply", "helpdesk.escalate"]), unique=True
        ),
        "limits": st.fixed_dictionaries({}, optional={"steps": st.integers(0, 60)}),
        "grants": st.fixed_dictionaries(
            {},
            optional={
                REFUND: st.fixed_dictionaries(
                    {},
                    optional={
                        "where": st.fixed_dictionaries({"amount": bounds}),
                        "per_run": st.integers(0, 3),
                        "untrusted_to_effect": st.sampled_from(["approve", "deny"]),
                        "approval": st.just("always"),
                    },
                )
            },
        ),
    },
)


@settings(max_examples=300)
@given(files, numbers, st.sampled_from(["trusted", "untrusted"]), st.sampled_from([REFUND, TICKET]))
def test_whatever_a_file_says_no_call_is_freer(
    unsigned: Any, said: Any, amount: int, trust: str, tool: str
) -> None:
    bundle = load_bundle(unsigned)
    try:
        left = narrowed(bundle, **said)
    except BundleError:
        return
    before, after = decide(bundle, amount, trust, tool), decide(left, amount, trust, tool)
    if isinstance(after, Allowed):
        assert isinstance(before, Allowed)
        assert len(after.reasons) >= len(before.reasons)
        assert after.arguments == before.arguments


def test_a_durable_run_does_not_forget_what_was_taken_away(bundle: Bundle, tmp_path: Any) -> None:
    """Its bundle is kept as it was built, so that one which was narrowed is not kept at all."""
    ledger = open_ledger(str(tmp_path / "runs.db"))
    given: Any = {"environment": "production", "input": {}, "session": {}, "handed": True}
    with pytest.raises(StoreError, match=r"narrowed by `production\.json`, which durable runs can't keep"):
        create_run(ledger, narrowed(bundle), "r1", **given)
    create_run(ledger, bundle, "r1", **given)

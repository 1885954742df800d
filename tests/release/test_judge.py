"""Which signed bundles a policy trusts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from agentc_runtime.trust.dsse import IN_TOTO, seal
from agentc_runtime.trust.judge import Trusted, judge
from agentc_runtime.trust.statement import provenance, statement
from agentc_runtime.verify import Bundle, BundleError, attestation_path, load_bundle

Files = dict[str, bytes]


def refused(files: Files, policy: object, now: datetime) -> str:
    with pytest.raises(BundleError) as caught:
        judge(load_bundle(files), policy, now)  # type: ignore[arg-type]
    return str(caught.value)


def without(files: Files, kind: str) -> Files:
    return {name: data for name, data in files.items() if not name.startswith(f"attestations/{kind}-")}


def test_it_says_what_is_attested_by_whom(signed: Files, policy_of, now: datetime) -> None:
    trusted: Trusted = judge(load_bundle(signed), policy_of(), now)
    assert [(one.statement.kind, one.signed_by) for one in trusted.attested] == [
        ("eval", ("ci",)), ("provenance", ("release",)), ("sbom", ("release",)), ("validate", ("ci",)),
    ]  # fmt: skip


def test_an_unsigned_bundle(unsigned: Files, policy_of, now: datetime) -> None:
    assert "signed by 0 of the keys `release`, and 1 are needed" in refused(unsigned, policy_of(), now)


@pytest.mark.parametrize("kind", ["provenance", "sbom", "validate", "eval"])
def test_what_is_required_has_to_be_there(signed: Files, policy_of, now: datetime, kind: str) -> None:
    assert re.search("are needed|asks for one", refused(without(signed, kind), policy_of(), now))


def test_a_key_that_the_policy_does_not_name(signed: Files, keys, sign, policy_of, now: datetime) -> None:
    said = refused({**without(signed, "provenance"), **sign(keys.stranger)}, policy_of(), now)
    assert "signed by another key than `release`" in said
    assert "signed by another key" in refused({**signed, **sign(keys.stranger)}, policy_of(), now)


def test_a_key_signs_only_what_it_may(signed: Files, keys, sign, policy_of, now: datetime) -> None:
    """Who attests evaluations does not release, and who releases does not attest evaluations."""
    assert "another key than `release`" in refused({**signed, **sign(keys.ci)}, policy_of(), now)
    own = sign(keys.release, {"eval": {"suites": {"refunds": {"pass_rate": 1, "cases": 99}}}})
    assert "another key than `ci`" in refused({**without(signed, "eval"), **own}, policy_of(), now)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({"expires": "2026-01-01T00:00:00Z"}, "the key `release` expired 2026-01-01T00:00:00Z"),
        (
            {"not_before": "2099-01-01T00:00:00Z"},
            "the key `release` is not valid before 2099-01-01T00:00:00Z",
        ),
    ],
)
def test_a_key_outside_of_its_time(signed: Files, policy_of, now: datetime, key, told: str) -> None:
    assert told in refused(signed, policy_of(key), now)


def test_an_agent_of_another_name(signed: Files, policy_of, now: datetime) -> None:
    policy = policy_of(agents=["refunds"])
    assert "has no rule for the agent 'triage'" in refused(signed, policy, now)


def test_a_statement_about_another_agent(unsigned: Files, keys, policy_of, now: datetime) -> None:
    bundle: Bundle = load_bundle(unsigned)
    said = statement(bundle, "provenance", provenance(bundle.manifest, "urn:x", now))
    data = seal(
        said.replace(b'"name":"triage"', b'"name":"other"'), IN_TOTO, keys.release.keyid, keys.release.sign
    )
    files = {**unsigned, attestation_path("provenance", data): data}
    assert "is about the agent 'other', not `triage`" in refused(files, policy_of(require=[]), now)


def test_provenance_that_tells_another_story(unsigned: Files, keys, policy_of, now: datetime) -> None:
    bundle = load_bundle(unsigned)
    story = provenance(bundle.manifest, "urn:x", now)
    story["buildDefinition"] = {**story["buildDefinition"], "resolvedDependencies": []}  # type: ignore[dict-item]
    data = seal(statement(bundle, "provenance", story), IN_TOTO, keys.release.keyid, keys.release.sign)
    files = {**unsigned, attestation_path("provenance", data): data}
    assert "built from something else" in refused(files, policy_of(require=[]), now)


def test_one_kind_under_the_name_of_another(signed: Files, policy_of, now: datetime) -> None:
    path = next(name for name in signed if "/eval-" in name)
    files = {**signed, path.replace("/eval-", "/validate-"): signed[path]}
    assert "not what its name says" in refused(files, policy_of(), now)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (
            {"pass_rate": 0.94, "cases": 40},
            "`suites.refunds.pass_rate` is 0.94, and the policy asks for at least 0.95",
        ),
        ({"pass_rate": 0.99, "cases": 2}, "`suites.refunds.cases` is 2, and the policy asks for at least 20"),
        ({"pass_rate": 0.99}, "`suites.refunds.cases` is missing"),
        ({"pass_rate": "good", "cases": 40}, '`suites.refunds.pass_rate` is "good"'),
    ],
)
def test_thresholds(signed: Files, keys, sign, policy_of, now: datetime, report, told: str) -> None:
    bad = sign(keys.ci, {"eval": {"suites": {"refunds": report}}})
    assert told in refused({**without(signed, "eval"), **bad}, policy_of(), now)
    assert told in refused({**signed, **bad}, policy_of(), now), "a good report does not outweigh a bad one"


def test_evidence_grows_old(signed: Files, policy_of, now: datetime) -> None:
    judge(load_bundle(signed), policy_of(), now + timedelta(days=29))
    said = refused(signed, policy_of(), now + timedelta(days=31))
    assert "`eval` is older than 30d" in said
    assert "signed in the future" in refused(signed, policy_of(), now - timedelta(hours=1))


def test_a_threshold_counts_keys_and_not_signatures(
    unsigned: Files, keys, sign, policy_of, now: datetime
) -> None:
    policy = policy_of(signed_by=["release", "ci"], threshold=2, require=[])
    once, twice = sign(keys.release), {**sign(keys.release), **sign(keys.ci)}
    again: Callable[[], Files] = lambda: sign(keys.release)  # noqa: E731  said twice, counted once
    assert "signed by 1 of the keys" in refused({**unsigned, **once, **again()}, policy, now)
    assert judge(load_bundle({**unsigned, **twice}), policy, now)

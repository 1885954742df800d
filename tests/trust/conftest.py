"""A real bundle, compiled from the support project, signed by real keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc.signing import attest
from agentc_runtime.trust.keys import Signer, new_key, signer
from agentc_runtime.trust.policy import TrustPolicy, parse_policy
from agentc_runtime.verify import load_bundle

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
REPORTS: Mapping[str, object] = {
    "validate": {"errors": 0},
    "eval": {"suites": {"refunds": {"pass_rate": 0.97, "cases": 40}}},
}

Files = dict[str, bytes]


class Keys(NamedTuple):
    """Who signs: the release, continuous integration, and somebody else."""

    release: Signer
    ci: Signer
    stranger: Signer


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys(signer(new_key("ed25519")), signer(new_key("ecdsa-p256")), signer(new_key("ed25519")))


@pytest.fixture(scope="session")
def unsigned() -> Files:
    result = check_project(ROOT / "specs" / "support")
    return bundle_files(result, result.program.agents["triage"])


@pytest.fixture(scope="session")
def sign(unsigned: Files) -> Callable[..., Files]:
    """`sign(signer, reports)`: the attestations that `agentc sign` adds."""

    def sign(by: Signer, reports: Mapping[str, object] | None = None, files: Files | None = None) -> Files:
        return attest(load_bundle(files or unsigned), by, "urn:test:builder", reports or {})

    return sign


@pytest.fixture(scope="session")
def signed(unsigned: Files, keys: Keys, sign: Callable[..., Files]) -> Files:
    """The bundle as a release has it: provenance, bill of materials, and evidence by another key."""
    return {**unsigned, **sign(keys.release), **sign(keys.ci, REPORTS)}


@pytest.fixture(scope="session")
def policy_of(keys: Keys) -> Callable[..., TrustPolicy]:
    """`policy_of(**changes)`: the policy of the deployment, with changes to the rule of `triage`."""

    def policy_of(key: Mapping[str, object] | None = None, **changes: object) -> TrustPolicy:
        rule = {
            "agents": ["triage"],
            "signed_by": ["release"],
            "require": [
                {"kind": "sbom", "signed_by": ["release"]},
                {"kind": "validate", "signed_by": ["ci"], "where": {"properties": {"errors": {"const": 0}}}},
                {
                    "kind": "eval",
                    "signed_by": ["ci"],
                    "max_age": "30d",
                    "where": {"properties": {"suites": {"properties": {"refunds": {"properties": {
                        "pass_rate": {"minimum": 0.95}, "cases": {"minimum": 20}}}}}}},
                },
            ],
            "channels_signed_by": ["release"],
            **changes,
        }  # fmt: skip
        named = {
            "release": {"public_key": keys.release.public, "expires": "2100-01-01T00:00:00Z", **(key or {})},
            "ci": {"public_key": keys.ci.public},
        }
        said = {"format": "agentc.trust/1", "keys": named, "rules": [rule]}
        return parse_policy(json.dumps(said).encode())

    return policy_of


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)

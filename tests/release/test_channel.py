"""Pointers: who may sign them, and which may follow which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.release import deploying
from agentc_runtime.release.channel import (
    Arm,
    ChannelError,
    Gate,
    Pointer,
    check_succession,
    precedence,
    read_pointer,
    seal_pointer,
)
from agentc_runtime.release.deploying import Terms

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
TERMS = Terms(channel="production", agent="triage", now=NOW, lifetime=timedelta(days=7))


def digest(number: int) -> str:
    return f"{number:064x}"


@pytest.fixture
def first() -> Pointer:
    return deploying.deploy(None, digest(1), "1.0.0", TERMS)


def replaced(pointer: Pointer, **changes: object) -> Pointer:
    return msgspec.structs.replace(pointer, **changes)


def test_a_pointer_is_read_as_it_was_sealed(first: Pointer, keys: Any, policy_of: Any) -> None:
    data = seal_pointer(first, keys.release.keyid, keys.release.sign)
    assert read_pointer(data, policy_of(), "production", "triage", NOW) == first


@pytest.mark.parametrize(
    ("who", "rule", "where", "told"),
    [
        ("ci", {}, ("production", "triage"), "signed by another key than `release`"),
        ("stranger", {}, ("production", "triage"), "signed by another key"),
        ("release", {"channels_signed_by": []}, ("production", "triage"), "lets nobody sign channels"),
        ("release", {}, ("staging", "triage"), "is that of `production` of `triage`, not `staging`"),
        ("release", {"agents": ["triage", "other"]}, ("production", "other"), "not `production` of `other`"),
        ("release", {}, ("production", "other"), "lets nobody sign channels of the agent 'other'"),
    ],
)
def test_pointers_of_others(first: Pointer, keys: Any, policy_of: Any, who, rule, where, told: str) -> None:
    key = getattr(keys, who)
    data = seal_pointer(first, key.keyid, key.sign)
    with pytest.raises(ChannelError, match=told):
        read_pointer(data, policy_of(**rule), *where, NOW)


def test_no_changed_byte_of_a_pointer_is_read(first: Pointer, keys: Any, policy_of: Any) -> None:
    data = seal_pointer(first, keys.release.keyid, keys.release.sign)
    policy = policy_of()
    for place in range(0, len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(ChannelError):
            read_pointer(bytes(changed), policy, "production", "triage", NOW)


def test_a_signed_bundle_is_no_pointer(signed: dict[str, bytes], policy_of: Any) -> None:
    data = next(value for name, value in signed.items() if "/provenance-" in name)
    with pytest.raises(ChannelError, match="not a pointer"):
        read_pointer(data, policy_of(), "production", "triage", NOW)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": "agentc.channel/2"}, "reads `agentc.channel/1`"),
        ({"agent": "../x"}, "no name"),
        ({"sequence": 0}, "at least 1"),
        ({"expires": "soon"}, "is no time"),
        ({"expires": "2020-01-01T00:00:00Z"}, "expires before it begins"),
        ({"arms": ()}, "have to be 100"),
        ({"arms": (Arm(name="a", digest=digest(1), version="1.0.0", percent=99),)}, "have to be 100"),
        ({"arms": (Arm(name="a", digest="x", version="1.0.0", percent=100),)}, "no sha256"),
        ({"arms": (Arm(name="a", digest=digest(1), version="one", percent=100),)}, "no semantic version"),
        ({"gates": (Gate(metric="score"),)}, "needs either"),
        ({"waves": (10, 50)}, "need two arms"),
    ],
)
def test_pointers_that_can_not_be_meant_are_not_even_sealed(
    first: Pointer, keys: Any, changes, told: str
) -> None:
    with pytest.raises(ChannelError, match=told):
        seal_pointer(replaced(first, **changes), keys.release.keyid, keys.release.sign)


# --- succession ----------------------------------------------------------------------------------------


def test_what_may_follow(first: Pointer) -> None:
    second = deploying.deploy(first, digest(2), "1.1.0", TERMS)
    check_succession(None, first, NOW)
    check_succession(first, first, NOW)
    check_succession(first, second, NOW)
    check_succession(second, deploying.rollback(second, TERMS), NOW)


def test_what_may_not(first: Pointer) -> None:
    second = deploying.deploy(first, digest(2), "1.1.0", TERMS)
    with pytest.raises(ChannelError, match="goes back from 2 to 1"):
        check_succession(second, first, NOW)
    with pytest.raises(ChannelError, match="two pointers with the number 2"):
        check_succession(second, replaced(second, reason="another"), NOW)
    with pytest.raises(ChannelError, match=r"from 1\.1\.0 to 1\.0\.0 and does not say that it is a rollback"):
        check_succession(second, replaced(first, sequence=3), NOW)
    with pytest.raises(ChannelError, match="expired"):
        check_succession(first, second, NOW + timedelta(days=8))


def test_an_older_canary_is_a_way_back_too(first: Pointer) -> None:
    second = deploying.deploy(first, digest(2), "1.1.0", TERMS)
    third = deploying.deploy(second, digest(1), "1.0.0", TERMS, waves=(10,), older=True)
    check_succession(second, third, NOW)
    with pytest.raises(ChannelError, match="goes back"):
        check_succession(second, replaced(third, rollback=False), NOW)


def test_deploying_promoting_and_rolling_back(first: Pointer) -> None:
    canary = deploying.deploy(first, digest(2), "1.1.0", TERMS, waves=(10, 50))
    assert [(arm.name, arm.percent) for arm in canary.arms] == [("stable", 90), ("canary", 10)]
    full = deploying.promote(canary, TERMS)
    assert (full.stable.version, full.stable.percent, full.previous.version) == ("1.1.0", 100, "1.0.0")  # type: ignore[union-attr]
    assert deploying.rollback(canary, TERMS).stable.version == "1.0.0"
    back = deploying.rollback(full, TERMS)
    assert (back.stable.version, back.rollback) == ("1.0.0", True)
    for broken, told in (
        (lambda: deploying.rollback(back, TERMS), "nothing was deployed before 1.0.0"),
        (lambda: deploying.rollback(None, TERMS), "nothing is deployed"),
        (lambda: deploying.promote(full, TERMS), "no canary"),
        (lambda: deploying.deploy(full, digest(1), "1.0.0", TERMS), "1.0.0 is older than 1.1.0, which runs"),
        (lambda: deploying.deploy(None, digest(1), "1.0.0", TERMS, waves=(10,)), "no stable bundle yet"),
        (lambda: deploying.deploy(full, digest(2), "1.1.0", TERMS, waves=(10,)), "the stable bundle already"),
    ):
        with pytest.raises(ChannelError, match=told):
            broken()


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = (
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-1", "2.0.0",
    )  # fmt: skip
    assert all(precedence(one) < precedence(other) for one, other in pairwise(ordered))
    assert precedence("1.0.0+build") == precedence("1.0.0")


@given(st.lists(st.sampled_from(["deploy", "canary", "promote", "rollback"]), max_size=12))
def test_whatever_operators_do_every_pointer_may_follow_the_one_before(steps: list[str]) -> None:
    current: Pointer | None = None
    for number, step in enumerate(steps, 2):
        try:
            match step:
                case "deploy":
                    new = deploying.deploy(current, digest(number), f"1.{number}.0", TERMS)
                case "canary":
                    new = deploying.deploy(current, digest(number), f"1.{number}.0", TERMS, waves=(10,))
                case "promote":
                    new = deploying.promote(current, TERMS)
                case _:
                    new = deploying.rollback(current, TERMS)
        except ChannelError:
            continue
        check_succession(current, new, NOW)
        current = new

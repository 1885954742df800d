"""Trust policies that can't be meant are refused whole, with the place and the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentc_runtime.trust.policy import PolicyError, closed, parse_policy, read_policy


def rule(**changes: object) -> dict[str, object]:
    return {"agents": ["triage"], "signed_by": ["release"], **changes}


def needs(**requirement: object) -> dict[str, object]:
    return {"rules": [rule(require=[{"kind": "eval", "signed_by": ["release"], **requirement}])]}


def refused(known, **changes: object) -> str:
    said = {
        "format": "agentc.trust/1",
        "keys": {"release": {"public_key": known.release.public}},
        "rules": [rule()],
        **changes,
    }
    with pytest.raises(PolicyError) as caught:
        parse_policy(json.dumps(said).encode())
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not strict JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"[]", "expected `object`"),
        (b'{"format": "agentc.trust/1", "format": "x"}', "the same key twice"),
        (b'{"keys": {}, "rules": []}', "missing required field `format`"),
        (b'{"format": "other", "keys": {}, "rules": []}', "`format` is 'other', not `agentc.trust/1`"),
        (b" " * 1_100_000, "larger than 1048576 bytes"),
        (b"[" * 100_000, "nested deeper"),
    ],
)
def test_bytes_that_are_no_policy(data: bytes, told: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(data)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rules": [rule(signed_by=["relaese"])]}, "signed_by names 'relaese', which is not in `keys`"),
        ({"rules": [rule(signed_by=[])]}, "rules[0].signed_by names no key"),
        ({"rules": [rule(signed_by=["release", "release"], threshold=2)]}, "names a key twice"),
        ({"rules": [rule(threshold=2)]}, "rules[0].threshold is 2, and there are 1 keys"),
        ({"rules": [rule(threshold=0)]}, "rules[0].threshold is 0"),
        ({"rules": [rule(agents=[])]}, "rules[0] has no agents"),
        ({"rules": [rule(), rule()]}, "rules[1]: the agent 'triage' has a rule already"),
        ({"rules": [rule(requires=[])]}, "unknown field `requires`"),
        (needs(kind="evals"), "require[0].kind is 'evals'"),
        (needs(kind="provenance"), "always required"),
        (needs(max_age="soon"), "like `24h`"),
        (needs(kind="sbom", max_age="1d"), "are for"),
        (
            needs(where={"minimun": 1}),
            "where has the keyword 'minimun'",
        ),
        (needs(where={}), "nothing to check"),
        (
            needs(where={"minimum": "1"}),
            "rules[0].require[0].where",
        ),
        ({"keys": {"release": {"public_key": "not base64!"}}}, "'release': the public key is not base64"),
    ],
)
def test_rules_that_can_not_be_meant(keys, changes, told: str) -> None:
    assert told in refused(keys, **changes)


def test_keys_that_can_not_be_meant(keys) -> None:
    public = keys.release.public
    twice = {"release": {"public_key": public}, "again": {"public_key": public}}
    assert "two names for one key" in refused(keys, keys=twice)
    ends = {
        "release": {
            "public_key": public,
            "not_before": "2027-01-01T00:00:00Z",
            "expires": "2026-01-01T00:00:00Z",
        }
    }
    assert "expires before it begins" in refused(keys, keys=ends)
    loose = {"release": {"public_key": public, "expires": "2027-01-01"}}
    assert "write it like 2026-11-26T08:00:00Z" in refused(keys, keys=loose)


def test_what_a_condition_names_has_to_be_there() -> None:
    assert closed({"properties": {"score": {"minimum": 0.9}, "flags": {"maxItems": 0}}}) == {
        "type": "object",
        "properties": {
            "score": {"type": "number", "minimum": 0.9},
            "flags": {"type": "array", "maxItems": 0},
        },
        "required": ["flags", "score"],
    }


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="can't be read: no such file"):
        read_policy(tmp_path / "none.json")

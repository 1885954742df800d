"""API keys: made once, kept as digests, refused when they are anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agentc_service.auth.api_keys import ApiKeys, KeyFileError, make_key, read_keys, write_keys
from agentc_service.auth.caller import Caller, UnknownCallerError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def made(**changes: object) -> tuple[str, object]:
    said = {"tenant": "acme", "subject": "ci", "roles": ("caller",), "groups": ("leads",), "now": NOW}
    return make_key(**{**said, **changes})


@pytest.fixture
def kept(tmp_path: Path) -> tuple[str, Path]:
    key, record = made(expires=NOW + timedelta(days=1))
    write_keys(tmp_path / "keys.jsonl", {record.id: record})
    return key, tmp_path / "keys.jsonl"


def test_a_key_says_who_calls(kept):
    key, path = kept
    assert ApiKeys(path).caller(key, NOW) == Caller(
        "acme", "ci", frozenset({"caller"}), frozenset({"leads"}), "api_key"
    )


def test_the_file_holds_no_key_and_is_its_owners(kept):
    key, path = kept
    assert key not in path.read_text()
    assert key.split("_")[-1] not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key + "A",
        lambda key: " " + key,
        lambda key: key + "\n",
        lambda key: key.replace("agentc_", "agentc_\u0430"),
        lambda key: "",
        lambda key: "agentc_" + "0" * 12 + key[19:],
        lambda key: key.upper(),
    ],
)
def test_a_key_that_is_not_exactly_one_of_ours_is_nobodys(kept, change):
    key, path = kept
    with pytest.raises(UnknownCallerError, match="not one of this service"):
        ApiKeys(path).caller(change(key), NOW)


def test_an_expired_key_is_nobodys(kept):
    key, path = kept
    with pytest.raises(UnknownCallerError, match="expired on 2026-11-27T12:00:00Z"):
        ApiKeys(path).caller(key, NOW + timedelta(days=1))


def test_a_deleted_line_takes_effect_with_the_next_request(kept):
    key, path = kept
    keys = ApiKeys(path)
    keys.caller(key, NOW)
    write_keys(path, {})
    with pytest.raises(UnknownCallerError):
        keys.caller(key, NOW)


def test_a_file_that_has_become_unreadable_lets_nobody_in(kept):
    key, path = kept
    keys = ApiKeys(path)
    path.write_text("{")
    for _ in range(2):
        with pytest.raises(KeyFileError, match=r"keys\.jsonl:1` is not an API key"):
            keys.caller(key, NOW)
    path.unlink()
    with pytest.raises(KeyFileError, match="No such file"):
        keys.caller(key, NOW)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[]", "Expected `object`"),
        ('{"id": "a"}', "missing required field"),
        ("\ufeff{}", "not an API key"),
        (
            '{"id": "a", "sha256": "", "tenant": "t", "subject": "s", "roles": ["root"], "created": ""}',
            "root",
        ),
        (
            (
                '{"id": "a", "sha256": "", "tenant": "t", "subject": "s", "roles": [],'
                ' "created": "", "expires": "x"}'
            ),
            "Invalid isoformat",
        ),
    ],
)
def test_a_line_that_is_no_key_is_named(tmp_path, line, why):
    path = tmp_path / "keys.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(KeyFileError, match=why) as raised:
        read_keys(path)
    assert "keys.jsonl:2`" in str(raised.value)


def test_two_lines_with_one_id_are_refused(tmp_path):
    _, record = made()
    path = tmp_path / "keys.jsonl"
    write_keys(path, {"a": record, "b": record})
    with pytest.raises(KeyFileError, match="has the id"):
        read_keys(path)

"""Tokens of an identity provider: what RFC 8725 warns of is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from agentc_service.auth.caller import Caller, UnknownCallerError
from agentc_service.auth.jwt import Tokens, Trust

ISSUER, AUDIENCE = "https://login.example.com", "agentc"
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
TRUST = Trust(ISSUER, AUDIENCE, "tenant", "roles", {"agents-oncall": "operator", "staff": "caller"}, "groups")


def jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **more}


class Provider:
    """A key set that counts how often it is asked for."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys, self.asked, self.away = list(keys), 0, False

    async def __call__(self) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise OSError("away")
        return json.dumps({"keys": self.keys}).encode()


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "iat": now, "exp": now + 300,
        "tenant": "acme", "roles": ["agents-oncall", "staff", "payroll"], "groups": ["support-leads"],
    }  # fmt: skip
    return {name: value for name, value in {**said, **changes}.items() if value is not None}


def signed(payload: dict[str, Any], key: Any = RSA, algorithm: str = "RS256", **headers: Any) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "rsa", **headers})


def forged(header: dict[str, Any], payload: dict[str, Any], secret: bytes | None = None) -> str:
    """A token put together by hand, as an attacker does: the library refuses to make some of these."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    mac = b"" if secret is None else hmac.digest(secret, b".".join(parts), hashlib.sha256)
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


@pytest.fixture
def provider() -> Provider:
    return Provider(jwk(RSA, "rsa", use="sig", alg="RS256"), jwk(EC, "ec"), jwk(OTHER, "enc", use="enc"))


async def test_a_token_says_who_calls(provider):
    caller = await Tokens(TRUST, provider).caller(signed(claims()))
    assert caller == Caller(
        "acme", "ana", frozenset({"operator", "caller"}), frozenset({"support-leads"}), "jwt"
    )


async def test_claims_may_be_words_in_a_string(provider):
    token = signed(claims(roles="staff other", groups="a b"), EC, "ES256", kid="ec")
    caller = await Tokens(TRUST, provider).caller(token)
    assert (caller.roles, caller.groups) == ({"caller"}, {"a", "b"})


PEM = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "no algorithm": (lambda: forged({"alg": "none", "kid": "rsa"}, claims()), "algorithm"),
    "no algorithm, spelled otherwise": (lambda: forged({"alg": "nOnE", "kid": "rsa"}, claims()), "algorithm"),
    "the public key as a secret": (
        lambda: forged({"alg": "HS256", "kid": "rsa"}, claims(), PEM), "algorithm"
    ),
    "no signature": (lambda: forged({"alg": "RS256", "kid": "rsa"}, claims()), "signature"),
    "another key": (lambda: signed(claims(), OTHER), "signature is wrong"),
    "a key for encryption": (lambda: signed(claims(), OTHER, kid="enc"), "not one of the identity provider"),
    "its own key in the header": (lambda: signed(claims(), OTHER, kid="mine", jwk=jwk(OTHER, "mine")), "key"),
    "an address of keys in the header": (
        lambda: signed(claims(), OTHER, kid="mine", jku="https://evil.example/keys"), "key"
    ),
    "a key of another kind": (lambda: signed(claims(), EC, "ES256"), "does not hold"),
    "an extension that must be understood": (lambda: signed(claims(), crit=["exp"], b64=True), "not a JWT"),
    "no key named": (lambda: jwt.encode(claims(), RSA, algorithm="RS256"), "does not name its key"),
    "expired": (lambda: signed(claims(exp=int(time.time()) - 60)), "expired"),
    "not yet": (lambda: signed(claims(nbf=int(time.time()) + 600)), "not valid yet"),
    "without an end": (lambda: signed(claims(exp=None)), "claim is missing"),
    "another audience": (lambda: signed(claims(aud="payroll")), "audience"),
    "without audience": (lambda: signed(claims(aud=None)), "claim is missing"),
    "another issuer": (lambda: signed(claims(iss=ISSUER + "/")), "issuer"),
    "without subject": (lambda: signed(claims(sub=None)), "claim is missing"),
    "an empty subject": (lambda: signed(claims(sub="")), "no subject"),
    "a subject with NUL": (lambda: signed(claims(sub="ana\0")), "no subject"),
    "a tenant of two lines": (lambda: signed(claims(tenant="acme\nother")), "no tenant"),
    "without tenant": (lambda: signed(claims(tenant=None)), "no tenant"),
    "a tenant that is no word": (lambda: signed(claims(tenant=["acme", "other"])), "no tenant"),
    "not a token": (lambda: "x.y", "not a JWT"),
    "nothing": (lambda: "", "not a JWT"),
    "too long": (lambda: signed(claims(pad="x" * 20_000)), "too long"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
async def test_attack(provider, attack):
    make, why = ATTACKS[attack]
    with pytest.raises(UnknownCallerError, match=why):
        await Tokens(TRUST, provider).caller(make())


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_new_key_is_fetched_but_not_for_every_forged_name(provider):
    clock = Clock()
    tokens = Tokens(TRUST, provider, clock)
    await tokens.caller(signed(claims()))
    for number in range(20):
        with pytest.raises(UnknownCallerError):
            await tokens.caller(signed(claims(), OTHER, kid=f"new-{number}"))
    assert provider.asked == 1

    provider.keys.append(jwk(OTHER, "new-7"))
    clock.now += 61
    assert (await tokens.caller(signed(claims(), OTHER, kid="new-7"))).subject == "ana"
    assert provider.asked == 2


async def test_a_key_that_the_provider_withdraws_is_nobodys_after_five_minutes(provider):
    clock = Clock()
    tokens = Tokens(TRUST, provider, clock)
    await tokens.caller(signed(claims()))
    del provider.keys[0]
    clock.now += 299
    await tokens.caller(signed(claims()))
    clock.now += 1
    with pytest.raises(UnknownCallerError, match="not one of the identity provider's"):
        await tokens.caller(signed(claims()))


async def test_keys_hold_for_an_hour_while_the_provider_is_away(provider):
    clock = Clock()
    tokens = Tokens(TRUST, provider, clock)
    await tokens.caller(signed(claims()))
    provider.away = True
    for _ in range(11):
        clock.now += 300
        await tokens.caller(signed(claims()))
    clock.now += 300
    with pytest.raises(OSError, match="can't be fetched"):
        await tokens.caller(signed(claims()))
    provider.away = False
    clock.now += 5
    assert (await tokens.caller(signed(claims()))).subject == "ana"


async def test_who_comes_while_the_keys_are_fetched_waits_for_them(provider):
    tokens = Tokens(TRUST, provider)
    callers = await asyncio.gather(*(tokens.caller(signed(claims(sub=f"s{number}"))) for number in range(20)))
    assert [caller.subject for caller in callers] == [f"s{number}" for number in range(20)]
    assert provider.asked == 1


async def test_a_provider_that_is_away_from_the_start_is_not_the_callers_fault(provider):
    provider.away = True
    tokens = Tokens(TRUST, provider)
    for _ in range(3):
        with pytest.raises(OSError, match="can't be fetched"):
            await tokens.caller(signed(claims()))
    assert provider.asked == 1


async def test_a_key_set_that_is_none_is_the_providers_fault():
    async def garbage() -> bytes:
        return b"<html>"

    with pytest.raises(OSError, match="can't be fetched"):
        await Tokens(TRUST, garbage).caller(signed(claims()))

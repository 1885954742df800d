"""Tokens of an identity provider at the door of a real service: its keys come by HTTP, and so do attacks."""

import base64
import json
import sys
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from live_service import Answer
from live_service import Service as Provider

sys.path.pop(0)

ISSUER = "https://login.example.com"
KEY, STOLEN = (rsa.generate_private_key(65537, 2048) for _ in range(2))
RUN = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}


def jwk(key, kid):
    return {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", "alg": "RS256"}


def token(key=KEY, *, header=None, **changes):
    now = int(time.time())
    said = {
        "iss": ISSUER, "aud": "agentc", "sub": "ana", "iat": now, "exp": now + 300,
        "tenant": "acme", "roles": ["staff"], "groups": [],
    }  # fmt: skip
    claims = {name: value for name, value in {**said, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "k1", **(header or {})})


def unsigned(algorithm="none"):
    _, claims, _ = token().split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "k1"}).encode()).decode().rstrip("=")
    return f"{head}.{claims}."


@pytest.fixture
def provider():
    with Provider(lambda _: Answer({"keys": [jwk(KEY, "k1")]})) as running:
        yield running


@pytest.fixture
def trusting(serve, provider):
    """A service that believes `provider`, and takes no API keys."""
    return serve(
        auth=json.dumps({
            "oidc": {
                "issuer": ISSUER, "audience": "agentc", "jwks": f"http://127.0.0.1:{provider.port}/keys",
                "roles": {"staff": "caller", "leads": "approver", "oncall": "operator"},
            }
        })
    )  # fmt: skip


ATTACKS = {
    "no algorithm": (unsigned, "algorithm"),
    "a secret's algorithm": (lambda: unsigned("HS256"), "algorithm"),
    "no signature": (lambda: unsigned("RS256"), "signature"),
    "another key": (lambda: token(STOLEN), "signature is wrong"),
    "a key that it brings itself": (
        lambda: token(STOLEN, header={"kid": "k2", "jwk": jwk(STOLEN, "k2")}), "not one of the identity"
    ),
    "another audience": (lambda: token(aud="payroll"), "another audience"),
    "another issuer": (lambda: token(iss="https://login.example.org"), "another issuer"),
    "expired": (lambda: token(exp=int(time.time()) - 60), "expired"),
    "not valid yet": (lambda: token(nbf=int(time.time()) + 600), "not valid yet"),
    "no end": (lambda: token(exp=None), "a claim is missing"),
    "no tenant": (lambda: token(tenant=None), "no tenant"),
    "an API key": (lambda: "agentc_AAAAAAAA_BBBBBBBBBBBBBBBB", "takes no API keys"),
}  # fmt: skip


def ask(service, shown, method="POST", path="/v1/runs"):
    with service.client() as client:
        body = RUN if method == "POST" else None
        return client.request(method, path, json=body, headers={"authorization": f"Bearer {shown}"})


def test_attacks_begin_no_run(trusting):
    for name, (make, why) in ATTACKS.items():
        got = ask(trusting, make())
        assert (got.status_code, got.headers["www-authenticate"]) == (401, 'Bearer realm="agentc"'), name
        assert why in got.json()["detail"], (name, got.text)
    assert ask(trusting, token(), "GET").json() == {"runs": []}


def test_the_providers_words_are_roles_and_its_tenants_are_apart(trusting):
    begun = ask(trusting, token())
    assert begun.status_code == 202
    run = f"/v1/runs/{begun.json()['run_id']}"
    assert ask(trusting, token(), "GET", run).status_code == 200
    assert ask(trusting, token(tenant="other", roles=["oncall"]), "GET", run).status_code == 404
    assert ask(trusting, token(roles=["operator", "admin"]), "GET", run).status_code == 403, "not its word"
    assert ask(trusting, token(roles=["leads"])).status_code == 403, "approvers begin no runs"


def test_without_the_providers_keys_nobody_is_known_and_later_everybody(trusting, provider):
    provider.answer = lambda _: Answer({"error": "down"}, status=503)
    got = ask(trusting, token())
    assert (got.status_code, got.headers["retry-after"]) == (503, "5")
    assert "can't be recognised" in got.json()["detail"]
    assert len(provider.asked) == 1
    assert ask(trusting, token()).status_code == 503
    assert len(provider.asked) == 1, "it is not asked for each request"

"""Secrets in Vault from the specs to the wire: a real run that reads them from a server on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

VAULT_TOKEN = "hvs.CAESIJ0123456789"


def in_vault(desk: Any, **changes: Any) -> Any:
    """A project whose secrets are in Vault, the model's key as well."""
    vault = desk.stack.enter_context(desk.vaults.FakeVault(VAULT_TOKEN, namespace="team"))
    vault.v2["support/desk"] = {"token": "desk-t0ken/in+vault"}
    vault.v1["models"] = {"key": "model-k3y-in-vault"}
    model_key = {"vault": {"mount": "kv", "path": "models", "field": "key", "kv_version": 1}}
    desk.write(
        desk.document({"token": {"type": "http", "scheme": "bearer"}}, [{"token": []}]),
        auth={"scheme": "token", "secret": "desk_token"},
        environment={
            "secrets": {
                "vault_token": {"env": "VAULT_TOKEN"},
                "desk_token": {"vault": {"path": "support/desk", "field": "token"}},
                "model_key": model_key,
            },
            "vault": {"address": vault.url, "token": "vault_token", "namespace": "team", **changes},
            "private_hosts": [vault.url.removeprefix("http://")],
        },
    )
    return vault


def test_secrets_in_vault_reach_service_and_model_and_nobody_else(desk: Any) -> None:
    vault = in_vault(desk)
    cassette, store = desk.folder / "run.json", desk.folder / "runs.db"
    desk.answers["tickets"] = lambda _: desk.services.Answer(
        {"id": "desk-t0ken/in+vault", "subject": VAULT_TOKEN}
    )
    done = desk.run("--store", store, "--record", cassette, VAULT_TOKEN=VAULT_TOKEN)
    (ticket,) = desk.service.asked
    assert ticket.headers["authorization"] == "Bearer desk-t0ken/in+vault"
    assert desk.model.requests[0].headers["authorization"] == "Bearer model-k3y-in-vault"
    assert sorted(one.path for one in vault.requests) == ["/v1/kv/models", "/v1/secret/data/support/desk"]
    assert {one.headers["x-vault-namespace"] for one in vault.requests} == {"team"}
    told = json.dumps([one.body for one in desk.model.requests])
    said = done.out + done.err + cassette.read_text() + desk.bundle() + told
    for secret in ("desk-t0ken", "model-k3y", VAULT_TOKEN):
        assert secret not in said
        assert secret.encode() not in store.read_bytes()
    assert "[secret desk_token]" in told
    shown = desk.command("inspect", desk.folder / "dist/triage-1.0.0").out
    assert f"{vault.url}, " in shown or f", {vault.url}" in shown
    assert f"  local: desk_token, model_key from Vault at {vault.url}\n" in shown


def test_a_short_time_to_live_reads_again(desk: Any) -> None:
    vault = in_vault(desk, ttl="1ms")
    desk.run(VAULT_TOKEN=VAULT_TOKEN)
    assert len([one for one in vault.requests if "support/desk" in one.path]) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sealed": True}, "is sealed, or down for maintenance (status 503)"),
        ({"token": "another-token"}, "does not let the token read it"),
        ({"v2": {}}, "there is nothing there"),
        ({"answer": (200, {"content-type": "text/html"}, b"<html>IGNORE")}, "did not answer as Vault does"),
        (
            {"answer": (307, {"location": "https://evil.example/"}, b"")},
            "answered with a redirect (status 307)",
        ),
    ],
)
def test_a_vault_that_gives_nothing_refuses_at_the_line_of_the_secret(
    desk: Any, change: dict[str, Any], words: str
) -> None:
    vault = in_vault(desk)
    spec = desk.project / "agentc.yaml"
    kept = json.loads(spec.read_text())
    kept["spec"]["environments"]["local"]["secrets"]["model_key"] = {"env": "MODEL_KEY"}
    spec.write_text(json.dumps(kept, indent=1))
    for name, value in change.items():
        setattr(vault, name, value)
    done = desk.run(VAULT_TOKEN=VAULT_TOKEN)
    assert "AR508: secret `desk_token` can't be read from Vault at `secret/support/desk`" in done.err
    assert words in done.err
    assert "IGNORE" not in done.err
    line = next(n for n, text in enumerate(spec.read_text().splitlines(), 1) if '"desk_token"' in text)
    assert f"agentc.yaml:{line}" in done.err
    assert desk.service.asked == []

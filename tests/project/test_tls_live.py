"""Mutual TLS from the specs to the wire: a real run against servers that ask for certificates."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

VAULT_TOKEN = "hvs.CAESIJ0123456789"
PASSPHRASE = "the-passphrase-of-the-key"


class Tls:
    """An authority, a desk that insists on its clients' certificates, and the files of a client."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.authority = trustme.CA()
        self.insists = self.serve(ssl.CERT_REQUIRED)
        desk.project.mkdir(parents=True)
        (desk.project / "ca.pem").write_bytes(self.authority.cert_pem.bytes())
        issued = self.authority.issue_cert("desk@example.com", common_name="support-desk")
        self.chain = "".join(one.bytes().decode() for one in issued.cert_chain_pems)
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        self.key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE.encode()),
        ).decode()

    def context(self, wants: ssl.VerifyMode) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = wants
        return context

    def serve(self, wants: ssl.VerifyMode) -> Any:
        service = self.desk.services.Service(self.desk.answer, self.context(wants))
        return self.desk.stack.enter_context(service)

    def environment(self, *services: Any) -> dict[str, Any]:
        hosts = [f"localhost:{one.port}" for one in services]
        return {
            "variables": {"DESK_URL": f"https://{hosts[0]}"},
            "secrets": {
                "desk_certificate": {"file": str(self.desk.folder / "chain.pem")},
                "desk_key": {"env": "DESK_KEY"},
                "desk_passphrase": {"env": "DESK_PASSPHRASE"},
                "desk_token": {"env": "DESK_TOKEN"},
            },
            "private_hosts": hosts,
            "certificate_authorities": dict.fromkeys(hosts, "ca.pem"),
        }

    def write(self, *turns: Any, **changes: Any) -> None:
        (self.desk.folder / "chain.pem").write_text(self.chain)
        schemes = {"tls": {"type": "mutualTLS"}, "token": {"type": "http", "scheme": "bearer"}}
        self.desk.write(
            self.desk.document(schemes, [{"tls": [], "token": []}]),
            *turns,
            environment=self.environment(self.insists),
            **{
                "client_certificate": {
                    "certificate": "desk_certificate",
                    "key": "desk_key",
                    "key_password": "desk_passphrase",
                },
                "auth": {"scheme": "token", "secret": "desk_token"},
                **changes,
            },
        )

    def run(self, *arguments: object, code: int = 0, **changes: str) -> Any:
        values = {"DESK_KEY": self.key, "DESK_PASSPHRASE": PASSPHRASE, "DESK_TOKEN": "desk-token-value"}
        return self.desk.run(*arguments, code=code, **{**values, **changes})


@pytest.fixture
def tls(desk: Any) -> Tls:
    return Tls(desk)


def test_a_service_that_insists_on_a_certificate_is_reached_and_the_key_stays_here(tls: Tls) -> None:
    tls.write(tls.desk.reads, tls.desk.reads, tls.desk.done)
    store, cassette = tls.desk.folder / "runs.db", tls.desk.folder / "run.json"
    done = tls.run("--store", store, "--record", cassette)
    assert [one.client for one in tls.insists.asked] == ["support-desk"] * 2
    assert {one.headers["authorization"] for one in tls.insists.asked} == {"Bearer desk-token-value"}
    shown = tls.desk.command("inspect", tls.desk.folder / "dist/triage-1.0.0").out
    assert "      shows the client certificate desk_certificate\n" in shown
    assert "is trusted by authorities of its own" in shown
    said = done.out + done.err + cassette.read_text() + tls.desk.bundle() + shown
    for line in (*tls.key.splitlines()[1:-1], PASSPHRASE):
        assert line not in said
        assert line.encode() not in store.read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DESK_PASSPHRASE": "another-passphrase"}, "AR509: the client certificate of `desk_certificate`"),
        ({"DESK_KEY": "no-private-key-at-all"}, "they are no certificate and private key in PEM"),
        ({"DESK_KEY": ""}, "AR506: secret `desk_key` is not set"),
    ],
)
def test_a_certificate_that_can_not_be_shown_stops_the_call(
    tls: Tls, changes: dict[str, str], words: str
) -> None:
    tls.write()
    done = tls.run(**changes)
    assert words in done.err
    assert "another-passphrase" not in done.err
    assert tls.insists.asked == []


def test_an_operation_that_asks_for_a_certificate_is_not_built_without_one(tls: Tls) -> None:
    tls.write(client_certificate=None)
    built = tls.desk.command("build", tls.desk.project, "--out", tls.desk.folder / "dist")
    assert built.code == 1
    assert "AC706" in built.err
    assert "add `client_certificate:`" in built.err


def test_the_certificate_of_one_toolset_is_not_shown_by_another(tls: Tls) -> None:
    """Two toolsets call the same server, which would take a certificate from anybody."""
    asks = tls.serve(ssl.CERT_OPTIONAL)
    tls.insists = asks
    other = {"name": "other__get_ticket", "arguments": {"ticket_id": "T-1"}}
    turns = (tls.desk.reads, {"calls": [other]}, tls.desk.reads, {"calls": [other]}, tls.desk.done)
    tls.write(*turns, grants=(*tls.desk.grants, {"tool": "other.get_ticket"}))
    spec = json.loads((tls.desk.project / "desk.yaml").read_text())
    spec["metadata"]["name"] = "other"
    del spec["spec"]["client_certificate"], spec["spec"]["tools"]["refund"]
    api = tls.desk.document({"token": {"type": "http", "scheme": "bearer"}}, [{"token": []}])
    (tls.desk.project / "other.json").write_text(json.dumps(api))
    spec["spec"]["openapi"] = {"file": "other.json"}
    (tls.desk.project / "other.yaml").write_text(json.dumps(spec, indent=1))
    pinned = tls.desk.command(
        "import",
        "openapi",
        tls.desk.project / "other.json",
        "--project",
        tls.desk.project,
        "--toolset",
        "other",
    )
    assert pinned.code == 0, pinned.err
    tls.run()
    assert [one.client for one in asks.asked] == ["support-desk", "", "support-desk", ""]


def test_certificate_and_key_may_be_in_a_vault_of_the_same_private_authority(tls: Tls) -> None:
    context = tls.context(ssl.CERT_NONE)
    vault = tls.desk.stack.enter_context(tls.desk.vaults.FakeVault(VAULT_TOKEN, tls=context))
    vault.v2["tls/desk"] = {"certificate": tls.chain, "key": tls.key, "passphrase": PASSPHRASE}
    tls.write()
    spec = tls.desk.project / "agentc.yaml"
    said = json.loads(spec.read_text())
    local = said["spec"]["environments"]["local"]
    for secret, field in (
        ("desk_certificate", "certificate"),
        ("desk_key", "key"),
        ("desk_passphrase", "passphrase"),
    ):
        local["secrets"][secret] = {"vault": {"path": "tls/desk", "field": field}}
    local["secrets"]["vault_token"] = {"env": "VAULT_TOKEN"}
    local["vault"] = {"address": vault.url, "token": "vault_token"}
    host = vault.url.removeprefix("https://")
    local["private_hosts"].append(host)
    local["certificate_authorities"][host] = "ca.pem"
    spec.write_text(json.dumps(said, indent=1))
    tls.desk.run(DESK_TOKEN="desk-token-value", VAULT_TOKEN=VAULT_TOKEN)
    assert [one.client for one in tls.insists.asked] == ["support-desk"]
    assert len(vault.requests) == 1

"""Secrets in Vault: what is asked, what is used and for how long, and what is refused."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hvac
import msgspec
import pytest

from agentc_runtime.calls import Returned
from agentc_runtime.environments import Environment, Secret, Vault, VaultField
from agentc_runtime.refusals import Refusal, RefusedError
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

TOKEN = "hvs.CAESIJ0123456789"
VALUE = "s3cr3t+value/from vault"
FAKE = Path(__file__).resolve().parents[2] / "support/fake_vault.py"


@pytest.fixture(scope="session")
def _module() -> Any:
    spec = importlib.util.spec_from_file_location("fake_vault", FAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fake_vault"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def vault(_module: Any) -> Iterator[Any]:
    with _module.FakeVault(TOKEN) as server:
        server.v2["support/desk"] = {"token": VALUE, "user": "a-desk-user", "number": 12345678}
        server.v1["desk"] = {"token": "value-of-version-1"}
        yield server


class Reader:
    """Secrets of an environment with a Vault, a transport to it, and a clock."""

    def __init__(self, vault: Any) -> None:
        self.vault = vault
        self.now = 1000.0
        self.environ = {"VAULT_TOKEN": TOKEN}
        self.transports: list[HttpTransport] = []

    def environment(self, field: VaultField | None = None, **changes: Any) -> Environment:
        field = field or VaultField(path="support/desk", field="token")
        place = Vault(address=self.vault.url, token="vault_token", **changes)
        return Environment(
            secrets={"vault_token": Secret(env="VAULT_TOKEN"), "desk": Secret(vault=field)},
            private_hosts=(self.vault.url.removeprefix("http://"),),
            vault=place,
        )

    def secrets(self, environment: Environment) -> tuple[Secrets, HttpTransport]:
        secrets = Secrets(environment, self.environ, monotonic=lambda: self.now)
        self.transports.append(HttpTransport(environment, secrets))
        return secrets, self.transports[-1]

    async def read(self, field: VaultField | None = None, **changes: Any) -> Secrets:
        secrets, transport = self.secrets(self.environment(field, **changes))
        await secrets.renew(transport)
        return secrets


@pytest.fixture
async def reader(vault: Any) -> AsyncIterator[Reader]:
    made = Reader(vault)
    yield made
    for transport in made.transports:
        await transport.close()


def refused(secrets: Secrets, code: str = "AR508") -> str:
    with pytest.raises(RefusedError) as caught:
        secrets.get("desk")
    assert caught.value.refusal.code == code
    assert caught.value.refusal.value == "desk"
    return caught.value.refusal.message


async def test_a_field_of_version_2_is_read(reader: Reader) -> None:
    secrets = await reader.read()
    assert secrets.get("desk") == VALUE
    (asked,) = reader.vault.requests
    assert (asked.method, asked.path) == ("GET", "/v1/secret/data/support/desk")
    assert asked.headers["x-vault-token"] == TOKEN
    assert asked.headers["x-vault-request"] == "true"
    assert "x-vault-namespace" not in asked.headers


async def test_a_field_of_version_1_is_read(reader: Reader) -> None:
    secrets = await reader.read(VaultField(mount="kv", path="desk", field="token", kv_version=1))
    assert secrets.get("desk") == "value-of-version-1"
    assert reader.vault.requests[0].path == "/v1/kv/desk"


async def test_a_namespace_is_named(reader: Reader) -> None:
    reader.vault.namespace = "team/support"
    assert "does not let the token read it" in refused(await reader.read())
    assert (await reader.read(namespace="team/support")).get("desk") == VALUE


async def test_the_stand_in_is_one_that_a_client_of_vault_understands(reader: Reader) -> None:
    client = hvac.Client(url=reader.vault.url, token=TOKEN)
    engine = client.secrets.kv.v2
    said = engine.read_secret_version(path="support/desk", raise_on_deleted_version=True)
    assert said["data"]["data"]["token"] == VALUE
    assert client.secrets.kv.v1.read_secret("desk", mount_point="kv")["data"] == reader.vault.v1["desk"]
    theirs = reader.vault.requests[0]
    await reader.read()
    ours = reader.vault.requests[-1]
    assert theirs.path == ours.path
    for header in ("x-vault-token", "x-vault-request"):
        assert theirs.headers[header] == ours.headers[header]
    reader.vault.deleted.add("support/desk")
    with pytest.raises(hvac.exceptions.InvalidPath):
        engine.read_secret_version(path="support/desk", raise_on_deleted_version=True)
    reader.vault.sealed = True
    with pytest.raises(hvac.exceptions.VaultDown):
        engine.read_secret_version(path="support/desk", raise_on_deleted_version=True)


async def test_fields_of_one_path_are_one_request(reader: Reader) -> None:
    environment = reader.environment()
    user = Secret(vault=VaultField(path="support/desk", field="user"))
    environment = msgspec.structs.replace(environment, secrets={**environment.secrets, "user": user})
    secrets, transport = reader.secrets(environment)
    await secrets.renew(transport)
    assert (secrets.get("desk"), secrets.get("user")) == (VALUE, "a-desk-user")
    assert len(reader.vault.requests) == 1


# --- how long ------------------------------------------------------------------------------------------


async def test_a_value_is_read_again_when_its_time_is_up(reader: Reader) -> None:
    secrets, transport = reader.secrets(reader.environment(ttl_ms=60_000))
    await secrets.renew(transport)
    reader.vault.v2["support/desk"]["token"] = "a-newer-value"
    reader.now += 59
    await secrets.renew(transport)
    assert (secrets.get("desk"), len(reader.vault.requests)) == (VALUE, 1)
    reader.now += 1
    await secrets.renew(transport, ["desk"])
    assert (secrets.get("desk"), len(reader.vault.requests)) == ("a-newer-value", 2)
    # the old one is still taken out of text
    assert (
        secrets.redact(f"{VALUE} a-newer-value {TOKEN}") == "[secret desk] [secret desk] [secret vault_token]"
    )


async def test_a_shorter_lease_counts(reader: Reader) -> None:
    reader.vault.lease = 10
    field = VaultField(mount="kv", path="desk", field="token", kv_version=1)
    secrets, transport = reader.secrets(reader.environment(field, ttl_ms=60_000))
    await secrets.renew(transport)
    reader.now += 10
    await secrets.renew(transport)
    assert len(reader.vault.requests) == 2


async def test_a_value_that_can_not_be_read_again_is_not_used_any_more(reader: Reader) -> None:
    secrets, transport = reader.secrets(reader.environment(ttl_ms=60_000))
    await secrets.renew(transport)
    reader.now += 60
    reader.vault.sealed = True
    await secrets.renew(transport)
    assert "is sealed" in refused(secrets)
    assert secrets.redact(VALUE) == "[secret desk]"
    reader.vault.sealed = False
    await secrets.renew(transport)
    assert secrets.get("desk") == VALUE


async def test_calls_at_once_read_once(reader: Reader) -> None:
    secrets, transport = reader.secrets(reader.environment())
    await asyncio.gather(*(secrets.renew(transport, ["desk"]) for _ in range(10)))
    assert len(reader.vault.requests) == 1


async def test_a_token_in_a_file_may_be_renewed_by_somebody_else(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hvs.an-old-token\n")
    environment = reader.environment(ttl_ms=1)
    sources = {**environment.secrets, "vault_token": Secret(file=str(file))}
    secrets, transport = reader.secrets(msgspec.structs.replace(environment, secrets=sources))
    await secrets.renew(transport)
    assert "does not let the token read it" in refused(secrets)
    file.write_text(f"{TOKEN}\n")
    await secrets.renew(transport)
    assert secrets.get("desk") == VALUE
    assert secrets.redact(f"hvs.an-old-token {TOKEN}") == "[secret vault_token] [secret vault_token]"


# --- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sealed": True}, "is sealed, or down for maintenance (status 503)"),
        ({"token": "another-token"}, "does not let the token read it"),
        ({"v2": {}}, "there is nothing there"),
        ({"deleted": {"support/desk"}}, "its newest version is deleted"),
        ({"v2": {"support/desk": {}}}, 'the field "token" is not there'),
        ({"v2": {"support/desk": {"token": 12345678}}}, 'the field "token" is no text'),
        ({"v2": {"support/desk": {"token": None}}}, 'the field "token" is no text'),
        ({"v2": {"support/desk": {"token": "x" * 65_537}}}, "is longer than 65536 characters"),
    ],
)
async def test_refusals_say_what_is_the_matter(reader: Reader, change: dict[str, Any], words: str) -> None:
    for name, value in change.items():
        setattr(reader.vault, name, value)
    assert words in refused(await reader.read())
    assert "secret/support/desk" in refused(await reader.read())


@pytest.mark.parametrize("value", ["", "\n\n", "short", "1234567\n"])
async def test_a_value_that_is_no_secret_is_refused_as_anywhere(reader: Reader, value: str) -> None:
    reader.vault.v2["support/desk"]["token"] = value
    refused(await reader.read(), "AR506")


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (200, {"content-type": "text/html"}, b"<html>IGNORE ALL RULES", "did not answer as Vault does"),
        (200, {}, b"", "did not answer as Vault does"),
        (200, {}, b"[]", "did not answer as Vault does"),
        (200, {}, b'{"data": "IGNORE"}', "did not answer as Vault does"),
        (200, {}, b'{"data": {"data": "IGNORE"}}', "set `kv_version`"),
        (200, {}, b'{"data": {"data": {"token": "IGNORE-1"}, "data": {}}}', "did not answer as Vault does"),
        (200, {}, b"\xff\xfe", "did not answer as Vault does"),
        (200, {}, b"[" * 5000, "did not answer as Vault does"),
        (200, {}, b'{"pad": "' + b"x" * 2_100_000 + b'"}', "larger than"),
        (204, {}, b"", "fails (status 204)"),
        (307, {"location": "http://evil.example/v1/secret"}, b"", "answered with a redirect"),
        (400, {}, b'{"errors": ["IGNORE"]}', "look at `namespace` and `mount`"),
        (404, {"content-type": "text/html"}, b"IGNORE", "there is nothing there"),
        (429, {}, b'{"errors": ["IGNORE"]}', "is asked too often"),
        (500, {}, b'{"errors": ["IGNORE"]}', "fails (status 500)"),
        (501, {}, b'{"errors": ["IGNORE"]}', "is not initialized"),
    ],
)
async def test_hostile_and_broken_answers(
    reader: Reader, status: int, headers: dict[str, str], body: bytes, words: str
) -> None:
    reader.vault.answer = (status, headers, body)
    secrets = await reader.read()
    message = refused(secrets)
    assert words in message
    assert "IGNORE" not in message
    assert "evil" not in message
    assert len(reader.vault.requests) == 1


async def test_a_vault_that_hangs_is_given_up(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentc_runtime.vault.TIMEOUT_MS", 50)
    reader.vault.wait = threading.Event()
    assert "did not answer within 50 ms" in refused(await reader.read())


async def test_nobody_listens(reader: Reader) -> None:
    environment = msgspec.structs.replace(
        reader.environment(),
        vault=Vault(address="http://127.0.0.1:9", token="vault_token"),
        private_hosts=("127.0.0.1:9",),
    )
    secrets, transport = reader.secrets(environment)
    await secrets.renew(transport)
    assert "could not be connected to" in refused(secrets)


async def test_vault_is_reached_under_the_same_checks(reader: Reader) -> None:
    secrets, transport = reader.secrets(msgspec.structs.replace(reader.environment(), private_hosts=()))
    await secrets.renew(transport)
    assert "is not in `private_hosts`" in refused(secrets)
    assert reader.vault.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "../sys/seal"},
        {"path": "a/../../b"},
        {"path": "/a"},
        {"path": ""},
        {"mount": ".."},
        {"mount": "a//b"},
    ],
)
async def test_no_path_of_a_bundle_leaves_the_engine(reader: Reader, changes: dict[str, str]) -> None:
    field = msgspec.structs.replace(VaultField(path="support/desk", field="token"), **changes)
    assert "not plain segments" in refused(await reader.read(field))
    assert reader.vault.requests == []


@pytest.mark.parametrize("address", ["http://user@127.0.0.1:9", "ftp://vault", "vault", "http://a/b?c=d"])
async def test_an_address_that_is_none(reader: Reader, address: str) -> None:
    place = Vault(address=address, token="vault_token")
    secrets, transport = reader.secrets(msgspec.structs.replace(reader.environment(), vault=place))
    await secrets.renew(transport)
    assert "its address" in refused(secrets)


@pytest.mark.parametrize("token", ["", "short", "with\nbreak-in-it", "with-é-in-it"])
async def test_a_token_that_can_not_be_sent(reader: Reader, token: str) -> None:
    reader.environ["VAULT_TOKEN"] = token
    secrets = await reader.read()
    with pytest.raises(RefusedError, match=r"AR50[68]") as caught:
        secrets.get("desk")
    assert "break-in-it" not in str(caught.value)
    assert reader.vault.requests == []


async def test_before_it_was_read_a_secret_has_no_value(reader: Reader) -> None:
    secrets, _ = reader.secrets(reader.environment())
    assert "was not read" in refused(secrets)
    assert secrets.renewable
    assert not Secrets(Environment(), {}).renewable


# --- in calls ------------------------------------------------------------------------------------------


def programmed(world: Any, kit: SimpleNamespace, vault: Any) -> None:
    """A broker whose secret `token` is in Vault."""
    place = f"127.0.0.1:{world.server.port}"
    environment = {
        "secrets": {
            "token": Secret(vault=VaultField(path="support/desk", field="token")),
            "vault_token": Secret(env="VAULT_TOKEN"),
        },
        "vault": Vault(address=vault.url, token="vault_token", ttl_ms=60_000),
        "private_hosts": (place, vault.url.removeprefix("http://")),
    }
    world.environ["VAULT_TOKEN"] = TOKEN
    world.build(kit.program(world.server.port, environment=environment))


async def test_a_call_reads_its_secret_and_nothing_of_it_gets_out(
    world: Any, kit: SimpleNamespace, vault: Any
) -> None:
    vault.v2["support/desk"]["token"] = "the-t0ken-in-vault"
    programmed(world, kit, vault)
    world.server.answer = kit.ok(json.dumps({"id": f"the-t0ken-in-vault {TOKEN}"}).encode())
    outcome = await world.read()
    assert isinstance(outcome, Returned)
    assert outcome.value == {"id": "[secret token] [secret vault_token]"}
    assert world.server.seen[0].headers["authorization"] == "Bearer the-t0ken-in-vault"
    kept = world.records.text() + repr(world.events)
    assert not [value for value in (TOKEN, "the-t0ken-in-vault") if value in kept]


async def test_a_sealed_vault_refuses_the_call_before_anybody_is_asked(
    world: Any, kit: SimpleNamespace, vault: Any
) -> None:
    vault.sealed = True
    programmed(world, kit, vault)
    outcome = await world.refund(30)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "AR508"
    assert outcome.at == kit.source_map["environment:local/token"]
    assert world.person.asked == []
    assert world.server.seen == []


async def test_a_secret_is_read_again_after_a_long_approval(
    world: Any, kit: SimpleNamespace, vault: Any
) -> None:
    vault.v2["support/desk"]["token"] = "the-first-t0ken"
    programmed(world, kit, vault)
    secrets = world.broker._secrets
    secrets._monotonic = world.time.clocks().monotonic
    ask = world.person.ask

    async def asked(request: Any) -> Any:
        vault.v2["support/desk"]["token"] = "the-second-t0ken"
        world.time.at += 3600
        return await ask(request)

    world.person.ask = asked
    assert isinstance(await world.refund(30), Returned)
    assert world.server.seen[0].headers["x-api-key"] == "the-second-t0ken"

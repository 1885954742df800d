"""TLS: who vouches for a server, what a client shows of itself, and that neither leaves its connections."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from agentc_runtime.environments import ClientCertificate, Environment, Secret
from agentc_runtime.refusals import RefusedError
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.wire import HttpRequest, UnsentError

PASSWORD = "a-l0ng-passphrase"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def encrypted(issued: trustme.LeafCert) -> str:
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    ).decode()


@dataclass
class Served:
    """A server: the names that clients asked for, the subject of each request's client with the number of
    its connection, and the port."""

    port: int = 0
    names: list[str | None] = field(default_factory=list)
    seen: list[tuple[dict[str, str], int]] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        number = len(self.connections)
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                found = writer.get_extra_info("ssl_object").getpeercert() or {}
                self.seen.append((dict(part[0] for part in found.get("subject", ())), number))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                await writer.drain()


@asynccontextmanager
async def served(
    authority: trustme.CA, clients: trustme.CA | None = None, *, insists: bool = False
) -> AsyncIterator[Served]:
    """A server on loopback with a certificate for `localhost`; it asks for one that `clients` issued."""
    made = Served()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.sni_callback = lambda _, asked, __: made.names.append(asked)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED if insists else ssl.CERT_OPTIONAL
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    for writer in made.connections:
        writer.transport.abort()
    await asyncio.sleep(0)


def environment(port: int, authorities: str | None = None, host: str = "localhost") -> Environment:
    place = f"{host}:{port}"
    return Environment(
        private_hosts=(place,),
        certificate_authorities={} if authorities is None else {place: authorities},
        secrets={name: Secret(env=name) for name in ("cert", "key", "password", "other", "other_key")},
    )


async def status(
    transport: HttpTransport, port: int, certificate: Any = None, host: str = "localhost"
) -> int:
    origin = f"https://{host}:{port}"
    request = HttpRequest(
        method="GET",
        url=f"{origin}/",
        headers={},
        body=None,
        origin=origin,
        timeout_ms=5_000,
        max_response_bytes=100,
        certificate=certificate,
    )
    async with transport.send(request) as answer:
        async for _ in answer.chunks():
            pass
        return answer.status


@asynccontextmanager
async def connected(place: Environment, values: dict[str, str]) -> AsyncIterator[HttpTransport]:
    transport = HttpTransport(place, Secrets(place, values))
    try:
        yield transport
    finally:
        await transport.close()


async def test_the_name_of_the_plan_is_asked_for_and_checked(authority: trustme.CA) -> None:
    async with served(authority) as server:
        async with connected(environment(server.port, pem(authority)), {}) as transport:
            assert await status(transport, server.port) == 200
            assert server.names == ["localhost"]
        # the address is connected to, and the certificate is not for the address
        by_address = environment(server.port, pem(authority), "127.0.0.1")
        async with connected(by_address, {}) as transport:
            with pytest.raises(UnsentError, match="AR406"):
                await status(transport, server.port, host="127.0.0.1")


async def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    async with served(authority) as server:
        for place in (environment(server.port), environment(server.port, pem(trustme.CA()))):
            async with connected(place, {}) as transport:
                with pytest.raises(UnsentError, match="AR406"):
                    await status(transport, server.port)


async def test_an_authority_vouches_for_its_own_server_alone(authority: trustme.CA) -> None:
    async with served(authority) as private, served(authority) as other:
        place = Environment(
            private_hosts=(f"localhost:{private.port}", f"localhost:{other.port}"),
            certificate_authorities={f"LOCALHOST:{private.port}": pem(authority)},
        )
        async with connected(place, {}) as transport:
            assert await status(transport, private.port) == 200
            with pytest.raises(UnsentError, match="AR406"):
                await status(transport, other.port)


async def test_authorities_that_are_none_refuse(authority: trustme.CA) -> None:
    async with served(authority) as server:
        for text in ("", "é", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
            async with connected(environment(server.port, text), {}) as transport:
                with pytest.raises(UnsentError, match="AR406"):
                    await status(transport, server.port)


# --- client certificates -------------------------------------------------------------------------------


def client(authority: trustme.CA, name: str = "desk") -> tuple[str, str, trustme.LeafCert]:
    issued = authority.issue_cert(f"{name}@example.com", common_name=name)
    chain = "".join(one.bytes().decode() for one in issued.cert_chain_pems)
    return chain, issued.private_key_pem.bytes().decode(), issued


async def test_a_client_certificate_is_shown_and_its_key_proved(authority: trustme.CA) -> None:
    chain, key, _ = client(authority)
    async with served(authority, authority) as server:
        values = {"cert": chain, "key": key}
        async with connected(environment(server.port, pem(authority)), values) as transport:
            shown = ClientCertificate(certificate="cert", key="key")
            assert await status(transport, server.port, shown) == 200
        assert [subject["commonName"] for subject, _ in server.seen] == ["desk"]


async def test_certificate_and_key_may_be_one_secret_and_the_key_encrypted(authority: trustme.CA) -> None:
    chain, key, issued = client(authority)
    values = {"cert": chain + key, "other": chain, "other_key": encrypted(issued), "password": PASSWORD}
    async with served(authority, authority) as server:
        async with connected(environment(server.port, pem(authority)), values) as transport:
            assert await status(transport, server.port, ClientCertificate(certificate="cert")) == 200
            opened = ClientCertificate(certificate="other", key="other_key", key_password="password")
            assert await status(transport, server.port, opened) == 200
        assert [subject["commonName"] for subject, _ in server.seen] == ["desk", "desk"]


async def test_no_connection_carries_the_certificate_of_others(authority: trustme.CA) -> None:
    chain, key, _ = client(authority, "desk")
    other_chain, other_key, _ = client(authority, "billing")
    values = {"cert": chain, "key": key, "other": other_chain, "other_key": other_key}
    desk = ClientCertificate(certificate="cert", key="key")
    billing = ClientCertificate(certificate="other", key="other_key")
    async with served(authority, authority) as server:
        async with connected(environment(server.port, pem(authority)), values) as transport:
            for shown in (desk, None, billing, None, desk, billing):
                await status(transport, server.port, shown)
        names = [subject.get("commonName") for subject, _ in server.seen]
        assert names == ["desk", None, "billing", None, "desk", "billing"]
        # each kept its connection
        assert len({connection for _, connection in server.seen}) == 3


async def test_a_certificate_that_was_renewed_is_shown_from_then_on(authority: trustme.CA) -> None:
    chain, key, _ = client(authority, "old")
    async with served(authority, authority) as server:
        place = environment(server.port, pem(authority))
        secrets = Secrets(place, {"cert": chain, "key": key})
        transport = HttpTransport(place, secrets)
        shown = ClientCertificate(certificate="cert", key="key")
        await status(transport, server.port, shown)
        chain, key, _ = client(authority, "new")
        secrets._values.update(cert=chain, key=key)  # as a renewal from Vault does
        await status(transport, server.port, shown)
        await transport.close()
        assert [subject["commonName"] for subject, _ in server.seen] == ["old", "new"]


async def test_a_server_that_insists_gets_no_request_without_a_certificate(authority: trustme.CA) -> None:
    chain, key, _ = client(trustme.CA())  # of an authority that the server does not know
    async with served(authority, authority, insists=True) as server:
        place = environment(server.port, pem(authority))
        async with connected(place, {"cert": chain, "key": key}) as transport:
            for shown in (None, ClientCertificate(certificate="cert", key="key")):
                with pytest.raises(RefusedError, match="AR406"):
                    await status(transport, server.port, shown)
        assert server.seen == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cert": "CHAIN", "key": "OTHER KEY"}, "the private key is not that of the certificate"),
        ({"cert": "CHAIN", "key": "ENCRYPTED"}, "does not open with no password"),
        ({"cert": "CHAIN", "key": "ENCRYPTED", "password": "something-else"}, "does not open with its"),
        ({"cert": "CHAIN", "key": "CHAIN"}, "no certificate and private key in PEM"),
        ({"cert": "CHAIN"}, "AR506"),
        ({"cert": "KEY", "key": "KEY"}, "no certificate and private key in PEM"),
        ({"cert": "not-a-certificate", "key": "KEY"}, "no certificate and private key in PEM"),
        ({"cert": "é" * 20, "key": "KEY"}, "no certificate and private key in PEM"),
        ({"cert": "\x00" * 20, "key": "KEY"}, "no certificate and private key in PEM"),
    ],
)
async def test_what_is_no_certificate_with_its_key_is_refused_before_anything_is_sent(
    authority: trustme.CA, values: dict[str, str], words: str
) -> None:
    chain, key, issued = client(authority)
    known = {"CHAIN": chain, "KEY": key, "OTHER KEY": client(authority)[1], "ENCRYPTED": encrypted(issued)}
    given = {name: known.get(value, value) for name, value in values.items()}
    shown = ClientCertificate(
        certificate="cert", key="key", key_password="password" if "password" in given else None
    )
    async with served(authority, authority) as server:
        async with connected(environment(server.port, pem(authority)), given) as transport:
            with pytest.raises(UnsentError, match=r"AR50[69]") as caught:
                await status(transport, server.port, shown)
        assert words in str(caught.value)
        assert "PRIVATE" not in str(caught.value)
        assert server.seen == []


async def test_a_transport_without_secrets_shows_none(authority: trustme.CA) -> None:
    async with served(authority, authority) as server:
        transport = HttpTransport(environment(server.port, pem(authority)))
        with pytest.raises(UnsentError, match="AR509"):
            await status(transport, server.port, ClientCertificate(certificate="cert"))
        await transport.close()
        assert server.seen == []


async def test_the_key_is_in_no_file_and_in_no_text(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the system has no files in memory."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    chain, key, _ = client(authority)
    async with served(authority, authority) as server:
        place = environment(server.port, pem(authority))
        secrets = Secrets(place, {"cert": chain, "key": key})
        for in_memory in (True, False):
            monkeypatch.setattr("agentc_runtime.tls._IN_MEMORY", in_memory)
            transport = HttpTransport(place, secrets)
            shown = ClientCertificate(certificate="cert", key="key")
            assert await status(transport, server.port, shown) == 200
            line = key.splitlines()[1]
            assert line not in repr(transport._pools)
            await transport.close()
    assert os.listdir(tmp_path) == []
    for text in (key, key.replace("\n", "\\n"), f"… {line} …", "".join(key.splitlines()[1:-1])):
        assert line not in secrets.redact(text)

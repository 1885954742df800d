"""TLS: the certificate is checked against the name in the plan, although an address is connected to."""

from __future__ import annotations

import asyncio
import datetime
import ssl

import pytest

from agentc_runtime.bundle import Environment
from agentc_runtime.transport import HttpTransport
from agentc_runtime.wire import HttpRequest, UnsentError

pytest.importorskip("cryptography", reason="makes the certificate")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@pytest.fixture
def certificate(tmp_path):
    """A certificate for the name `localhost`, and nothing else, that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def secure(certificate):
    """A server on loopback that speaks TLS: its port, and the server names that clients asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names = []
    context.sni_callback = lambda _, name, __: names.append(name)

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1], names
    server.close()


async def status(port, host, tls=None):
    transport = HttpTransport(Environment(private_hosts=(f"{host}:{port}",)), tls=tls)
    origin = f"https://{host}:{port}"
    request = HttpRequest(
        method="GET",
        url=f"{origin}/",
        headers={},
        body=None,
        origin=origin,
        timeout_ms=5_000,
        max_response_bytes=100,
    )
    try:
        async with transport.send(request) as answer:
            return answer.status
    finally:
        await transport.close()


async def test_the_name_of_the_plan_is_asked_for_and_checked(secure, certificate):
    port, names = secure
    trusting = ssl.create_default_context(cafile=str(certificate))
    assert await status(port, "localhost", trusting) == 200
    assert names == ["localhost"]
    with pytest.raises(UnsentError, match="AR406"):
        await status(port, "127.0.0.1", trusting)


async def test_an_unknown_authority_is_not_trusted(secure):
    with pytest.raises(UnsentError, match="AR406"):
        await status(secure[0], "localhost")

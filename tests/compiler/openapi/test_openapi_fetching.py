"""Files from the network: what goes wrong is said, and what a document must not reach is not asked for."""

from __future__ import annotations

import datetime
import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentc.openapi import fetching
from agentc.openapi.fetching import Fetcher, place_of, plain_url
from agentc.openapi.problem import ImportProblem

LIMIT = 1 << 20


def got(url: str, own: str | None = None) -> bytes:
    with Fetcher(own or url) as fetcher:
        return fetcher.get(url, LIMIT).data


def refused(url: str, own: str | None = None) -> str:
    with pytest.raises(ImportProblem) as found:
        got(url, own)
    return f"{found.value.message}; {found.value.help}"


def _raw(answer: bytes) -> Any:
    def page(handler: Any) -> None:
        handler.wfile.write(answer)
        handler.close_connection = True

    return page


def test_a_file_is_fetched_after_redirects_and_decompressed(serve: Any) -> None:
    packed = gzip.compress(b"openapi: 3.0.3\n" * 100)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode()
    site = serve(
        {"/a": (302, {"location": "b"}), "/b": (301, {"location": "/c?x=1#y"}), "/c?x=1": _raw(head + packed)}
    )
    with Fetcher(site.url) as fetcher:
        found = fetcher.get(f"{site.url}/a", LIMIT)
    assert found == (b"openapi: 3.0.3\n" * 100, f"{site.url}/c?x=1")


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ((404, {}), "answered with status 404; check the URL"),
        ((500, {}), "answered with status 500"),
        ((401, {}), "answered with status 401; fetch the document with a program that has the credentials"),
        ("<!DOCTYPE html><html></html>", "answered with a web page; give the URL of the file itself"),
        (b"\xef\xbb\xbf\n <html>", "answered with a web page"),
        ((302, {"location": "/x"}), "redirects more than 5 times"),
        ((302, {"location": "file:///etc/passwd"}), "can't read `file:///etc/passwd`"),
        (
            (302, {"location": "http://127.0.0.1:9/"}),
            "`127.0.0.1:9` is at `127.0.0.1`, which is not on the public",
        ),
        ((200, {"content-length": "9999999"}), "is larger than 1 MiB"),
        (
            _raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nopenapi: 3"),
            "broke off: peer closed connection",
        ),
        (
            _raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"),
            "compressed data",
        ),
        (_raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 3\r\n\r\nabc"), "content coding"),
        (_raw(b"not http at all\r\n\r\n"), "broke off: "),
        (_raw(b""), "broke off: "),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "page",
)
def test_an_answer_that_is_no_file_is_said(serve: Any, page: Any, told: str) -> None:
    site = serve({"/x": page})
    assert told in refused(f"{site.url}/x")


def test_what_is_too_large_is_not_read_to_the_end(serve: Any) -> None:
    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(b"# more\n" * 10_000)
        except OSError:
            return

    def bomb(handler: Any) -> None:
        packed = gzip.compress(bytes(50 << 20))
        head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
        handler.wfile.write(head.encode() + packed)

    site = serve({"/endless": endless, "/bomb": bomb})
    for path in ("/endless", "/bomb"):
        assert "is larger than 1 MiB" in refused(site.url + path)


def test_a_slow_server_is_not_waited_for_longer_than_the_deadline(serve: Any, monkeypatch: Any) -> None:
    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(b"#\n")
                threading.Event().wait(0.02)
        except OSError:
            return

    monkeypatch.setattr(fetching, "DEADLINE_SECONDS", 0.2)
    assert "was not there after 0 seconds" in refused(f"{serve({'/x': drip}).url}/x")


def test_a_host_that_does_not_answer_is_asked_once(monkeypatch: Any) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.2)
    accepted: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    accepted.append(server.accept())
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{port}"
        with Fetcher(url) as fetcher:
            for path in ("/a", "/b", "/c"):
                with pytest.raises(ImportProblem, match="did not answer in time"):
                    fetcher.get(url + path, LIMIT)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection, _ in accepted:
        connection.close()
    assert len(accepted) == 1


def test_hosts_that_are_not_there_are_said() -> None:
    assert "can't connect to `127.0.0.1:1`: connection refused" in refused("http://127.0.0.1:1/x")
    assert "`nowhere.invalid` has no address" in refused("http://nowhere.invalid/x")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://0.0.0.0:{port}/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x",
        "http://192.168.1.1/x",
        "http://[fe80::1]/x",
        "http://2130706433:{port}/x",
        "http://0x7f.1:{port}/x",
        "http://127.1:{port}/x",
        "http://example.com@127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}\\@example.com/x",
    ],
)
def test_a_document_does_not_choose_a_private_address(serve: Any, url: str) -> None:
    site = serve({"/x": "secret: 1\n"})
    port = site.url.rpartition(":")[2]
    with Fetcher() as fetcher, pytest.raises(ImportProblem) as found:
        fetcher.get(url.format(port=port), LIMIT)
    assert site.asked == []
    assert "public internet" in found.value.message or "the URL" in found.value.message or found.value.help


def test_another_port_of_the_named_host_is_not_the_named_host(serve: Any) -> None:
    named, other = serve({"/x": "a: 1\n"}), serve({"/x": "secret: 1\n"})
    assert got(f"{named.url}/x") == b"a: 1\n"
    assert "not on the public internet" in refused(f"{other.url}/x", own=named.url)
    assert other.asked == []


def test_a_url_is_sent_as_it_was_checked(serve: Any) -> None:
    site = serve({"/a%20b/%C3%BC?q=%20": "a: 1\n"})
    assert got(f"{site.url}/a b/ü?q= #fragment") == b"a: 1\n"
    assert plain_url("HTTPS://Example.com/a/../b") == "https://Example.com/a/../b"
    assert place_of("https://Example.com/x") == "example.com:443"
    for url in (
        "ftp://example.com/x",
        "https://",
        "https://exa mple.com/",
        "https://u:p@example.com/",
        "http://[/x",
    ):
        with pytest.raises(ImportProblem):
            plain_url(url)


def test_no_proxy_is_asked_for_a_private_address(serve: Any, monkeypatch: Any) -> None:
    proxy = serve({"http://public.example/x": "a: 1\n", "http://10.0.0.1/x": "secret: 1\n"})
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    with Fetcher() as fetcher:
        assert fetcher.get("http://public.example/x", LIMIT).data == b"a: 1\n"
        with pytest.raises(ImportProblem, match="not on the public internet"):
            fetcher.get("http://10.0.0.1/x", LIMIT)
    assert proxy.asked == ["http://public.example/x"]
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    assert "neither http nor https" in refused("http://public.example/x")


# --- TLS -------------------------------------------------------------------------------------------------


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Any]:
    """`secure(answer)`: the https URL of a server that answers so to every request, and its certificate."""
    pytest.importorskip("cryptography", reason="makes the certificate")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        builder.serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    servers: list[socket.socket] = []

    def start(answer: bytes) -> tuple[str, Path]:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                with plain:
                    try:
                        with context.wrap_socket(plain, server_side=True) as stream:
                            stream.recv(65536)
                            stream.sendall(answer)
                    except OSError:
                        continue

        threading.Thread(target=run, daemon=True).start()
        return f"https://localhost:{server.getsockname()[1]}", pem

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def test_a_certificate_that_is_not_trusted_is_said(secure: Any, monkeypatch: Any) -> None:
    url, pem = secure(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na: 1\n")
    told = refused(f"{url}/x")
    assert f"the certificate of `{url.removeprefix('https://')}` is not trusted: " in told
    assert "SSL_CERT_FILE" in told
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert got(f"{url}/x") == b"a: 1\n"


def test_https_never_turns_into_http(secure: Any, serve: Any, monkeypatch: Any) -> None:
    plain = serve({"/x": "a: 1\n"})
    url, pem = secure(f"HTTP/1.1 302 Found\r\nlocation: {plain.url}/x\r\ncontent-length: 0\r\n\r\n".encode())
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert "redirects to plain http" in refused(f"{url}/x")
    assert plain.asked == []


def test_plain_http_where_tls_is_expected_is_said(serve: Any) -> None:
    site = serve({})
    assert "does not speak TLS" in refused(site.url.replace("http:", "https:"))

"""A folder, a web server and a registry give what was pushed, or say in words that they do not."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import ssl
import time
from pathlib import Path

import pytest
import trustme

from agentc_runtime.archive import pack
from agentc_runtime.release import origin as origins
from agentc_runtime.release.folder import FolderOrigin
from agentc_runtime.release.origin import (
    OriginError,
    bundle_from,
    bundle_path,
    open_origin,
    open_publisher,
    pointer_path,
)
from agentc_runtime.verify import load_bundle

Files = dict[str, bytes]


def test_what_is_pushed_is_pulled(place, signed: Files) -> None:
    push, pull, lose = place.push, place.pull, place.lose
    bundle = load_bundle(signed)
    with pytest.raises(OriginError):
        bundle_from(pull, bundle.digest)
    push.push_bundle(bundle.digest, pack(signed))
    assert bundle_from(pull, bundle.digest).bundle == bundle
    push.push_bundle(bundle.digest, pack(signed))
    assert bundle_from(pull, bundle.digest).archive == pack(signed), "pushed again, it is the same"
    lose()
    with pytest.raises(OriginError) as caught:
        bundle_from(pull, bundle.digest)
    assert str(caught.value).isprintable()


def test_a_bundle_gets_more_attestations(place, signed: Files, unsigned: Files) -> None:
    push, pull = place.push, place.pull
    digest = load_bundle(unsigned).digest
    push.push_bundle(digest, pack(unsigned))
    push.push_bundle(digest, pack(signed))
    assert len(bundle_from(pull, digest).bundle.attestations) == 4


def test_pointers_are_asked_for_by_what_is_known(place) -> None:
    push, pull, lose = place.push, place.pull, place.lose
    push.push_pointer("production", "triage", b'{"first":1}')
    first = pull.pointer("production", "triage", None)
    assert first is not None
    assert first.envelope == b'{"first":1}'
    assert pull.pointer("production", "triage", first.tag) is None
    push.push_pointer("production", "triage", b'{"second":2}')
    second = pull.pointer("production", "triage", first.tag)
    assert second is not None
    assert second.envelope == b'{"second":2}'
    with pytest.raises(OriginError):
        pull.pointer("staging", "triage", None)
    lose()
    with pytest.raises(OriginError):
        pull.pointer("production", "triage", second.tag)


def test_an_unchanged_pointer_is_not_sent_again(web) -> None:
    FolderOrigin(web.folder).push_pointer("production", "triage", b"{}")
    pull = open_origin(web.url)
    known = pull.pointer("production", "triage", None)
    assert known is not None
    assert pull.pointer("production", "triage", known.tag) is None
    assert [status for _, status in web.seen] == [200, 304]


def test_over_tls_with_a_private_authority(web, signed: Files, tmp_path: Path, monkeypatch) -> None:
    authority, digest = trustme.CA(), load_bundle(signed).digest
    FolderOrigin(web.folder).push_bundle(digest, pack(signed))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    web.server.socket = tls.wrap_socket(web.server.socket, server_side=True)
    pull = open_origin(web.url.replace("http://", "https://"))
    with pytest.raises(OriginError, match="can't read"):
        bundle_from(pull, digest)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    assert bundle_from(pull, digest).bundle.digest == digest


# --- lies ----------------------------------------------------------------------------------------------


def test_another_bundle_for_a_digest(tmp_path: Path, signed: Files, unsigned: Files) -> None:
    digest = load_bundle(unsigned).digest
    manifest = signed["manifest.json"].replace(b'"compiler":"agentc', b'"compiler":"agentX')
    other = {**unsigned, "manifest.json": manifest}
    FolderOrigin(tmp_path).push_bundle(digest, pack(other))
    with pytest.raises(OriginError, match=f"what is there for sha256:{digest[:12]} is sha256:"):
        bundle_from(FolderOrigin(tmp_path), digest)


def test_a_registry_that_gives_other_bytes_for_a_blob(registry, signed: Files) -> None:
    """Its own files are changed under it: the client library takes them, and this must not."""
    bundle = load_bundle(signed)
    place = open_publisher(registry.place)
    place.push_bundle(bundle.digest, pack(signed))
    blob = hashlib.sha256(pack(signed)).hexdigest()
    file = registry.folder / "data/docker/registry/v2/blobs/sha256" / blob[:2] / blob / "data"
    data = bytearray(file.read_bytes())
    data[2000] ^= 1
    file.write_bytes(data)
    registry.stop()
    registry.start()
    with pytest.raises(OriginError, match=f"gives other bytes for sha256:{blob[:12]}"):
        bundle_from(open_origin(registry.place), bundle.digest)


def test_something_else_under_the_tag_of_a_bundle(registry, signed: Files) -> None:
    place = open_publisher(registry.place)
    digest = load_bundle(signed).digest
    place._push(f"sha256-{digest}", "text/plain", b"hello")  # type: ignore[attr-defined]
    with pytest.raises(OriginError, match="is something else than"):
        place.archive(digest)


def send(handler, body: bytes, *headers: tuple[str, str], status: int = 200) -> None:
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def drip(handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(200):
            handler.wfile.write(b".")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        pass  # the client has had enough


def flood(handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(10_000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass  # the client has had enough


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda handler: send(handler, b"", ("Location", "/elsewhere"), status=302), "answers 302"),
        (
            lambda handler: send(handler, gzip.compress(b"0" * 10**6), ("Content-Encoding", "gzip")),
            "compressed",
        ),
        (lambda handler: send(handler, b"", status=304), "answers 304"),
        (lambda handler: send(handler, b"nope", status=500), "answers 500"),
        (lambda handler: handler.connection.close(), "can't read"),
        (lambda handler: time.sleep(1.5), "can't read"),
        (drip, "takes longer than 0.3 s"),
        (flood, "sends more than 262144 bytes"),
    ],
    ids=["redirects", "compressed", "not modified unasked", "error", "hangs up", "stalls", "drips", "floods"],
)
def test_a_web_server_that_misbehaves(web, monkeypatch, answer, told: str) -> None:
    if told in {"can't read", "takes longer than 0.3 s"}:  # the others answer, and may be slow at it
        monkeypatch.setattr(origins, "POINTER_SECONDS", 0.3)
        monkeypatch.setattr("agentc_runtime.release.web.STEP_SECONDS", 0.3)
    web.answer = answer
    begun = time.monotonic()
    with pytest.raises(OriginError, match=told):
        open_origin(web.url).pointer("production", "triage", None)
    assert time.monotonic() - begun < 20


def test_a_registry_that_misbehaves(web, monkeypatch) -> None:
    monkeypatch.setattr(origins, "POINTER_SECONDS", 0.3)
    monkeypatch.setattr("agentc_runtime.release.registry.STEP_SECONDS", 0.3)
    pull = open_origin(f"oci://127.0.0.1:{web.port}/agents")
    layer = {"digest": "sha256:" + "0" * 64, "size": 2, "mediaType": "application/vnd.agentc.channel.v1+json"}
    for answer in (
        lambda handler: send(handler, b"not json"),
        lambda handler: send(handler, b"[]"),
        lambda handler: send(handler, json.dumps({"layers": [layer, layer]}).encode()),
        lambda handler: send(handler, json.dumps({"layers": [{**layer, "digest": "sha256:../x"}]}).encode()),
        lambda handler: send(handler, json.dumps({"layers": [{**layer, "size": "2"}]}).encode()),
        lambda handler: send(handler, b"", status=401),
        lambda handler: send(handler, b"", ("WWW-Authenticate", "Bearer realm=nowhere"), status=401),
        lambda handler: handler.connection.close(),
        lambda handler: time.sleep(1.0),
        drip,
        flood,
    ):
        web.answer = answer
        with pytest.raises(OriginError) as caught:
            pull.pointer("production", "triage", None)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "place",
    [
        "http://bundles.example/agents", "https://", "https://user:secret@bundles.example", "https://[", "https://x?y=1",
        "oci://registry.example", "oci://", "oci://registry.example//x", "oci://user@registry.example/x",
    ],
)  # fmt: skip
def test_places_that_are_no_origins(place: str) -> None:
    with pytest.raises(OriginError) as caught:
        open_origin(place)
    assert "secret" not in str(caught.value).replace(place, "")


def test_a_web_server_is_not_pushed_to() -> None:
    with pytest.raises(OriginError, match="push to the folder that it serves"):
        open_publisher("https://bundles.example")


def test_a_folder_holds_plain_files(tmp_path: Path) -> None:
    origin = FolderOrigin(tmp_path)
    for path in (pointer_path("production", "triage"), bundle_path("0" * 64)):
        (tmp_path / path).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / pointer_path("production", "triage"))
    with pytest.raises(OriginError, match="not a plain file"):
        origin.pointer("production", "triage", None)
    (tmp_path / bundle_path("0" * 64)).mkdir()
    with pytest.raises(OriginError):
        origin.archive("0" * 64)

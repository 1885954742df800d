"""An OCI registry as an origin, by the library `oras`, which knows how to talk and log in to registries.

It checks no digest of what it gets, so all are checked here.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..archive import MAX_ARCHIVE_BYTES
from .channel import MAX_POINTER_BYTES, is_digest
from .origin import STEP_SECONDS, MissingError, OriginError, Pointed, collected

if TYPE_CHECKING:
    import requests
    from oras.container import Container
    from oras.provider import Registry

BUNDLE_TYPE: Final = "application/vnd.agentc.bundle.v1+tar"
POINTER_TYPE: Final = "application/vnd.agentc.channel.v1+json"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class RegistryOrigin:
    """The origin in a repository of a registry: tags `sha256-DIGEST` and `channel.CHANNEL.AGENT`."""

    def __init__(self, place: str) -> None:
        """`oci://HOST/REPOSITORY`; only this machine is talked to without TLS.

        Raises:
            OriginError: it is no such place, or the library is not installed.
        """
        self._place = place.removeprefix("oci://").rstrip("/")
        host, _, repository = self._place.partition("/")
        if (
            not host
            or not repository
            or "@" in self._place
            or any(not part for part in repository.split("/"))
        ):
            raise OriginError(f"`{place}` is no repository: write it like oci://registry.example/agents")
        self._insecure = host.rpartition(":")[0] in _LOOPBACK or host in _LOOPBACK
        _client(insecure=self._insecure)

    def pointer(self, channel: str, agent: str, known: str | None) -> Pointed | None:
        """As `Origin.pointer`; the tag is the digest of the manifest."""
        tag, blob = self._layer(_pointer_tag(channel, agent), POINTER_TYPE, MAX_POINTER_BYTES)
        if tag == known:
            return None
        return Pointed(self._blob(blob, pointer=True), tag)

    def archive(self, digest: str) -> bytes:
        """As `Origin.archive`."""
        _, blob = self._layer(f"sha256-{digest}", BUNDLE_TYPE, MAX_ARCHIVE_BYTES)
        return self._blob(blob, pointer=False)

    def push_bundle(self, digest: str, archive: bytes) -> None:
        """As `Publisher.push_bundle`."""
        self._push(f"sha256-{digest}", BUNDLE_TYPE, archive)

    def push_pointer(self, channel: str, agent: str, envelope: bytes) -> None:
        """As `Publisher.push_pointer`."""
        self._push(_pointer_tag(channel, agent), POINTER_TYPE, envelope)

    def _layer(self, tag: str, kind: str, limit: int) -> tuple[str, str]:
        """The digest of the manifest with that tag, and of its one layer, which has to be of that kind."""
        with self._talking(tag) as (registry, container):
            url = f"{registry.prefix}://{container.manifest_url()}"
            answer = registry.do_request(url, "GET", headers={"Accept": MANIFEST_TYPE}, stream=True)
            data = _body(answer, pointer=True)
            manifest = json.loads(data)
            (layer,) = manifest["layers"]
            digest = layer["digest"].removeprefix("sha256:")
            if layer["mediaType"] != kind or not is_digest(digest) or not 0 <= layer["size"] <= limit:
                raise OriginError(f"`{self._place}:{tag}` is something else than `{kind}`")
            return hashlib.sha256(data).hexdigest(), digest

    def _blob(self, digest: str, *, pointer: bool) -> bytes:
        with self._talking("latest") as (registry, container):
            answer = registry.get_blob(container, f"sha256:{digest}", stream=True)
            data = _body(answer, pointer=pointer)
        if hashlib.sha256(data).hexdigest() != digest:
            raise OriginError(f"`{self._place}` gives other bytes for sha256:{digest[:12]}")
        return data

    def _push(self, tag: str, kind: str, data: bytes) -> None:
        config = b"{}"
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", **_described(config)},
            "layers": [{"mediaType": kind, **_described(data)}],
        }
        with self._talking(tag) as (registry, container):
            for blob in (config, data):
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "blob"
                    path.write_bytes(blob)
                    _good(registry.upload_blob(str(path), container, _described(blob)))
            _good(registry.upload_manifest(manifest, container))

    @contextmanager
    def _talking(self, tag: str) -> Iterator[tuple[Registry, Container]]:
        """The library and what it is built on raise what they like: all says that the registry is no help."""
        import requests
        from oras.auth import AuthenticationException

        registry = _client(insecure=self._insecure)
        try:
            container = registry.get_container(f"{self._place}:{tag}")
            registry.auth.load_configs(container)
            yield registry, container
        except (requests.RequestException, AuthenticationException) as error:
            raise OriginError(f"can't talk to `{self._place}`: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
            raise OriginError(f"`{self._place}:{tag}` can't be used: {type(error).__name__}") from error
        finally:
            registry.session.close()


def _client(*, insecure: bool) -> Registry:
    try:
        from oras.provider import Registry
        from requests.adapters import HTTPAdapter
    except ModuleNotFoundError as error:
        raise OriginError("registries need the library `oras`: pip install 'agentc[oci]'") from error

    class Impatient(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, **given: object) -> requests.Response:  # type: ignore[override]
            return super().send(request, **{**given, "timeout": STEP_SECONDS})  # type: ignore[arg-type]

    class Client(Registry):  # type: ignore[misc]  # the library has no types
        # without its tries for two minutes: whoever follows a channel asks again anyway
        do_request = Registry.do_request.__wrapped__

    client = Client(insecure=insecure, tls_verify=os.environ.get("SSL_CERT_FILE") or True)
    client.session.trust_env = False
    for scheme in ("http://", "https://"):
        client.session.mount(scheme, Impatient())
    return client


def _body(answer: requests.Response, *, pointer: bool) -> bytes:
    with answer:
        _good(answer)
        return collected(answer.iter_content(65536), pointer=pointer)


def _good(answer: requests.Response) -> None:
    if answer.status_code not in (200, 201, 202):
        kind = MissingError if answer.status_code == 404 else OriginError
        raise kind(f"the registry answers {answer.status_code} to {answer.request.method}")


def _described(data: bytes) -> dict[str, object]:
    return {"digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def _pointer_tag(channel: str, agent: str) -> str:
    return f"channel.{channel}.{agent}"

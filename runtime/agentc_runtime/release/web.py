"""A web server as an origin: plain files over HTTPS, pointers asked for with the ETag of the last one.

The variable `SSL_CERT_FILE` names the authorities of a private server, as it does for other programs.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import certifi
import httpx

from .origin import STEP_SECONDS, MissingError, OriginError, Pointed, bundle_path, collected, pointer_path

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WebOrigin:
    """The origin below a base URL. Redirects are not followed, and nothing compressed is read."""

    def __init__(self, base: str) -> None:
        """
        Raises:
            OriginError: not an `https://` URL, or `http://` to another machine than this one.
        """
        try:
            parts = urlsplit(base)
            host, credentials = parts.hostname or "", parts.username
        except ValueError as error:
            raise OriginError(f"`{base}` is no URL: {error}") from error
        if not host or credentials is not None or parts.query or parts.fragment:
            raise OriginError(f"`{base}` is no base URL: write it like https://bundles.example/agents")
        if parts.scheme != "https" and host not in _LOOPBACK:
            raise OriginError(f"`{base}` is not encrypted: use https")
        self._base = base.rstrip("/")

    def pointer(self, channel: str, agent: str, known: str | None) -> Pointed | None:
        """As `Origin.pointer`; the tag is the ETag."""
        headers = {"if-none-match": known} if known else {}
        with self._get(pointer_path(channel, agent), headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED and known:
                return None
            data = collected(self._body(answer), pointer=True)
            return Pointed(data, answer.headers.get("etag", ""))

    def archive(self, digest: str) -> bytes:
        """As `Origin.archive`."""
        with self._get(bundle_path(digest), {}) as answer:
            return collected(self._body(answer), pointer=False)

    def _body(self, answer: httpx.Response) -> Iterator[bytes]:
        if answer.status_code != httpx.codes.OK:
            kind = MissingError if answer.status_code == httpx.codes.NOT_FOUND else OriginError
            raise kind(f"`{answer.url}` answers {answer.status_code}")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise OriginError(f"`{answer.url}` sends something compressed")
        return answer.iter_raw()

    @contextmanager
    def _get(self, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        url = f"{self._base}/{path}"
        try:
            tls = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())
            with (
                httpx.Client(timeout=STEP_SECONDS, trust_env=False, verify=tls) as client,
                client.stream("GET", url, headers={"accept-encoding": "identity", **headers}) as answer,
            ):
                yield answer
        except (httpx.HTTPError, OSError) as error:
            raise OriginError(f"can't read `{url}`: {type(error).__name__}") from error

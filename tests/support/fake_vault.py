"""Vault's HTTP API on loopback, as far as secrets are read: key-value engines of version 1 and 2.

It answers what https://developer.hashicorp.com/vault/api-docs says that Vault answers; a test reads it with
`hvac` as well. Standard library only.
"""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class FakeVault:
    """The server, with `tls` at `localhost` over TLS. Use as a context manager.

    `v2` and `v1` are the secrets of the engines that are mounted at `secret` and at `kv`, by path; of those
    in `deleted` the newest version is gone. `answer`, if set, is sent instead: status, headers, body. `wait`
    is an event that each request waits for first.
    """

    def __init__(self, token: str, namespace: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.token, self.namespace = token, namespace
        self.v2: dict[str, dict[str, Any]] = {}
        self.v1: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()
        self.lease = 2_764_800
        self.sealed = False
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        self.wait: threading.Event | None = None
        self.requests: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://localhost:{self.port}"

    def __enter__(self) -> FakeVault:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.wait is not None:
            self.wait.set()
        self._server.shutdown()
        self._server.server_close()

    def read(self, asked: Asked) -> tuple[int, object]:
        """The answer to a request."""
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if asked.headers.get("x-vault-token") != self.token:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}
        if asked.headers.get("x-vault-namespace", "").rstrip("/") != self.namespace:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        mount, _, rest = asked.path.removeprefix("/v1/").partition("/")
        if mount == "kv":
            found = self.v1.get(rest)
            return (404, {"errors": []}) if found is None else (200, self._said(found, self.lease))
        kind, _, path = rest.partition("/")
        if mount != "secret" or kind != "data":
            warning = "Invalid path for a versioned K/V secrets engine."
            return 404, {"errors": [], "data": None, "warnings": [warning]}
        if path in self.deleted:
            deleted = {"data": None, "metadata": _metadata("2026-01-06T10:00:00.000000000Z")}
            return 404, self._said(deleted, 0)
        if path not in self.v2:
            return 404, {"errors": []}
        return 200, self._said({"data": self.v2[path], "metadata": _metadata("")}, 0)

    def _said(self, data: object, lease: int) -> dict[str, object]:
        return {
            "request_id": f"00000000-0000-4000-8000-{len(self.requests):012d}",
            "lease_id": "",
            "renewable": False,
            "lease_duration": lease,
            "data": data,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
            "mount_type": "kv",
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_GET(self) -> None:
                asked = Asked("GET", self.path, {name.lower(): value for name, value in self.headers.items()})
                vault.requests.append(asked)
                if vault.wait is not None:
                    vault.wait.wait(10)
                status, headers, body = 200, {"content-type": "application/json"}, b""
                if vault.answer is not None:
                    status, more, body = vault.answer
                    headers |= more
                else:
                    status, said = vault.read(asked)
                    body = json.dumps(said).encode() + b"\n"
                self.send_response(status)
                for name, value in {"cache-control": "no-store", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):  # whoever asked has given up
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        return Handler


def _metadata(deletion_time: str) -> dict[str, object]:
    return {
        "created_time": "2026-01-05T09:00:00.123456789Z",
        "custom_metadata": None,
        "deletion_time": deletion_time,
        "destroyed": False,
        "version": 3,
    }

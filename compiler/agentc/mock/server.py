"""The mock on a port of 127.0.0.1. Nobody else reaches it: neither other machines nor pages in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from .service import Reply, Request, Service, error_reply

MAX_BODY: Final = 16 * 1024 * 1024
_TIMEOUT_SECONDS: Final = 30.0


def bound(port: int) -> ThreadingHTTPServer:
    """A server on a port of loopback, which does not answer yet.

    Raises:
        OSError: the port is taken.
    """
    server = ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    server.daemon_threads = True
    return server


def answering(server: ThreadingHTTPServer, service: Service, log: Callable[[str], None]) -> None:
    """Let a server answer from `service`, with one line of `log` a request. Queries and headers may hold
    credentials and are not logged."""
    hosts = {f"{name}:{server.server_address[1]}" for name in ("127.0.0.1", "localhost")}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head
        timeout = _TIMEOUT_SECONDS

        def handle_any(self) -> None:
            path, _, query = self.path.partition("?")
            reply = self._answer(path, query)
            self.send_response(reply.status)
            if reply.content_type is not None:
                self.send_header("content-type", reply.content_type)
            if reply.status != 204:
                self.send_header("content-length", str(len(reply.body)))
            if reply.status in (411, 413, 421):  # a body that was not read may still come
                self.send_header("connection", "close")
                self.close_connection = True
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)
            told = [self.command, json.dumps(path)[1:-1], str(reply.status), reply.operation]
            line = " ".join(one for one in told if one)
            log(f"{line}: {json.dumps(reply.reason, ensure_ascii=True)[1:-1]}" if reply.reason else line)

        def _answer(self, path: str, query: str) -> Reply:
            if self.headers.get("host") not in hosts:  # a page that renamed its host to 127.0.0.1
                return error_reply(421, "", "the host is not this one")
            length = self.headers.get("content-length", "0")
            if "transfer-encoding" in self.headers or not (length.isascii() and length.isdigit()):
                return error_reply(411, "", "the length of the body is not said")
            if int(length[:12]) > MAX_BODY:
                return error_reply(413, "", f"the body has more than {MAX_BODY} bytes")
            headers = {name.lower(): value for name, value in self.headers.items()}
            return service.answer(Request(self.command, path, query, headers, self.rfile.read(int(length))))

        do_GET = do_PUT = do_POST = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = do_TRACE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """The lines are `log`'s."""

    server.RequestHandlerClass = Handler

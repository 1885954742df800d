"""The HTTP server under the application: uvicorn, with what it should refuse switched on."""

from __future__ import annotations

import gc
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI

from .settings import Settings

#: Seconds that an idle connection is kept, and connections that wait to be accepted.
KEEP_ALIVE = 15
BACKLOG = 2048


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until a signal ends it.

    The parser is `h11`, which refuses what makes two servers read one request as two (RFC 9112, section
    11.2), and bounds the head of a request.

    Raises:
        OSError: the address is taken, or is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    with listener:
        # connections inherit it. asyncio sets it only where a socket's protocol is named, and without it an
        # answer of two writes waits 40 ms for the client's acknowledgement of the first
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="on",
            h11_max_incomplete_event_size=65_536,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=round(settings.limits.shutdown),
            limit_concurrency=None,
            server_header=False,
            proxy_headers=False,
            access_log=False,
            log_level="warning",
        )
        server = uvicorn.Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn's own, which it puts here later: one that comes before is not lost, and one that it
            # raises again in the end does nothing more
            signal.signal(number, server.handle_exit)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        sys.stderr.write(f"listening on http://{shown}:{port}\n")
        sys.stderr.flush()
        # what was made so far stays: looking through it again and again would take a tenth of a run's time
        gc.collect()
        gc.freeze()
        server.run(sockets=[listener])

"""What people write instead of a service: a FastAPI handler with the loop by hand, for `benchmarks/serve.py`.

    python bare_handler.py URL httpx|same BUNDLE

It asks the model and the tool at URL by httpx, or by agentc's own transport within the environment of the
bundle, and keeps nothing. Prints its port on the first line, and serves until it is ended.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from support.turns import ENVIRON, on_httpx, on_same

from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport
from agentc_runtime.verify import read_bundle


class NewRun(BaseModel):
    agent: str
    input: dict[str, object]


class Run(BaseModel):
    status: str
    output: str


def application(url: str, by: str, bundle: str) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if by == "httpx":
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
            async with httpx.AsyncClient(timeout=60, limits=limits) as client:
                app.state.way = on_httpx(url, client)
                yield
        else:
            environment = read_bundle(Path(bundle)).program.environments["local"]
            transport = HttpTransport(environment, Secrets(environment, ENVIRON))
            app.state.way = on_same(url, transport)
            yield
            await transport.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/runs", status_code=201)
    async def start(body: NewRun) -> Run:
        await app.state.way()
        return Run(status="succeeded", output="Done.")

    return app


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as for a server that binds by itself
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(application(*sys.argv[1:4]), http="h11", log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])

"""The console as an application of its own: its routes, its errors, and its rules for browsers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentc_runtime.journal import StoreError

from ..problems import ProblemError
from . import agents, approvals, audit, evals, operating, runs, signing
from .rendering import STATIC, render, static

#: Nothing comes from elsewhere, nothing is sent elsewhere, and nobody shows this inside of their page.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # with `no-referrer` browsers hide the origin of forms as well, by which we know that they are ours
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def create_console(origin: str | None) -> Starlette:
    """The application. `origin` is how browsers reach the service, `None` for this machine alone.

    Its `state.parts` has to be set before the first request.
    """
    routes = [
        Route("/", signing.home),
        Route("/sign-in", signing.show),
        Route("/sign-in", signing.enter, methods=["POST"]),
        Route("/sign-out", signing.leave, methods=["POST"]),
        Route("/runs", runs.index),
        Route("/runs/{run_id}", runs.show),
        Route("/runs/{run_id}/events", runs.follow),
        Route("/runs/{run_id}/cancel", operating.cancel, methods=["POST"]),
        Route("/runs/{run_id}/resolve", operating.resolve, methods=["POST"]),
        Route("/approvals", approvals.index),
        Route("/approvals/{approval_id}", approvals.show),
        Route("/approvals/{approval_id}", approvals.decide, methods=["POST"]),
        Route("/agents", agents.index),
        Route("/agents/{agent}", agents.show),
        Route("/evals", evals.index),
        Route("/audit", audit.index),
        Route("/audit", audit.verify, methods=["POST"]),
        Route("/static/{name}", _static),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Rules, origin=origin)],
        exception_handlers={ProblemError: _problem, HTTPException: _problem, StoreError: _problem},
    )
    # a path is a page or it is none
    app.router.redirect_slashes = False
    return app


class Rules:
    """Answers only browsers that came by the service's own name, and forms only of its own pages."""

    def __init__(self, app: ASGIApp, origin: str | None) -> None:
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
                if self._origin is not None and self._origin.startswith("https:"):
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, with_headers)
        else:
            status, why = refusal
            await PlainTextResponse(f"{why}\n", status)(scope, receive, with_headers)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        origin = self._origin or f"http://{host}"
        if self._origin is None and urlsplit(origin).hostname not in _LOOPBACK:
            return (
                421,
                "the console is for this machine alone until the service file says `console: {origin: …}`",
            )
        if host != urlsplit(origin).netloc:
            return 421, f"the console is at {origin}/console/"
        if method not in ("GET", "HEAD") and headers.get("origin") != origin:
            return 403, "this form was not sent by a page of the console"
        return None


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such file here")
    # pages name it by its digest
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(static(name), media_type=STATIC[name], headers=headers)


async def _problem(request: Request, error: Exception) -> Response:
    status, detail, headers = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the store can't be used now",
        {"retry-after": "5"},
    )
    if isinstance(error, ProblemError):
        status, detail, headers = error.status, error.detail, error.headers
    elif isinstance(error, HTTPException):
        status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
        detail = "there is no such page here" if status == HTTPStatus.NOT_FOUND else str(error.detail)
    headers.pop("www-authenticate", None)
    page = render("problem.html", status=status.value, title=status.phrase, detail=detail)
    return HTMLResponse(page, status, headers)

"""What a tool requests, and with which credentials, compared piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from agentc_runtime import bundle as ir
from agentc_runtime.environments import Auth, Endpoint

from ..access import Gain
from ..grant_words import request_line


def request_gains(before: ir.Tool, now: ir.Tool) -> Iterator[Gain]:
    """How a tool's requests differ. Two different requests can't be compared, so each is a gain."""
    old, new = before.request, now.request
    if request_line(before) != request_line(now):
        yield Gain(f"requests {request_line(now)}, not {request_line(before)}", "request", "operation")
    elif old.path != new.path:
        yield Gain("puts its arguments into the path otherwise", "request", "operation")
    if old.endpoint != new.endpoint:
        said = f"is served at {written(new.endpoint)}, not {written(old.endpoint)}"
        yield Gain(said, "request", "server")
    for part, words in (
        ("query", "query string"),
        ("headers", "headers"),
        ("cookies", "cookies"),
        ("body", "body"),
    ):
        if getattr(old, part) != getattr(new, part):
            yield Gain(f"puts its arguments into the {words} otherwise", "request", "operation")
    if before.idempotency_header is not None and now.idempotency_header != before.idempotency_header:
        yield Gain("sends no idempotency key as it did", "request", "idempotency")


def credential_gains(before: ir.Tool, now: ir.Tool) -> Iterator[str]:
    """Secrets and scopes that a tool's requests carry and did not."""
    old = {auth.secret: auth for auth in before.request.auth}
    for auth in now.request.auth:
        known = old.get(auth.secret)
        if known is None:
            yield f"sends the credential `{auth.secret}`"
        elif more := sorted(_scopes(auth) - _scopes(known)):
            yield f"asks for the scopes {', '.join(f'`{scope}`' for scope in more)}"
        elif _without_scopes(auth) != _without_scopes(known):
            yield f"sends the credential `{auth.secret}` otherwise"
    shown, was = now.request.certificate, before.request.certificate
    if shown is not None and shown != was:
        yield f"shows the client certificate `{shown.certificate}`"


def _scopes(auth: Auth) -> set[str]:
    return set() if auth.token is None else {*auth.token.scopes, *auth.token.extra_scopes}


def _without_scopes(auth: Auth) -> tuple[object, ...]:
    token = auth.token
    rest = None if token is None else (token.endpoint, token.method, token.client_id)
    return (auth.kind, auth.name, rest)


def written(endpoint: Endpoint) -> str:
    """A server's URL as the spec has it."""
    return f"`{endpoint.url}`" if endpoint.url is not None else f"`${{env.{endpoint.variable}}}`"

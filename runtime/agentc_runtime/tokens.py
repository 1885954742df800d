"""Access tokens of OAuth2 client credentials (RFC 6749, section 4.4): fetched, checked, kept, used.

The token endpoint is an endpoint of the bundle like any other: the request to it goes through the same
transport. What it answers is taken as hostile until it is exactly one bearer token with the scopes that
were asked for. No text of an answer gets into a refusal.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus

import msgspec

from .bundle import Program
from .environments import Auth, Environment, TokenSource
from .once import Once
from .quoting import shortened
from .refusals import Refusal, RefusedError
from .request import base_url, endpoint_text
from .secrets import Secrets
from .strictjson import StrictJsonError, parse
from .urls import parse_url
from .wire import HttpRequest, Transport, UnsentError

#: Milliseconds for one token request, and bytes of its answer.
TIMEOUT_MS: Final = 10_000
MAX_ANSWER: Final = 65_536
#: Seconds that a token is kept when the answer does not say, and at most.
DEFAULT_LIFE: Final = 300.0
MAX_LIFE: Final = 86_400.0
#: A token is given up this long before it expires: so many seconds, or a tenth of a shorter life.
MARGIN: Final = 30.0
#: RFC 6750, section 2.1. A shorter one could be a word of the requests that redaction would take out.
_TOKEN: Final = re.compile(r"(?=.{16,8192}\Z)[A-Za-z0-9._~+/-]+=*")
#: RFC 6749, section 5.2: the only words of an error answer that are passed on.
_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
    | {"invalid_scope"}
)


@dataclass(slots=True)
class _Kept:
    """The token of one client with one set of scopes. `until` is a time of the monotonic clock."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: str = ""
    until: float = -math.inf
    failures: int = 0
    failed: Refusal | None = None


class Tokens:
    """The access tokens of one program in one environment.

    A transport that has `replays = True` needs none.
    """

    def __init__(
        self,
        program: Program,
        environment: Environment,
        secrets: Secrets,
        transport: Transport,
        monotonic: Callable[[], float],
    ) -> None:
        self._environment = environment
        self._secrets = secrets
        self._transport = transport
        self._monotonic = monotonic
        self._replays = getattr(transport, "replays", False) is True
        self._kept: dict[tuple[str, TokenSource], _Kept] = {}
        for auth in _fetched_for(program):
            with contextlib.suppress(RefusedError):
                _client(auth, secrets)

    async def authorize(self, auths: tuple[Auth, ...], request: HttpRequest) -> tuple[HttpRequest, str]:
        """`request` with the access token that it needs, and the token; `""` when it needs none.

        Raises:
            UnsentError: AR507 the token endpoint gave no usable token, AR506 the client's secret is unusable,
                AR301, AR302, AR303, AR401, AR405 or AR406 of the token request. The request was not sent.
        """
        auth = next((one for one in auths if one.token is not None), None) if auths else None
        if auth is None or auth.token is None or self._replays:
            return request, ""
        kept = self._kept.setdefault((auth.secret, auth.token), _Kept())
        if self._monotonic() >= kept.until:
            await self._renew(auth, auth.token, kept)
        headers = {**request.headers, "authorization": f"Bearer {kept.value}"}
        return msgspec.structs.replace(request, headers=headers), kept.value

    def forget(self, token: str) -> None:
        """`token` was not accepted: fetch another one before the next request. One that came since stays."""
        for kept in self._kept.values():
            if kept.value == token:
                kept.until = -math.inf

    async def _renew(self, auth: Auth, source: TokenSource, kept: _Kept) -> None:
        before = kept.failures
        async with kept.lock:
            if self._monotonic() < kept.until:
                return
            if kept.failed is not None and kept.failures != before:
                # it failed while this call waited for it: they share that fetch as well
                raise UnsentError(kept.failed)
            try:
                value, life = await self._fetch(auth, source)
            except RefusedError as error:
                kept.failures += 1
                kept.failed = error.refusal
                raise UnsentError(error.refusal) from error
            kept.value = value
            kept.until = self._monotonic() + life - min(MARGIN, life / 10)

    async def _fetch(self, auth: Auth, source: TokenSource) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        base = base_url(source.endpoint, self._environment)
        # the text has passed as a base URL; as a token URL it keeps a slash at its end
        url = parse_url(endpoint_text(source.endpoint, self._environment))
        client, password = _client(auth, self._secrets)
        form = [("grant_type", "client_credentials")]
        if source.scopes:
            form.append(("scope", " ".join(source.scopes)))
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        if source.method == "client_secret_post":
            form += [("client_id", client), ("client_secret", password)]
        else:
            headers["authorization"] = f"Basic {_basic(client, password)}"
        request = HttpRequest(
            method="POST",
            url=f"{url.scheme}://{url.authority}{url.target}",
            headers=headers,
            body="&".join(f"{name}={quote_plus(value)}" for name, value in form).encode(),
            origin=base.origin,
            timeout_ms=TIMEOUT_MS,
            max_response_bytes=MAX_ANSWER,
            private=True,
        )
        async with self._transport.send(request) as answer:
            status = answer.status
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            body = b"".join([piece async for piece in answer.chunks()])
        said = _said(auth, status, kind, body)
        value = said.get("access_token")
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise _unusable(auth, "sent no access token that a header can carry")
        self._secrets.learn(auth.secret, value)
        _check_scopes(auth, source, said.get("scope"))
        return value, _life(auth, said.get("expires_in"))


def _fetching(program: Program) -> list[Auth]:
    auths = (auth for name in program.grants for auth in program.tools[name].request.auth)
    return [auth for auth in auths if auth.token is not None]


_fetched_for: Final = Once(_fetching)


def _said(auth: Auth, status: int, kind: str, body: bytes) -> dict[str, object]:
    """The answer as an object that speaks of one bearer token."""
    said: object = None
    if kind == "application/json":
        try:
            said = parse(body.decode())
        except (UnicodeDecodeError, StrictJsonError):
            said = None
    if status != 200:
        error = said.get("error") if isinstance(said, dict) else None
        named = f", error `{error}`" if isinstance(error, str) and error in _ERRORS else ""
        raise _unusable(auth, f"answered with status {status}{named}", status)
    if not isinstance(said, dict):
        raise _unusable(auth, "did not answer with one JSON object")
    token_type = said.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise _unusable(auth, "did not say that its token is a bearer token")
    return said


def _check_scopes(auth: Auth, source: TokenSource, said: object) -> None:
    """Refuse a token that may do more than was asked for. Without `scope` it is what was asked for."""
    if said is None:
        return
    if not isinstance(said, str):
        raise _unusable(auth, "sent a `scope` that is not text")
    more = sorted(set(said.split(" ")) - {"", *source.scopes, *source.extra_scopes})
    if more:
        message = f"gave a token with {len(more)} more scopes than the granted operations need"
        raise _unusable(auth, message, {"untrusted_scopes": [shortened(one) for one in more[:20]]})


def _life(auth: Auth, said: object) -> float:
    if said is None:
        return DEFAULT_LIFE
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) < 10:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or said <= 0:
        raise _unusable(auth, "sent an `expires_in` that is not a number above zero")
    return min(float(said), MAX_LIFE)


def _client(auth: Auth, secrets: Secrets) -> tuple[str, str]:
    """Client id and client secret. Each spelling of the latter is taken out of text from here on.

    Raises:
        RefusedError: AR506 a secret is not set, or one that holds both is not `client_id:client_secret`.
    """
    if auth.token is not None and auth.token.client_id is not None:
        client, colon, password = secrets.get(auth.token.client_id), ":", secrets.get(auth.secret)
        what = "has characters that a client's secret can't have"
    else:
        client, colon, password = secrets.get(auth.secret).partition(":")
        what = "is not of the form `client_id:client_secret`"
    if not client or not colon or not password or not (client + password).isprintable():
        message = f"secret `{auth.secret}` {what}"
        raise RefusedError(Refusal(code="AR506", message=message, value=auth.secret))
    for value in (password, quote_plus(password), _basic(client, password)):
        secrets.learn(auth.secret, value)
    return client, password


def _basic(client: str, password: str) -> str:
    """RFC 6749, section 2.3.1: both parts are encoded as in a form before they are joined."""
    return base64.b64encode(f"{quote_plus(client)}:{quote_plus(password)}".encode()).decode()


def _unusable(auth: Auth, what: str, value: object = None) -> RefusedError:
    message = f"the token endpoint for the secret `{auth.secret}` {what}"
    return RefusedError(Refusal(code="AR507", message=message, value=value))

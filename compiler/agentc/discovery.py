"""`agentc import discovery`: where an OpenID Connect provider gives its tokens, found once and pinned.

Sources: OpenID Connect Discovery 1.0, sections 3 and 4; RFC 8414, sections 2 and 3. A run does no discovery:
the token endpoint stands in the spec, where a reviewer reads it, and in the bundle.
"""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple, TypeAlias

from agentc_runtime.environments import Environment
from agentc_runtime.quoting import shown
from agentc_runtime.refusals import RefusedError
from agentc_runtime.strictjson import StrictJsonError, parse
from agentc_runtime.transport import HttpTransport
from agentc_runtime.urls import Url, UrlError, parse_base, parse_url
from agentc_runtime.wire import HttpRequest

Method: TypeAlias = Literal["client_secret_basic", "client_secret_post"]

WELL_KNOWN = "/.well-known/"
_SUFFIX = "openid-configuration"
TIMEOUT_MS = 10_000
MAX_ANSWER = 1_048_576
#: How a client may show itself that this compiler knows, in the order of preference.
_METHODS: tuple[Method, ...] = ("client_secret_basic", "client_secret_post")


class DiscoveryError(Exception):
    """Nothing was found. The message is one line and says why."""


class Discovered(NamedTuple):
    """What a provider says of itself. `notes` are about what may not work."""

    issuer: str
    token_url: str
    method: Method
    notes: tuple[str, ...] = ()


def metadata_url(url: str) -> str:
    """The URL of the metadata; `url` is that, or an issuer.

    Raises:
        DiscoveryError: it is no plain `http` or `https` URL, or plain http to another machine.
    """
    parsed = _plain(url)
    if WELL_KNOWN not in parsed.target:
        url = f"{url.rstrip('/')}{WELL_KNOWN}{_SUFFIX}"
    return url


def discover(url: str, *, private: bool) -> Discovered:
    """Ask the provider whose metadata is at `url`.

    Args:
        url: as `metadata_url` gives it.
        private: whether its host may be on a private network. What a document names may not: it would send
            whoever imports it to a place of the document's choice.

    Raises:
        DiscoveryError: it can't be reached, or says what can't be used.
    """
    parsed = _plain(url)
    place = parsed.origin.partition("://")[2]
    status, body = asyncio.run(_fetch(parsed, Environment(private_hosts=(place,) if private else ())))
    if status != 200:
        raise DiscoveryError(f"`{url}` answered with status {status}")
    try:
        said = parse(body.decode())
    except (UnicodeDecodeError, StrictJsonError) as error:
        raise DiscoveryError(f"`{url}` did not answer with JSON: {error}") from error
    if not isinstance(said, dict):
        raise DiscoveryError(f"`{url}` did not answer with a JSON object")
    return read_metadata(url, said)


def read_metadata(url: str, said: dict[str, object]) -> Discovered:
    """What the metadata at `url` says.

    Raises:
        DiscoveryError: its issuer is another one, or there is no token endpoint that can be used.
    """
    issuer = said.get("issuer")
    if not isinstance(issuer, str) or issuer not in _issuers(url):
        expected = " or ".join(f"`{one}`" for one in _issuers(url))
        raise DiscoveryError(
            f"`{url}` speaks for the issuer {shown(issuer)}, not for {expected}: such an answer must not be "
            "used (OpenID Connect Discovery 1.0, section 4.3)"
        )
    endpoint = said.get("token_endpoint")
    if not isinstance(endpoint, str):
        raise DiscoveryError(f"`{url}` names no `token_endpoint`")
    try:
        parse_base(endpoint)
        token = _plain(endpoint)
    except UrlError as error:
        raise DiscoveryError(f"the `token_endpoint` {shown(endpoint)} {error}") from error
    if token.scheme == "http" and _plain(url).scheme == "https":
        raise DiscoveryError(f"the `token_endpoint` {shown(endpoint)} is not encrypted")
    return Discovered(issuer, endpoint, _method(url, said), tuple(_notes(said)))


def _plain(url: str) -> Url:
    from .stepping import is_loopback

    try:
        parsed = parse_url(url)
    except UrlError as error:
        raise DiscoveryError(f"{shown(url)} {error}") from error
    if parsed.scheme == "http" and not is_loopback(url):
        raise DiscoveryError(f"{shown(url)} is not encrypted; use `https://`")
    return parsed


def _issuers(url: str) -> tuple[str, ...]:
    """The issuers whose metadata stands at `url`: the well-known part is behind the issuer's path (OpenID
    Connect Discovery 1.0, section 4) or before it (RFC 8414, section 3.1)."""
    before, _, after = url.partition(WELL_KNOWN)
    _, _, path = after.partition("/")
    issuer = f"{before}/{path}" if path else before
    return (issuer,) if issuer.endswith("/") else (issuer, f"{issuer}/")


def _method(url: str, said: dict[str, object]) -> Method:
    known = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    listed = known if isinstance(known, list) else []
    for method in _METHODS:
        if method in listed:
            return method
    methods = " and ".join(f"`{method}`" for method in _METHODS)
    raise DiscoveryError(f"`{url}` accepts clients by {shown(known)}; supported are {methods}")


def _notes(said: dict[str, object]) -> list[str]:
    grants = said.get("grant_types_supported")
    if isinstance(grants, list) and "client_credentials" not in grants:
        return ["the provider does not list `client_credentials` among its grants; it may refuse"]
    return []


async def _fetch(url: Url, environment: Environment) -> tuple[int, bytes]:
    request = HttpRequest(
        method="GET",
        url=f"{url.scheme}://{url.authority}{url.target}",
        headers={"accept": "application/json"},
        body=None,
        origin=url.origin,
        timeout_ms=TIMEOUT_MS,
        max_response_bytes=MAX_ANSWER,
    )
    transport = HttpTransport(environment)
    try:
        async with transport.send(request) as answer:
            return answer.status, b"".join([piece async for piece in answer.chunks()])
    except RefusedError as error:
        if error.refusal.code == "AR302":
            private = f"`{url.authority}` is on a private network"
            raise DiscoveryError(f"{private}: give the URL yourself, if it is meant to be") from error
        raise DiscoveryError(error.refusal.message) from error
    finally:
        await transport.close()

"""From a request plan and arguments to the exact bytes of one request. No value can leave its place in it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote, unquote

from .bodies import body_lines, write_body
from .bundle import Param, PathPart, RequestPlan, Tool
from .environments import Auth, Endpoint, Environment
from .once import Once
from .quoting import shown, visible
from .refusals import Refusal, RefusedError
from .styles import (
    clash,
    content_text,
    encoded,
    flat,
    form_pairs,
    header_text,
    misplaced,
    path_text,
)
from .urls import Url, UrlError, parse_base
from .wire import HttpRequest

#: Headers that frame the request or carry its credentials: never filled from arguments.
_OWN_HEADERS: Final = frozenset(
    {"accept-encoding", "authorization", "connection", "content-length", "content-type", "cookie", "expect"}
    | {"host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COOKIE: Final = re.compile(r"[!#-+\--:<-\[\]-~]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
#: What no server reads as anything but itself, however often it decodes.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
#: How often an eager server might decode a path.
_DECODINGS: Final = 3


class SecretValues(Protocol):
    """Where a credential's value comes from: `agentc_runtime.secrets.Secrets`, in a run."""

    def get(self, name: str) -> str:
        """The value of the secret `name`. Raises `RefusedError` AR506 when there is none."""


def build_request(
    tool: Tool,
    arguments: Mapping[str, object],
    environment: Environment,
    secrets: SecretValues,
    idempotency_key: str | None = None,
) -> HttpRequest:
    """The request that `tool` makes with `arguments`, which have been checked and hold the bound ones.

    Raises:
        RefusedError: AR304 a value would leave its place, AR301 the server's URL is unusable, AR506, AR508 a
            secret that the call needs is not set or can't be carried.
    """
    plan = tool.request
    base = base_url(plan.endpoint, environment)
    target = base.target + "".join(f"/{_segment(parts, arguments)}" for parts in plan.path)
    query = _query(plan, arguments)
    headers = {"accept": _accepted(plan), **_headers(plan, arguments, tool.idempotency_header)}
    if plan.cookies and (cookies := _cookies(plan, arguments)):
        headers["cookie"] = cookies
    body = None if plan.body is None else write_body(plan.body, arguments)
    if body is not None:
        headers["content-type"] = body.content_type
    if idempotency_key is not None and tool.idempotency_header is not None:
        headers[tool.idempotency_header.lower()] = idempotency_key
    for auth in plan.auth:
        _authenticate(auth, secrets, headers, query)
    for name in plan.certificate.secrets() if plan.certificate is not None else ():
        secrets.get(name)  # it is shown when the request is sent
    url = f"{base.scheme}://{base.authority}{target or '/'}"
    return HttpRequest(
        method=plan.method,
        url=f"{url}?{'&'.join(query)}" if query else url,
        headers=headers,
        body=None if body is None else body.data,
        origin=base.origin,
        timeout_ms=tool.timeout_ms,
        max_response_bytes=tool.max_response_bytes,
        certificate=plan.certificate,
    )


def first_page(tool: Tool) -> dict[str, object]:
    """The arguments that the runtime sets on the request of the first page."""
    plan = tool.pagination
    if plan is None:
        return {}
    arguments: dict[str, object] = {}
    if plan.size_argument is not None:
        arguments[plan.size_argument] = plan.size
    if plan.argument is not None and plan.style in ("page", "offset"):
        arguments[plan.argument] = plan.first
    return arguments


def base_url(endpoint: Endpoint, environment: Environment) -> Url:
    """The server's base URL; `target` is the base path.

    Raises:
        RefusedError: AR301 the environment has no value for its variable, or the value is not a plain URL.
    """
    text = endpoint_text(endpoint, environment)
    try:
        return parse_base(text)
    except UrlError as error:
        message = f"the server URL {shown(text)} {error}"
        raise RefusedError(Refusal(code="AR301", message=message)) from error


def endpoint_text(endpoint: Endpoint, environment: Environment) -> str:
    """The URL of `endpoint` as it was written.

    Raises:
        RefusedError: AR301 the environment has no value for its variable.
    """
    text = endpoint.url
    if endpoint.variable is not None:
        text = environment.variables.get(endpoint.variable)
    if text is None:
        message = f"the variable `{endpoint.variable}` has no value in the environment"
        raise RefusedError(Refusal(code="AR301", message=message, value=endpoint.variable))
    return text


def preview(request: HttpRequest) -> str:
    """The request as a person reads it before agreeing: method and URL, then the body.

    Headers are left out, since credentials are there. Nothing is cut: what is not shown could hide the harm.
    A secret in the URL is still in it; the broker takes it out.
    """
    lines = [visible(f"{request.method} {request.url}")]
    if request.body is not None:
        lines += body_lines(request.headers.get("content-type", ""), request.body)
    return "\n".join(lines)


# --- path ----------------------------------------------------------------------------------------------


def _segment(parts: tuple[PathPart, ...], arguments: Mapping[str, object]) -> str:
    text, filled = "", False
    for part in parts:
        if part.param is None:
            text += part.literal or ""
        else:
            text += _path_value(part.param, arguments.get(part.param.argument))
            filled = True
    if filled and text.partition(";")[0] in (".", ".."):
        raise misplaced(_first_argument(parts), text, "would move to another path")
    return text


def _path_value(param: Param, value: object) -> str:
    if param.content_type is None:
        if type(value) is str and param.style == "simple" and _PLAIN.fullmatch(value):
            return value  # what most are: nothing in it is encoded, and nothing moves the path
        _check_path(param, flat(param.argument, value))
    else:
        _check_path(param, [content_text(param, value)])
    text = path_text(param, value)
    if not text:
        raise misplaced(param.argument, value, "is empty, and stands in the path")
    return text


def _check_path(param: Param, pieces: list[str]) -> None:
    for piece in pieces:
        if _PLAIN.fullmatch(piece):
            continue
        decoded = piece
        for _ in range(_DECODINGS):
            decoded = unquote(decoded)
        if _CONTROL.search(decoded):
            raise misplaced(param.argument, piece, "has control characters, and stands in the path")
        # encoded, they stay in their segment; servers that decode before they route would still be moved
        for step in re.split(r"[/\\]", decoded):
            if step.partition(";")[0].strip() in (".", ".."):
                raise misplaced(param.argument, piece, "would move to another path")


def _first_argument(parts: tuple[PathPart, ...]) -> str:
    return next((part.param.argument for part in parts if part.param is not None), "")


# --- query ---------------------------------------------------------------------------------------------


def _query(plan: RequestPlan, arguments: Mapping[str, object]) -> list[str]:
    if not plan.query:
        return []
    names = {param.name for param in plan.query}
    names.update(auth.name for auth in plan.auth if auth.kind == "query")
    query: list[str] = []
    for param in plan.query:
        value = arguments.get(param.argument)
        if value is None and (param.content_type is None or param.argument not in arguments):
            continue
        pairs = form_pairs(param, value)
        if isinstance(value, Mapping):
            if (found := clash(param, pairs, names)) is not None:
                # an object that is spread out could set a parameter which the spec binds
                raise misplaced(param.argument, found, "would set another parameter")
            names.update(name for name, _ in pairs)
        query += [f"{encoded(name)}={text}" for name, text in pairs]
    return query


# --- headers and body ----------------------------------------------------------------------------------


def _headers(
    plan: RequestPlan, arguments: Mapping[str, object], idempotency_header: str | None
) -> dict[str, str]:
    if not plan.headers:
        return {}
    reserved = {auth.name.lower() for auth in plan.auth if auth.kind == "header"}
    if idempotency_header is not None:
        reserved.add(idempotency_header.lower())
    headers: dict[str, str] = {}
    for param in plan.headers:
        value = arguments.get(param.argument)
        if value is None:
            continue
        name = param.name.lower()
        if name in _OWN_HEADERS or name in reserved or name in headers or not _TOKEN.fullmatch(name):
            raise misplaced(param.argument, value, f"would set the header `{visible(name)}`")
        text = header_text(param, value)
        if not _fits_header(text):
            raise misplaced(param.argument, value, "has characters that a header can't carry")
        headers[name] = text
    return headers


def _fits_header(text: str) -> bool:
    return (
        not _CONTROL.search(text)
        and text == text.strip()
        and (text.isascii() or all(char <= "\xff" for char in text))
    )


def _accept(plan: RequestPlan) -> str:
    types = dict.fromkeys(case.content_type for case in plan.responses if case.content_type is not None)
    return ", ".join(types) or "application/json"


_accepted: Final = Once(_accept)


def _cookies(plan: RequestPlan, arguments: Mapping[str, object]) -> str:
    reserved = {auth.name for auth in plan.auth if auth.kind == "cookie"}
    cookies: list[str] = []
    for param in plan.cookies:
        value = arguments.get(param.argument)
        if value is None:
            continue
        if param.name in reserved or not _TOKEN.fullmatch(param.name):
            raise misplaced(param.argument, value, f"would set the cookie `{visible(param.name)}`")
        if param.explode and isinstance(value, list | Mapping) and param.content_type is None:
            raise misplaced(param.argument, value, "would be several cookies")
        cookies += [f"{name}={text}" for name, text in form_pairs(param, value)]
    return "; ".join(cookies)


# --- credentials ---------------------------------------------------------------------------------------


def _authenticate(auth: Auth, secrets: SecretValues, headers: dict[str, str], query: list[str]) -> None:
    value = secrets.get(auth.secret)
    if auth.token is not None:
        return  # the token is fetched and put on when the request is sent
    if auth.kind == "query":
        query.append(f"{quote(auth.name, safe='')}={quote(value, safe='')}")
    elif auth.kind == "basic":
        headers["authorization"] = f"Basic {base64.b64encode(value.encode()).decode()}"
    elif auth.kind == "cookie":
        if not _COOKIE.fullmatch(value):
            raise _uncarried(auth)
        cookie = f"{auth.name}={value}"
        headers["cookie"] = f"{headers['cookie']}; {cookie}" if "cookie" in headers else cookie
    else:
        if not _fits_header(value):
            raise _uncarried(auth)
        name = "authorization" if auth.kind == "bearer" else auth.name.lower()
        headers[name] = f"Bearer {value}" if auth.kind == "bearer" else value


def _uncarried(auth: Auth) -> RefusedError:
    message = f"secret `{auth.secret}` has characters that a {auth.kind} credential can't carry"
    return RefusedError(Refusal(code="AR506", message=message, value=auth.secret))

"""What the mock answers: requests checked by openapi-core against slices of the document, values made up.

openapi-core is another implementation than the one that built the request, so that both would have to be
wrong in the same way. It is given one operation at a time: a large document takes it half a minute.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from jsonschema_path import SchemaPath
from openapi_core import V30RequestValidator, V31RequestValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.security.factories import SecurityProviderFactory
from openapi_core.security.providers import BaseProvider, HttpProvider, UnsupportedProvider
from werkzeug.datastructures import Headers, ImmutableMultiDict

from agentc_runtime.bundle import ResponseCase
from agentc_runtime.media import content_of
from agentc_runtime.violations import compile_shape

from ..openapi import CompiledOperation
from ..openapi.problem import ProblemError, find, follow
from .values import Maker

_PARAMETER: Final = re.compile(r"\\\{[^{}]*\\\}")


class Reply(NamedTuple):
    """An answer. `operation` is empty when no operation was meant; `reason` says why a request is refused."""

    status: int
    operation: str
    content_type: str | None
    body: bytes
    reason: str = ""


class Request(NamedTuple):
    """A request as it arrived: `path` and `query` as they were encoded, names of headers in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class _Http(HttpProvider):
    """The name of a scheme has no case (RFC 9110, section 11.1)."""

    def __init__(self, scheme: SchemaPath) -> None:
        super().__init__(SchemaPath.from_dict({"scheme": (scheme / "scheme").read_str().lower()}))


class _Providers(SecurityProviderFactory):
    """Schemes that openapi-core does not know, such as mutual TLS, are not its to check."""

    def create(self, scheme: SchemaPath) -> BaseProvider:
        kind = (scheme / "type").read_str()
        if kind == "http":
            return _Http(scheme)
        return self.PROVIDERS.get(kind, UnsupportedProvider)(scheme)


class Operation:
    """One operation of the toolset, with its own slice of the document."""

    def __init__(self, compiled: CompiledOperation, root: dict[str, object], host: str) -> None:
        self.compiled = compiled
        self._root = root
        self._host = host
        literal = re.escape(compiled.path)
        self._path = re.compile(_PARAMETER.sub("[^/]+", literal))
        old = str(root.get("openapi")).startswith("3.0")
        validator = V30RequestValidator if old else V31RequestValidator
        # The validator alone: the rest of the document was looked at when it was compiled.
        self._validator = validator(SchemaPath.from_dict(root), security_provider_factory=_Providers())

    @property
    def order(self) -> tuple[int, int]:
        """Paths with fewer parameters, then longer ones, are looked at first (OpenAPI: concrete before
        templated)."""
        return self.compiled.path.count("{"), -len(self.compiled.path)

    def meant(self, request: Request) -> bool:
        """Whether the request's path is one of this operation."""
        return self._path.fullmatch(request.path) is not None

    def refusal(self, request: Request) -> str | None:
        """Why openapi-core rejects the request; `None` when it does not."""
        cookies = [pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";")]
        seen = _Seen(
            host_url=self._host,
            path=request.path,
            method=request.method.lower(),
            content_type=request.headers.get("content-type", ""),
            body=request.body or None,
            parameters=RequestParameters(
                query=ImmutableMultiDict(parse_qsl(request.query, keep_blank_values=True)),
                header=Headers(dict(request.headers)),
                cookie=ImmutableMultiDict([(name, value) for name, _, value in cookies if name]),
            ),
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns of schemes that it does not check
                self._validator.validate(seen)
        except OpenAPIError as error:
            return _reason(error)
        except (RecursionError, ValueError) as error:  # what openapi-core lets through of broken text
            return f"the request can't be read: {error}"
        return None

    def reply(self, seed: str) -> Reply:
        """A successful answer, or 500 when none can be made up."""
        name = self.compiled.operation_id
        cases = sorted(self.compiled.responses, key=lambda case: (not case.status.isdigit(), case.status))
        if not cases:
            return Reply(204, name, None, b"")
        case = cases[0]
        status = int(case.status) if case.status.isdigit() else 200
        if case.content_type is None or status in (204, 205):
            return Reply(status, name, None, b"")
        value = self._value(case, seed)
        content = content_of(case.content_type)
        if content == "binary":
            return Reply(status, name, case.content_type, b"mock")
        if content == "text":
            return Reply(status, name, case.content_type, str(value or "mock").encode())
        if case.schema is not None and not compile_shape(case.schema).is_valid(value):
            reason = (
                "no value that fits the schema of the answer could be made up: give the document an example"
            )
            return error_reply(500, name, reason)
        if content == "lines":
            listed = value if isinstance(value, list) else [value]
            return Reply(status, name, case.content_type, b"".join(_json(one) for one in listed))
        return Reply(status, name, case.content_type, _json(value))

    def _value(self, case: ResponseCase, seed: str) -> object:
        """The document's own example if it fits, else what its schema says, else what was compiled of it."""
        maker = Maker(self._root, seed)
        fits = (
            compile_shape(case.schema).is_valid
            if case.schema is not None
            else lambda value: value is not None
        )
        media = self._media(case)
        several = media.get("examples")
        named = (
            [one.get("value") for one in several.values() if isinstance(one, dict)]
            if isinstance(several, dict)
            else []
        )
        tried = [
            *([media["example"]] if "example" in media else []),
            *named,
            maker.value(media.get("schema")),
        ]
        for value in tried:
            if fits(value):
                return value
        return Maker(case.schema, seed).value(case.schema)

    def _media(self, case: ResponseCase) -> Mapping[str, object]:
        at = ("paths", self.compiled.path, self.compiled.method.lower(), "responses")
        try:
            responses = find(self._root, at)
            listed = responses if isinstance(responses, dict) else {}
            said = next(value for status, value in listed.items() if status.upper() == case.status.upper())
            response, _ = follow(self._root, said, at)
            media, _ = follow(self._root, find(response, ("content", case.content_type or "")), at)
        except (KeyError, StopIteration, ProblemError):
            return {}
        return media if isinstance(media, dict) else {}


class Service:
    """The operations of a toolset, as a function from a request to an answer."""

    def __init__(self, operations: Sequence[Operation], seed: int) -> None:
        self._operations = sorted(operations, key=lambda one: one.order)
        self._seed = seed

    def answer(self, request: Request) -> Reply:
        """The answer: the same for the same request and seed."""
        on_path = [one for one in self._operations if one.meant(request)]
        if not on_path:
            return error_reply(404, "", "no tool of the toolset has this path")
        operation = next((one for one in on_path if one.compiled.method == request.method), None)
        if operation is None:
            return error_reply(405, "", "no tool of the toolset has this method here")
        reason = operation.refusal(request)
        if reason is not None:
            return error_reply(400, operation.compiled.operation_id, reason)
        told = "\0".join((str(self._seed), request.method, request.path, request.query))
        digest = hashlib.sha256(told.encode("utf-8", "surrogateescape") + b"\0" + request.body)
        return operation.reply(digest.hexdigest())


@dataclass
class _Seen:
    """A request in the form that openapi-core's protocol asks for."""

    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters


def error_reply(status: int, operation: str, reason: str) -> Reply:
    """An answer that says what is wrong."""
    return Reply(status, operation, "application/json", _json({"error": reason}), reason)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except ValueError:  # openapi-core decodes a body for its message that it could not decode before
        return "the body can't be read: it is not UTF-8"


def _reason(error: BaseException) -> str:
    """The messages from the outermost error to its cause, in one line."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 6:
        schema_errors = getattr(seen, "schema_errors", None)
        parts += [one.message for one in list(schema_errors)[:3]] if schema_errors else [_said(seen)]
        seen = seen.__cause__ if schema_errors is None else None
    return ": ".join(dict.fromkeys(" ".join(part.split())[:300] for part in parts if part))

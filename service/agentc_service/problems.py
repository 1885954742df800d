"""Errors as clients get them: problem details (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from agentc_runtime.journal import StoreError

_LOG = logging.getLogger("agentc.service")
MEDIA_TYPE = "application/problem+json"
NOT_JSON = "`body`: this takes a JSON object, sent with `Content-Type: application/json`"


class Problem(BaseModel):
    """Why a request was not done."""

    type: str = "about:blank"
    """Always `about:blank`: the status says what kind of problem it is."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What was wrong, and what to do."""
    code: str | None = None
    """The rule that refused, such as `AR505`."""


class ProblemError(Exception):
    """A request that is not done: answered with `status` and the reason."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.headers = dict(headers or {})


def response(
    status: int, detail: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The problem as a response."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """How a route says in the OpenAPI document that it answers with problems of these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def invalid_part(found: Mapping[str, Any]) -> str:
    """One thing that is wrong with a request, as the framework finds it: where, and what."""
    return f"`{'.'.join(str(part) for part in found['loc'])}`: {found['msg']}"


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem, and say so in its OpenAPI document."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = described().setdefault("components", {}).setdefault("schemas", {})
            schemas[Problem.__name__] = Problem.model_json_schema()
        return described()

    async def known(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ProblemError)  # noqa: S101  registered for this class alone
        return response(error.status, error.detail, code=error.code, headers=error.headers)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101  registered for this class alone
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # the framework names the methods of the first route of several with this path
            headers["allow"] = _methods(app, request.url.path)
        return response(error.status_code, str(error.detail), headers=headers)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class alone
        found = error.errors()[:5]
        said = NOT_JSON if found[0]["loc"] == ("body",) else "; ".join(invalid_part(one) for one in found)
        return response(HTTPStatus.UNPROCESSABLE_ENTITY, said)

    async def away(_: Request, error: Exception) -> JSONResponse:
        _LOG.warning("%s", error)
        return response(
            HTTPStatus.SERVICE_UNAVAILABLE, "the store can't be used now", headers={"retry-after": "5"}
        )

    app.openapi = openapi  # type: ignore[method-assign]  # as the framework's documentation has it
    app.add_exception_handler(StoreError, away)
    app.add_exception_handler(ProblemError, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _methods(app: FastAPI, path: str) -> str:
    """The methods of everything that is at `path`, as the header `Allow` lists them."""
    found: set[str] = set()
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            found.update(method.upper() for method in operations)
    return ", ".join(sorted(found)) or "GET"

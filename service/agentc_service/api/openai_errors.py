"""Errors as OpenAI's clients read them, on the routes that speak its wire format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from agentc_runtime.journal import StoreError

from ..problems import NOT_JSON, ProblemError, invalid_part
from .bodies import StrictRoute

_LOG = logging.getLogger("agentc.service")
_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "server_error",
}


class ErrorDetail(BaseModel):
    """What was wrong, in which part of the request, and by which rule."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """An error."""

    error: ErrorDetail


class ChatError(ProblemError):
    """A request that is not done. `param` is the part of it that says why."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, code=code, headers=headers)
        self.body = ErrorBody(error=ErrorDetail(message=detail, type=kind, param=param, code=code))


class OpenAIRoute(StrictRoute):
    """A route whose errors are those of OpenAI's interface."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with its errors told so."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except ChatError as error:
                return _response(error.status, error.body, error.headers)
            except ProblemError as error:
                return _plain(error.status, error.detail, code=error.code, headers=error.headers)
            except RequestValidationError as error:
                first = error.errors()[0]
                where = ".".join(str(part) for part in first["loc"][1:]) or None
                message = invalid_part(first) if where else NOT_JSON
                detail = ErrorDetail(message=message, type="invalid_request_error", param=where)
                return _response(HTTPStatus.BAD_REQUEST, ErrorBody(error=detail), {})
            except StoreError as error:
                _LOG.warning("%s", error)
                return _plain(503, "the store can't be used now", headers={"retry-after": "5"})
            except HTTPException as error:
                if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    raise  # for the middleware that counts the bytes
                return _plain(error.status_code, str(error.detail), headers=error.headers)

        return told


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """How a route says in the OpenAPI document that it answers so."""
    return {status: {"description": HTTPStatus(status).phrase, "model": ErrorBody} for status in statuses}


def _plain(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    kind = _TYPES.get(status, "invalid_request_error")
    return _response(status, ErrorBody(error=ErrorDetail(message=message, type=kind, code=code)), headers)


def _response(status: int, body: ErrorBody, headers: Mapping[str, str] | None) -> Response:
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}))

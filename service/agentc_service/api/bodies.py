"""Bodies of requests: exactly one JSON value that no two readers understand differently."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from agentc_runtime.strictjson import StrictJsonError, parse


class _StrictRequest(Request):
    async def json(self) -> object:
        """The body.

        Raises:
            HTTPException: 400 it is no JSON text, or not an unambiguous one.
        """
        try:
            return parse((await self.body()).decode())
        except UnicodeDecodeError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "the body is not UTF-8") from error
        except StrictJsonError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"the body is not read: {error}") from error


class StrictRoute(APIRoute):
    """A route that reads bodies as strictly as answers of services are read.

    The framework's own reader keeps the last of two equal keys, and takes `NaN`, halves of surrogate pairs
    and numbers that others round.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given requests that read so."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly

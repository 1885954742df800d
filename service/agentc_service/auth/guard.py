"""The one place where a request's credentials become a caller, and a role is asked for."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ..limits import Rate
from ..problems import ProblemError
from .api_keys import ApiKeys, KeyFileError
from .caller import Caller, Role, UnknownCallerError
from .jwt import Tokens

bearer = HTTPBearer(
    auto_error=False, description="An API key of this service, or a token of the identity provider."
)


class Guard:
    """Recognises callers by API keys and by tokens, and counts their requests."""

    def __init__(self, keys: ApiKeys | None, tokens: Tokens | None, rate: Rate) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rate = rate

    async def caller(self, credentials: str) -> Caller:
        """Whose credentials these are.

        Raises:
            ProblemError: 401 nobody's, 429 called too often, 503 what is needed to know can't be read.
        """
        try:
            found = await self._recognised(credentials)
        except UnknownCallerError as error:
            raise unauthorised(error.reason) from error
        except (KeyFileError, OSError) as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "callers can't be recognised now",
                headers={"retry-after": "5"},
            ) from error
        wait = self._rate.take(f"{found.tenant}\n{found.subject}")
        if wait > 0:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many requests: the next may be made in {wait:.1f} s",
                headers={"retry-after": str(math.ceil(wait))},
            )
        return found

    async def _recognised(self, credentials: str) -> Caller:
        if credentials.startswith("agentc_"):
            if self._keys is None:
                raise UnknownCallerError("this service takes no API keys")
            return self._keys.caller(credentials, datetime.now(UTC))
        if self._tokens is None:
            raise UnknownCallerError("the API key is not one of this service")
        return await self._tokens.caller(credentials)


def unauthorised(reason: str) -> ProblemError:
    """401, with how to do better (RFC 6750, section 3)."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED, reason, headers={"www-authenticate": 'Bearer realm="agentc"'}
    )


def needs(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency of a route: the caller, who has one of `roles`."""

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Caller:
        if credentials is None:
            raise unauthorised("the request has no `Authorization: Bearer` header")
        guard: Guard = request.app.state.guard
        found = await guard.caller(credentials.credentials)
        if not found.has(*roles):
            raise ProblemError(
                HTTPStatus.FORBIDDEN, f"this needs the role {' or '.join(f'`{role}`' for role in roles)}"
            )
        return found

    return caller

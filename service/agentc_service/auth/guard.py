"""The one place where a request's credentials become a caller, and a role is asked for."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ..limits import Rate
from ..problems import ProblemError
from .api_keys import ApiKeys, KeyFileError, key_id
from .caller import Caller, Role, UnknownCallerError
from .jwt import Tokens

bearer = HTTPBearer(
    auto_error=False, description="An API key of this service, or a token of the identity provider."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who began a session, and what it rests on: the id of an API key, or a token that ends at `until`."""

    caller: Caller
    key: str | None
    until: datetime | None


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
        with _refusals():
            found = await self._recognised(credentials)
        self._count(found)
        return found

    async def standing(self, credentials: str) -> Standing:
        """What a session that is begun with these credentials rests on. Raises as `caller` does."""
        found = await self.caller(credentials)
        with _refusals():
            if found.source == "api_key" or self._tokens is None:
                return Standing(found, key_id(credentials), None)
            return Standing(found, None, await self._tokens.until(credentials))

    def still(self, standing: Standing) -> Caller:
        """Whose session it is, by the API key as it is now. Raises as `caller` does."""
        found = standing.caller
        with _refusals():
            if standing.key is not None:
                if self._keys is None:
                    raise UnknownCallerError("this service takes no API keys")
                found = self._keys.owner(standing.key, datetime.now(UTC))
        self._count(found)
        return found

    def _count(self, found: Caller) -> None:
        wait = self._rate.take(f"{found.tenant}\n{found.subject}")
        if wait > 0:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many requests: the next may be made in {wait:.1f} s",
                headers={"retry-after": str(math.ceil(wait))},
            )

    async def _recognised(self, credentials: str) -> Caller:
        if credentials.startswith("agentc_"):
            if self._keys is None:
                raise UnknownCallerError("this service takes no API keys")
            return self._keys.caller(credentials, datetime.now(UTC))
        if self._tokens is None:
            raise UnknownCallerError("the API key is not one of this service")
        return await self._tokens.caller(credentials)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except UnknownCallerError as error:
        raise unauthorised(error.reason) from error
    except (KeyFileError, OSError) as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "callers can't be recognised now", headers={"retry-after": "5"}
        ) from error


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

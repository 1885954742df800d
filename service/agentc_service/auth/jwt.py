"""Bearer tokens of an identity provider: JWTs (RFC 7519), checked by PyJWT as RFC 8725 asks.

The algorithm is one of a list of asymmetric ones, never the token's choice; the issuer and the audience are
exactly the configured ones; `exp`, `iat` and `sub` have to be there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeGuard

import jwt
from jwt import PyJWKSet
from jwt.exceptions import PyJWTError

from .caller import Caller, Role, UnknownCallerError

_LOG = logging.getLogger("agentc.service")
#: Signatures by keys that only the provider has (RFC 7518, RFC 8037).
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
#: Seconds by which two clocks may differ.
LEEWAY: Final = 30
#: A longer token is none: proxies cut headers at 8 to 16 KiB.
MAX_TOKEN: Final = 16_384
#: Gives the bytes of the provider's JWK set (RFC 7517), or raises `OSError`.
Fetch: TypeAlias = Callable[[], Awaitable[bytes]]
#: Seconds that pass before a token with an unknown key, or a provider that failed, is a reason to ask again.
REFRESH: Final = 60.0
RETRY: Final = 5.0
#: Seconds for which fetched keys hold, so that a key that the provider withdraws is soon nobody's here too.
LIFESPAN: Final = 300.0
#: Seconds for which they go on to hold while the provider can't be reached.
GRACE: Final = 3_600.0


@dataclass(frozen=True)
class Trust:
    """Whom the service believes. `roles` and `groups` map the provider's words to ours.

    Claims are names of top-level claims; a claim that is a string counts as a list of one.
    """

    issuer: str
    audience: str
    tenant_claim: str
    roles_claim: str
    roles: Mapping[str, Role]
    groups_claim: str


class Tokens:
    """Checks tokens of one provider against its key set.

    The set is fetched again when it is old and when an unknown key appears; requests that come meanwhile wait
    for that one answer. `clock` gives seconds.
    """

    def __init__(self, trust: Trust, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._trust = trust
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: PyJWKSet | None = None
        self._fetched = self._asked = float("-inf")

    async def caller(self, token: str) -> Caller:
        """Whose token it is.

        Raises:
            UnknownCallerError: it does not hold, or says nobody that this service knows.
            OSError: the provider's keys can't be fetched.
        """
        return self._read(await self._claims(token))

    async def until(self, token: str) -> datetime:
        """When the token ends. Raises as `caller` does."""
        return datetime.fromtimestamp(int((await self._claims(token))["exp"]), UTC)

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise UnknownCallerError("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except PyJWTError as error:
            raise UnknownCallerError("the token is not a JWT") from error
        if header.get("alg") not in ALGORITHMS:
            raise UnknownCallerError("the token is not signed with an algorithm that is accepted")
        key = await self._key(header.get("kid"))
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=self._trust.audience,
                issuer=self._trust.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": False},
            )
        except PyJWTError as error:
            raise UnknownCallerError(f"the token does not hold: {_why(error)}") from error

    async def _key(self, kid: object) -> jwt.PyJWK:
        if not isinstance(kid, str):
            raise UnknownCallerError("the token does not name its key")
        # Whose key is known does not wait for an answer that somebody else has asked for.
        if self._is_due(kid) and (self._find(kid) is None or not self._lock.locked()):
            async with self._lock:
                if self._is_due(kid):
                    await self._refresh()
        if self._keys is None or self._clock() - self._fetched >= GRACE:
            raise OSError("the identity provider's keys can't be fetched")
        found = self._find(kid)
        if found is None:
            raise UnknownCallerError("the token's key is not one of the identity provider's")
        return found

    def _is_due(self, kid: str) -> bool:
        now = self._clock()
        if self._asked > self._fetched:  # the last time it failed
            return now - self._asked >= RETRY
        age = now - self._fetched
        return age >= LIFESPAN or (age >= REFRESH and self._find(kid) is None)

    async def _refresh(self) -> None:
        """Fetch the keys. While they can't be fetched, those from before hold for `GRACE`."""
        try:
            self._keys = PyJWKSet.from_json((await self._fetch()).decode())
        except (OSError, PyJWTError, ValueError) as error:
            _LOG.warning("the identity provider's keys can't be fetched: %s", error)
            self._asked = self._clock()
        else:
            self._fetched = self._asked = self._clock()

    def _find(self, kid: str) -> jwt.PyJWK | None:
        keys = () if self._keys is None else self._keys.keys
        return next((key for key in keys if key.key_id == kid and key.public_key_use in (None, "sig")), None)

    def _read(self, claims: Mapping[str, object]) -> Caller:
        trust = self._trust
        subject, tenant = claims["sub"], claims.get(trust.tenant_claim)
        if not _is_name(tenant):
            raise UnknownCallerError(f"the token has no tenant in `{trust.tenant_claim}`")
        if not _is_name(subject):
            raise UnknownCallerError("the token has no subject")
        said = _words(claims.get(trust.roles_claim))
        roles = {trust.roles[word] for word in said if word in trust.roles}
        groups = _words(claims.get(trust.groups_claim))
        return Caller(tenant, subject, frozenset(roles), frozenset(groups), "jwt")


def _is_name(claim: object) -> TypeGuard[str]:
    """Whether it can stand in a log and in every database: NUL and line feeds can't."""
    return isinstance(claim, str) and bool(claim) and claim.isprintable()


def _words(claim: object) -> Sequence[str]:
    if isinstance(claim, str):
        return claim.split()
    if isinstance(claim, list):
        return [word for word in claim if isinstance(word, str)]
    return ()


def _why(error: PyJWTError) -> str:
    """The kind of failure in words; the library's text may quote claims."""
    return {
        "ExpiredSignatureError": "it has expired",
        "ImmatureSignatureError": "it is not valid yet",
        "InvalidIssuedAtError": "it was issued in the future",
        "InvalidIssuerError": "another issuer made it",
        "InvalidAudienceError": "it is meant for another audience",
        "InvalidSignatureError": "its signature is wrong",
        "MissingRequiredClaimError": "a claim is missing",
        "InvalidAlgorithmError": "its key is for another algorithm",
    }.get(type(error).__name__, "it is malformed")

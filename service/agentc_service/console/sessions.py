"""Sessions of people in browsers: kept in the store, so that every process knows them and can end them.

The browser has 256 random bits in a cookie, the store only their digest. What a session may do is asked anew
at each request: with an API key that was withdrawn it is over.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from agentc_runtime.ledger import Ledger
from agentc_runtime.times import parse_time, time_text

from ..auth.caller import Caller, Role
from ..auth.guard import Guard, Standing
from ..problems import ProblemError

#: How long a session lasts at most, and without a page being opened.
LONGEST: Final = timedelta(hours=8)
IDLE: Final = timedelta(hours=1)
#: How often it is written down that a session is used.
_NOTED: Final = timedelta(minutes=1)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Who began a session, as JSON."""

    tenant: str
    subject: str
    roles: tuple[Role, ...]
    groups: tuple[str, ...]
    key: str | None


class Sessions:
    """The sessions of one service."""

    def __init__(self, ledger: Ledger, guard: Guard) -> None:
        self._ledger = ledger
        self._guard = guard

    async def begin(self, credentials: str) -> tuple[str, datetime]:
        """A session for whoever has these credentials: its token, and when it ends.

        Raises:
            ProblemError: 401 they are nobody's, 429, 503.
            StoreError: it can't be kept.
        """
        standing = await self._guard.standing(credentials)
        now = datetime.now(UTC)
        ends = min(now + LONGEST, standing.until or now + LONGEST)
        token = secrets.token_urlsafe(32)
        caller = standing.caller
        kept = _Kept(
            tenant=caller.tenant,
            subject=caller.subject,
            roles=tuple(sorted(caller.roles)),
            groups=tuple(sorted(caller.groups)),
            key=standing.key,
        )
        await asyncio.to_thread(self._write, _digest(token), kept, now, ends)
        return token, ends

    async def caller(self, token: str, *, used: bool) -> Caller | None:
        """Whose session it is, if it is one that goes on. `used`: a person did something.

        Raises:
            ProblemError: 429 too many requests, 503.
            StoreError: it can't be read.
        """
        kept = await asyncio.to_thread(self._read, _digest(token), datetime.now(UTC), used)
        if kept is None:
            return None
        source = kept.key
        caller = Caller(
            kept.tenant,
            kept.subject,
            frozenset(kept.roles),
            frozenset(kept.groups),
            "jwt" if source is None else "api_key",
        )
        try:
            return self._guard.still(Standing(caller, source, None))
        except ProblemError as error:
            if error.status != 401:
                raise
            await self.end(token)
            return None

    async def end(self, token: str) -> None:
        """Forget the session."""
        await asyncio.to_thread(self._delete, _digest(token))

    def _write(self, digest: str, kept: _Kept, now: datetime, ends: datetime) -> None:
        said = msgspec.json.encode(kept).decode()
        with self._ledger.transaction() as within:
            within.execute("DELETE FROM console_sessions WHERE ends <= ?", (time_text(now),))
            within.execute(
                "INSERT INTO console_sessions (session_digest, caller, seen, ends) VALUES (?, ?, ?, ?)",
                (digest, said, time_text(now), time_text(ends)),
            )

    def _read(self, digest: str, now: datetime, used: bool) -> _Kept | None:
        with self._ledger.transaction() as within:
            row = within.execute(
                "SELECT caller, seen, ends FROM console_sessions WHERE session_digest = ?", (digest,)
            ).fetchone()
            if row is None:
                return None
            seen, ends = parse_time(str(row[1])), parse_time(str(row[2]))
            if now >= ends or now >= seen + IDLE:
                within.execute("DELETE FROM console_sessions WHERE session_digest = ?", (digest,))
                return None
            if used and now >= seen + _NOTED:
                within.execute(
                    "UPDATE console_sessions SET seen = ? WHERE session_digest = ?", (time_text(now), digest)
                )
        return msgspec.json.decode(str(row[0]), type=_Kept)

    def _delete(self, digest: str) -> None:
        with self._ledger.transaction() as within:
            within.execute("DELETE FROM console_sessions WHERE session_digest = ?", (digest,))


def form_token(cookie: str) -> str:
    """What a form has to send back: it follows from the cookie, which other sites neither see nor set."""
    return hashlib.sha256(b"agentc console form\0" + cookie.encode()).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """Whether a form was made for this cookie."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""What each page has: who asks, in which session, and the parts of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agentc_runtime.ledger import Ledger

from ..audits import Checking
from ..auth.caller import Caller, Role
from ..auth.guard import Guard
from ..events import EventStreams
from ..problems import ProblemError
from ..runs import Runs
from ..settings import Settings
from .rendering import render
from .sessions import Sessions, form_token, is_form_token

#: Who finds what in the menu: the path under `/console`, its name, and the roles that may open it.
MENU: Final[tuple[tuple[str, str, tuple[Role, ...]], ...]] = (
    ("runs", "Runs", ("caller", "operator", "auditor")),
    ("approvals", "Approvals", ("approver", "operator", "auditor")),
    ("agents", "Agents", ("approver", "operator", "auditor")),
    ("evals", "Evals", ("approver", "operator", "auditor")),
    ("audit", "Audit log", ("auditor",)),
)
#: Fields of a form.
MAX_FIELDS: Final = 400


@dataclass(frozen=True)
class Parts:
    """What pages are made from. `secure`: browsers come over TLS."""

    settings: Settings
    ledger: Ledger
    runs: Runs
    streams: EventStreams
    sessions: Sessions
    checking: Checking
    secure: bool

    @classmethod
    def of(
        cls,
        settings: Settings,
        ledger: Ledger,
        runs: Runs,
        streams: EventStreams,
        guard: Guard,
        checking: Checking,
    ) -> Parts:
        """The parts of a running service."""
        secure = settings.console.origin is not None and settings.console.origin.startswith("https:")
        return cls(settings, ledger, runs, streams, Sessions(ledger, guard), checking, secure)

    @property
    def cookie(self) -> str:
        """The cookie of sessions. With this prefix browsers take it only from here, over TLS."""
        return "__Host-agentc" if self.secure else "agentc_console"

    @property
    def form_cookie(self) -> str:
        """The cookie of the form to sign in, which nobody has a session for yet."""
        return f"{self.cookie}_form"

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        """Give the browser a cookie that scripts don't see and that other sites can't make it send."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/" if self.secure else "/console",
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )


@dataclass(frozen=True)
class Visit:
    """A request of somebody who has signed in. `token` is that of the session."""

    request: Request
    parts: Parts
    caller: Caller
    token: str

    def page(self, template: str, *, code: int = 200, **data: object) -> Response:
        """The page of this template. `section` is the part of the menu that it belongs to."""
        menu = [(path, name) for path, name, roles in MENU if self.caller.has(*roles)]
        frame = {"caller": self.caller, "menu": menu, "form_token": form_token(self.token)}
        section = self.request.url.path.split("/")[2]
        return HTMLResponse(render(template, **frame, section=section, **data), code)

    async def form(self) -> Mapping[str, list[str]]:
        """The fields of a form that was made for this session.

        Raises:
            ProblemError: 400 no form, 403 one that was made for somebody else.
        """
        return await read_form(self.request, self.token)


Page: TypeAlias = Callable[[Visit], Awaitable[Response]]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def parts_of(request: Request) -> Parts:
    """The parts of the service that this request came to."""
    parts: Parts = request.app.state.parts
    return parts


async def read_form(request: Request, cookie: str) -> Mapping[str, list[str]]:
    """The fields of a form, which was made for whoever has this cookie.

    Raises:
        ProblemError: 400 no form, 403 it was made for somebody else.
    """
    fields: dict[str, list[str]] = {}
    try:
        text = (await request.body()).decode("ascii")
        for name, value in parse_qsl(
            text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        ):
            fields.setdefault(name, []).append(value)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "this is not what a form of the console sends") from error
    if not is_form_token(fields.get("form_token", [""])[0], cookie):
        raise ProblemError(
            HTTPStatus.FORBIDDEN, "the form belongs to another session: go back, reload it, and send it again"
        )
    return fields


def signed_in(*roles: Role) -> Callable[[Page], Endpoint]:
    """A page for those who have signed in and have one of `roles`. Others are sent to the sign-in."""

    def made(page: Page) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            parts = parts_of(request)
            token = request.cookies.get(parts.cookie, "")
            # a page that renews itself is no sign of a person
            used = request.headers.get("x-renewal") is None
            caller = await parts.sessions.caller(token, used=used) if token else None
            if caller is None:
                return _sign_in_first(request)
            if not caller.has(*roles):
                wanted = " or ".join(roles)
                raise ProblemError(
                    HTTPStatus.FORBIDDEN, f"this is for the role {wanted}, which you do not have"
                )
            return await page(Visit(request, parts, caller, token))

        return endpoint

    return made


def _sign_in_first(request: Request) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or request.headers.get("sec-fetch-mode", "navigate") != "navigate":
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "your session is over: sign in again")
    if request.headers.get("sec-fetch-site") == "cross-site" and not request.cookies:
        # a link in a mail or a chat: browsers send the cookie only with requests that begin here
        return HTMLResponse(render("onwards.html", here=here))
    return RedirectResponse(f"/console/sign-in?to={quote(here, safe='')}", HTTPStatus.SEE_OTHER)

"""Signing in with an API key or a token, and out again."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..problems import ProblemError
from .rendering import render
from .sessions import form_token
from .visits import MENU, Visit, parts_of, read_form, signed_in

#: Where somebody may be sent after signing in: to pages of the console and nowhere else.
_OURS: Final = re.compile(
    r"/console/([A-Za-z0-9_-]+(/[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)?(\?[A-Za-z0-9/_=&.%-]*)?"
)


async def show(request: Request) -> Response:
    """The form to sign in."""
    return _form(request, to=request.query_params.get("to", ""))


async def enter(request: Request) -> Response:
    """Begin a session for whoever has the credentials in the form."""
    parts = parts_of(request)
    fields = await read_form(request, request.cookies.get(parts.form_cookie, ""))
    to = fields.get("to", [""])[0]
    try:
        token, ends = await parts.sessions.begin(fields.get("credentials", [""])[0].strip())
    except ProblemError as error:
        if error.status != HTTPStatus.UNAUTHORIZED:
            raise
        return _form(request, to=to, problem=error.detail)
    response = RedirectResponse(to if _OURS.fullmatch(to) else "/console/", HTTPStatus.SEE_OTHER)
    parts.set_cookie(response, parts.cookie, token, int((ends - datetime.now(UTC)).total_seconds()))
    parts.set_cookie(response, parts.form_cookie, "", 0)
    return response


@signed_in("caller", "approver", "operator", "auditor")
async def leave(visit: Visit) -> Response:
    """End the session."""
    await visit.form()
    await visit.parts.sessions.end(visit.token)
    response = RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER)
    visit.parts.set_cookie(response, visit.parts.cookie, "", 0)
    return response


@signed_in("caller", "approver", "operator", "auditor")
async def home(visit: Visit) -> Response:
    """What the caller's work is: approvals for those who decide, runs for the others."""
    mine = [path for path, _, roles in MENU if visit.caller.has(*roles)]
    first = "approvals" if visit.caller.has("approver") else mine[0]
    return RedirectResponse(f"/console/{first}", HTTPStatus.SEE_OTHER)


def _form(request: Request, *, to: str, problem: str = "") -> Response:
    parts = parts_of(request)
    cookie = request.cookies.get(parts.form_cookie) or secrets.token_urlsafe(32)
    page = render("sign-in.html", form_token=form_token(cookie), to=to, problem=problem)
    response = HTMLResponse(page, HTTPStatus.UNAUTHORIZED if problem else HTTPStatus.OK)
    parts.set_cookie(response, parts.form_cookie, cookie, None)
    return response

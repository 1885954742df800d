"""What operators do with a run: end it, or say what became of a call that is in doubt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast, get_args

from starlette.responses import RedirectResponse, Response

from agentc_runtime.durable.operating import Resolution
from agentc_runtime.strictjson import StrictJsonError, parse

from ..problems import ProblemError
from .runs import TYPED, id_of, page_of
from .visits import Visit, signed_in

#: Characters of a reason, and of an answer.
MAX_REASON: Final = 2000
MAX_ANSWER: Final = 100_000
CHOICES: Final = get_args(Resolution)


@signed_in("operator")
async def cancel(visit: Visit) -> Response:
    """End a run that is not over."""
    fields = await visit.form()
    run_id = id_of(visit)
    try:
        await visit.parts.runs.cancel(visit.caller, run_id, _reason(fields))
    except ProblemError as error:
        return await _refused(visit, error, fields)
    return RedirectResponse(f"/console/runs/{run_id}", HTTPStatus.SEE_OTHER)


@signed_in("operator")
async def resolve(visit: Visit) -> Response:
    """Say what became of a call, so that its run goes on."""
    fields = await visit.form()
    run_id = id_of(visit)
    try:
        reason = _reason(fields)
        said = fields.get("resolution", [""])[0]
        if said not in CHOICES:
            raise _unfit("Say what became of the call.")
        answer = _answer(fields) if said == "done" else None
        await visit.parts.runs.resolve(
            visit.caller, run_id, fields.get("call_id", [""])[0] or None, cast("Resolution", said),
            reason=reason, answer=answer,
        )  # fmt: skip
    except ProblemError as error:
        return await _refused(visit, error, fields)
    return RedirectResponse(f"/console/runs/{run_id}", HTTPStatus.SEE_OTHER)


def _reason(fields: Mapping[str, list[str]]) -> str:
    reason = fields.get("reason", [""])[0].strip()
    if not reason or "\0" in reason:
        raise _unfit("Say why: it is recorded.")
    if len(reason) > MAX_REASON:
        raise _unfit(f"The reason has more than {MAX_REASON} characters.")
    return reason


def _answer(fields: Mapping[str, list[str]]) -> object:
    text = fields.get("answer", [""])[0].strip()
    if len(text) > MAX_ANSWER:
        raise _unfit(f"The answer has more than {MAX_ANSWER} characters.")
    try:
        return parse(text) if text else None
    except StrictJsonError as error:
        raise _unfit(
            f"The answer is not JSON: {error}. A text stands in quotes: {json.dumps(text[:40])}"
        ) from error


def _unfit(why: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, why)


async def _refused(visit: Visit, error: ProblemError, fields: Mapping[str, list[str]]) -> Response:
    """The page again, with what was typed and what is wrong with it."""
    if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise error
    typed = {name: fields.get(name, [""])[0] for name in TYPED}
    return await page_of(visit, problem=error.detail, typed=typed, code=error.status)

"""Whether a quota of a grant is used up, and the refusal that says so."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from .refusals import Refusal

QuotaName: TypeAlias = Literal["per_run", "per_day"]

_CODES: Final[dict[QuotaName, str]] = {"per_run": "AR203", "per_day": "AR204"}


def exhausted(per_run: int | None, per_day: int | None, *, in_run: int, in_day: int) -> QuotaName | None:
    """The quota that admits no other call of a tool after so many in the run, and of the agent on the day."""
    if per_run is not None and in_run >= per_run:
        return "per_run"
    if per_day is not None and in_day >= per_day:
        return "per_day"
    return None


def used_up(quota: QuotaName, tool: str, limit: int | None) -> Refusal:
    """The refusal of a call of `tool` whose quota is used up."""
    period = quota.removeprefix("per_")
    message = f"`{tool}` has used its quota of {limit} calls a {period}"
    return Refusal(code=_CODES[quota], message=message, value=limit)

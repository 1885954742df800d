"""Agents: what each may do, what runs of it, and what is disabled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from markupsafe import Markup
from starlette.responses import Response

from agentc.drawing import as_svg, picture_of_bundle
from agentc.privileges import privileges_as_data
from agentc_runtime.ledger import Ledger
from agentc_runtime.release.database import DatabaseControl
from agentc_runtime.release.reports import WorkerStatus
from agentc_runtime.release.switching import NAME, read_switches
from agentc_runtime.switches import ControlError, Switch
from agentc_runtime.times import parse_time

from ..problems import ProblemError
from ..settings import Served
from .visits import Visit, signed_in


@dataclass(frozen=True)
class Disabled:
    """What is disabled now. With a `problem` nobody knows, and nothing is done."""

    switches: tuple[Switch, ...]
    problem: str = ""

    def of(self, agent: str) -> tuple[Switch, ...]:
        """What concerns this agent."""
        return tuple(
            one
            for one in self.switches
            if one.agent in (None, agent) and (one.kind != "agent" or one.name == agent)
        )


@signed_in("approver", "operator", "auditor")
async def index(visit: Visit) -> Response:
    """The agents of the service."""
    agents = visit.parts.settings.agents
    disabled = await asyncio.to_thread(_disabled, visit.parts.ledger)
    rows = [(agents[name], _channel(agents[name]), disabled.of(name)) for name in sorted(agents)]
    return visit.page("agents.html", rows=rows, problem=disabled.problem)


@signed_in("approver", "operator", "auditor")
async def show(visit: Visit) -> Response:
    """One agent: what it may do, as a drawing and as a table."""
    served = visit.parts.settings.agents.get(visit.request.path_params["agent"])
    if served is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such agent here")
    bundle = served.bundle
    disabled = await asyncio.to_thread(_disabled, visit.parts.ledger)
    drawing = as_svg(picture_of_bundle(bundle, served.environment), embedded=True)
    return visit.page(
        "agent.html",
        served=served,
        program=bundle.program,
        may=privileges_as_data(bundle),
        # made of escaped text alone
        drawing=Markup(drawing),  # noqa: S704
        channel=_channel(served),
        disabled=disabled.of(served.name),
        problem=disabled.problem,
    )


def _channel(served: Served) -> WorkerStatus | None:
    """What the channel says. How many runs of all tenants its arms had is not for one of them to see."""
    return None if served.follower is None else served.follower.status()


def _disabled(ledger: Ledger) -> Disabled:
    now = datetime.now(UTC)
    try:
        found = read_switches(DatabaseControl(ledger).read(NAME).data)
    except ControlError as error:
        return Disabled((), str(error))
    return Disabled(tuple(one for one in found if one.expires is None or parse_time(one.expires) > now))

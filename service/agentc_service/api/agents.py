"""The agents of the service."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from ..problems import documented
from ..settings import Served
from .parts import Anybody, RunsPart, SettingsPart

router = APIRouter(prefix="/v1/agents", tags=["agents"])


class AgentView(BaseModel):
    """An agent: what it takes and gives, as JSON Schemas."""

    name: str
    version: str
    description: str
    owner: str
    bundle: str
    """The digest of the bundle that new runs begin with."""
    environment: str
    input: dict[str, object]
    session: dict[str, object]
    output: dict[str, object]
    tools: list[str]
    """The tools that it is granted."""


class AgentList(BaseModel):
    """The agents, by name."""

    agents: list[AgentView]


@router.get("", operation_id="listAgents", responses=documented(401, 403, 429, 503))
async def list_agents(_: Anybody, settings: SettingsPart) -> AgentList:
    """The agents that can be run."""
    return AgentList(agents=[_view(settings.agents[name]) for name in sorted(settings.agents)])


@router.get("/{agent}", operation_id="getAgent", responses=documented(401, 403, 404, 422, 429, 503))
async def get_agent(_: Anybody, agent: str, runs: RunsPart) -> AgentView:
    """One agent."""
    return _view(runs.served(agent))


def _view(served: Served) -> AgentView:
    program = served.bundle.program
    return AgentView(
        name=program.agent.name,
        version=program.agent.version,
        description=program.agent.description,
        owner=program.agent.owner,
        bundle=served.bundle.digest,
        environment=served.environment,
        input=dict(program.input.schema),
        session=dict(program.session.schema),
        output=dict(program.output),
        tools=sorted(program.grants),
    )

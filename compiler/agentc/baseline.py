"""What the agents of a project may do, as it was recorded; and what they have gained since.

A baseline is a file of the project: JSON with sorted keys, so that a change of it can be reviewed. It holds
what access is made of: grants, tools and their requests, states, servers, models and secrets, and no texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.expressions import Record
from agentc_runtime.labels import ORDER

from .access import ToolAccess, gains, redeclared, takes_more
from .diagnostics import Span
from .flow import tool_span
from .lowered import Lowered
from .program import Program
from .servers import servers

FORMAT: Final = "agentc.baseline/1"


class Recorded(Record, frozen=True, kw_only=True):
    """What one agent may do. `states` are those that may call each tool, `servers` the origins of each
    environment, `models` the most sensitive data that each server and model is shown."""

    input: ir.Data
    session: ir.Data
    tools: dict[str, ir.Tool]
    grants: dict[str, ir.Grant]
    states: dict[str, tuple[str, ...]]
    servers: dict[str, tuple[str, ...]]
    models: dict[str, labels.Sensitivity]
    secrets: dict[str, tuple[str, ...]]


class Baseline(Record, frozen=True, kw_only=True):
    """The file."""

    format: str
    agents: dict[str, Recorded]


@dataclass(frozen=True)
class Growth:
    """Something that an agent may do and that is not recorded, as a sentence, and where it is written."""

    what: str
    span: Span


class BaselineError(ValueError):
    """A file that is no baseline. The message says why."""


def record(program: Program, lowered: Lowered) -> Recorded:
    """What one agent may do now."""
    ir_program = lowered.program
    reached: dict[str, set[str]] = {name: set() for name in ir_program.environments}
    for server in servers(program, lowered):
        reached[server.environment].add(server.url.origin)
    shown: dict[str, labels.Sensitivity] = {}
    for model in ir_program.models.values():
        key = f"{model.provider} {model.model}"
        shown[key] = max(shown.get(key, "public"), model.max_sensitivity, key=ORDER.index)
    return Recorded(
        input=ir_program.input,
        session=ir_program.session,
        tools={name: _bare(access.tool) for name, access in lowered.accesses.items()},
        grants={name: access.grant for name, access in lowered.accesses.items()},
        states={name: access.states for name, access in lowered.accesses.items()},
        servers={name: tuple(sorted(urls)) for name, urls in reached.items()},
        models=shown,
        secrets={
            name: tuple(sorted(environment.secrets)) for name, environment in ir_program.environments.items()
        },
    )


def written(agents: Mapping[str, Recorded]) -> bytes:
    """The bytes of a baseline."""
    value = msgspec.to_builtins(Baseline(format=FORMAT, agents=dict(agents)))
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read(data: bytes) -> Baseline:
    """A baseline out of its bytes.

    Raises:
        BaselineError: they are none, or one of another version.
    """
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BaselineError(f"it is no baseline: {str(error)[:200]}") from error
    if found.format != FORMAT:
        raise BaselineError(f"its format is `{found.format[:50]}`, and this version writes `{FORMAT}`")
    return found


def growth(program: Program, lowered: Lowered, baseline: Baseline) -> Iterator[Growth]:
    """What an agent may do now and is not in the baseline."""
    old = baseline.agents.get(lowered.name)
    if old is None:
        yield Growth(f"agent `{lowered.name}` is new", lowered.agent.resource.name_span())
        return
    new = record(program, lowered)
    yield from _of_data(lowered, old, new)
    for name, access in lowered.accesses.items():
        if name not in lowered.misstated:
            yield from _of_tool(lowered, old, new, access)
    seen: set[tuple[str, str]] = set()
    for server in servers(program, lowered):
        key = (server.environment, server.url.origin)
        if server.url.origin not in old.servers.get(server.environment, ()) and key not in seen:
            seen.add(key)
            yield Growth(
                f"agent `{lowered.name}` reaches `{server.url.origin}` in `{server.environment}`", server.span
            )
    yield from _of_project(program, lowered, old, new)


def _of_data(lowered: Lowered, old: Recorded, new: Recorded) -> Iterator[Growth]:
    for name, before, now in (("input", old.input, new.input), ("session", old.session, new.session)):
        span = lowered.agent.span(name, key=True)
        for gain in takes_more(before, now):
            about = f"agent `{lowered.name}` takes more as its {name}"
            if gain.topic == "label":
                about = f"the {name} of agent `{lowered.name}` is labelled as less of a risk"
            yield Growth(about, span)


def _of_tool(lowered: Lowered, old: Recorded, new: Recorded, access: ToolAccess) -> Iterator[Growth]:
    name = access.tool.name
    grant = lowered.agent.grants[name]
    if name not in old.grants or name not in old.tools:
        yield Growth(f"agent `{lowered.name}` may call `{name}`", grant.span("tool"))
        return
    before = ToolAccess(old.tools[name], old.grants[name], old.states.get(name, ()))
    for gain in redeclared(before.tool, new.tools[name]):
        yield Growth(
            f"`{name}`, which agent `{lowered.name}` may call, {gain.what}",
            grant.tool.span(gain.part, key=True),
        )
    for gain in gains(before, access, lowered.program):
        part = gain.part.split("/")
        span = grant.span(*part, key=True) if gain.part else grant.span("tool")
        whole = grant.span()
        yield Growth(
            f"agent `{lowered.name}`: `{name}` {gain.what}", grant.span("tool") if span == whole else span
        )
    for state in access.states:
        if state not in before.states:
            span = tool_span(lowered.agent, lowered.agent.states[state], grant)
            yield Growth(f"agent `{lowered.name}` may call `{name}` in state `{state}`", span)


def _of_project(program: Program, lowered: Lowered, old: Recorded, new: Recorded) -> Iterator[Growth]:
    project = program.project
    assert project is not None  # a project whose agents are lowered has one
    for alias, model in lowered.program.models.items():
        key = f"{model.provider} {model.model}"
        before = old.models.get(key)
        span = project.span("models", alias, key=True)
        if before is None:
            yield Growth(f"agent `{lowered.name}` shows data to `{key}`", span)
        elif ORDER.index(new.models[key]) > ORDER.index(before):
            yield Growth(f"agent `{lowered.name}` shows {new.models[key]} data to `{key}`", span)
    for name, secrets in new.secrets.items():
        for secret in _beyond(secrets, old.secrets.get(name, ())):
            span = project.span("environments", name, "secrets", secret, key=True)
            yield Growth(f"agent `{lowered.name}` uses the secret `{secret}` in `{name}`", span)


def _beyond(now: Iterable[str], before: Iterable[str]) -> list[str]:
    return sorted(set(now) - set(before))


def _bare(tool: ir.Tool) -> ir.Tool:
    """The tool without what it says and what it answers: neither is a part of what may be done."""
    request = msgspec.structs.replace(tool.request, responses=())
    return msgspec.structs.replace(tool, description="", request=request)

"""What an agent is and may do, as a page for whoever meets it: written from its specs, to stay true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentc_runtime.verify import Bundle

from ..diff.markdown import block, code, escaped
from ..drawing.mermaid import as_mermaid
from ..drawing.project import picture_of
from ..driver import Result
from ..privileges import privileges_as_text
from ..program import Agent

NOTE = "<!-- Written by `agentc docs` from the specs: change those, and run it again. -->"


def readme(result: Result, agent: Agent, bundle: Bundle) -> str:
    """The page, as Markdown."""
    return "\n".join(_lines(result, agent, bundle)) + "\n"


def _lines(result: Result, agent: Agent, bundle: Bundle) -> Iterator[str]:
    name, metadata = agent.resource.name, agent.resource.metadata
    yield from (NOTE, "", f"# {name} {metadata.version}", "")
    if metadata.description:
        yield from (escaped(metadata.description), "")
    yield f"Owner: {code(metadata.owner)}. When something is wrong with it: [runbook]({name}.runbook.md)."
    yield from ("", "## What it is given and what it gives", "")
    yield from ("| | field | type | |", "| --- | --- | --- | --- |")
    yield from _fields("input", bundle.program.input.schema)
    yield from _fields("session", bundle.program.session.schema)
    yield from _fields("output", bundle.program.output)
    yield from ("", "## What it may do", "")
    yield "As `agentc inspect` says it. What is not here is refused, whatever a model is talked into."
    # without digest and sources: they change when nothing of this does
    said = privileges_as_text(bundle).split("\n\n", 1)[1]
    yield from ("", block(said.rstrip("\n").split("\n"), "text"), "")
    drawn = as_mermaid(picture_of(result.program, agent, ())).splitlines()
    yield from ("## How it works", "", block(drawn, "mermaid"), "")
    approvers = result.program.project.spec.approvers if result.program.project else {}
    if approvers:
        yield from ("## Who is asked", "", "| group | people |", "| --- | --- |")
        for group in sorted(approvers):
            yield f"| {code(group)} | {', '.join(escaped(person) for person in approvers[group])} |"
        yield ""
    evals = sorted(one.name for one in result.program.evals.values() if one.spec.agent == name)
    if evals:
        yield from ("## How it is tested", "")
        yield f"Evals: {', '.join(code(one) for one in evals)}; `agentc eval` runs them."
        yield ""


def _fields(what: str, schema: object) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        kind = _kind(schema)
        if kind != "object":
            yield f"| {what} | | {code(kind)} | |"
        return
    required = schema.get("required", ())
    for field, inner in properties.items():
        described = inner.get("description", "") if isinstance(inner, Mapping) else ""
        optional = "" if isinstance(required, list | tuple) and field in required else "optional; "
        told = f"{optional}{described}".removesuffix("; ")
        yield f"| {what} | {code(str(field))} | {code(_kind(inner))} | {escaped(str(told))} |"


def _kind(schema: object) -> str:
    if not isinstance(schema, Mapping):
        return "anything"
    if isinstance(values := schema.get("enum"), list | tuple):
        return " or ".join(str(value) for value in values)
    kind = schema.get("type", "anything" if schema else "text")
    return " or ".join(map(str, kind)) if isinstance(kind, list | tuple) else str(kind)

"""A small whole bundle, and the way from a program to bundle files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import pytest

from agentc_runtime import bundle as ir
from agentc_runtime import expressions, labels, workflow
from agentc_runtime.canonical import canonical
from agentc_runtime.environments import Endpoint, Environment

Pack: TypeAlias = Callable[..., dict[str, bytes]]


def _tool(name: str, model_name: str) -> ir.Tool:
    return ir.Tool(
        name=name,
        model_name=model_name,
        description="find tickets",
        effect="read",
        arguments={"type": "object", "properties": {"id": {"type": "integer", "maximum": 2**63 - 1}}},
        output=labels.Label(),
        request=ir.RequestPlan(
            operation="findTickets",
            method="GET",
            endpoint=Endpoint(variable="HELPDESK_URL"),
            path=(
                (ir.PathPart(literal="tickets"),),
                (ir.PathPart(param=ir.Param(argument="id", name="id")),),
            ),
        ),
    )


@pytest.fixture(scope="session")
def program() -> ir.Program:
    """An agent with one state of each type, two tools, two environments."""
    schema: expressions.Schema = {"type": "object"}
    tools = {"desk.find": _tool("desk.find", "desk__find"), "desk.read": _tool("desk.read", "desk__read")}
    return ir.Program(
        agent=ir.AgentInfo(name="triage", version="1.0.0", owner="support", description="sorts tickets"),
        input=ir.Data(schema=schema, label=labels.Label(trust="trusted")),
        session=ir.Data(schema=schema, label=labels.Label(trust="trusted")),
        output=schema,
        start="look",
        states={
            "look": workflow.AgentState(
                instructions=(expressions.Text(text="Sort the ticket."),),
                prompt=(expressions.Slot(path=("input", "ticket")),),
                tools=("desk.find",),
                models=("fast",),
                turns=4,
                next="sum",
                catch=(workflow.Catch(errors=("any",), next="done"),),
            ),
            "sum": workflow.ModelState(instructions=(), prompt=(), models=("fast",), next="read"),
            "read": workflow.ToolState(
                tool="desk.read", arguments={"id": expressions.Const(value=1)}, next="pick"
            ),
            "pick": workflow.ChoiceState(
                choices=(
                    workflow.Choice(on=expressions.Ref(path=("input", "x")), when={"const": 1}, next="look"),
                ),
                default="done",
            ),
            "done": workflow.EndState(output=expressions.Ref(path=("states", "look", "output"))),
        },
        models={
            "fast": ir.Model(
                alias="fast",
                provider="openai",
                model="small",
                endpoint=Endpoint(url="https://models.example"),
            )
        },
        tools=tools,
        grants={name: ir.Grant(tool=name, permission_set="triage", schema=schema) for name in tools},
        environments={
            "local": Environment(variables={"HELPDESK_URL": "http://127.0.0.1:8000"}),
            "production": Environment(variables={"HELPDESK_URL": "https://desk.example"}),
        },
        default_environment="local",
        limits=ir.Limits(),
    )


@pytest.fixture(scope="session")
def pack(program: ir.Program) -> Pack:
    """`pack(program, **changes of the manifest)`: the files of a bundle. Extra files by `extra=`."""

    def pack(
        program: ir.Program = program, extra: dict[str, bytes] | None = None, **changes: object
    ) -> dict[str, bytes]:
        source_map = {"agent": ir.Position(file="agents/triage.yaml", line=3, column=1)}
        files = {
            ir.PROGRAM: canonical(msgspec.to_builtins(program)),
            ir.SOURCE_MAP: canonical(msgspec.to_builtins(source_map)),
            **(extra or {}),
        }
        manifest = ir.Manifest(
            format=ir.FORMAT,
            agent=program.agent,
            compiler="agentc test",
            files=tuple(
                ir.File(path=path, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
                for path, data in sorted(files.items())
            ),
            sources=(),
        )
        manifest_data = {**msgspec.to_builtins(manifest), **changes}
        return {ir.MANIFEST: canonical(manifest_data), **files}

    return pack

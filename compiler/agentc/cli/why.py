"""`agentc why`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from ..diagnostics import did_you_mean
from . import InputError
from .options import json_value, option_text, text_or_json

if TYPE_CHECKING:
    from agentc_runtime.bundle import Program, SourceMap
    from agentc_runtime.labels import Label

    from ..access import Judge, ToolAccess, Verdict
    from ..program import Agent
    from ..program import Program as Specs
    from ..report.findings import Report

TRUST = ("trusted", "typed", "untrusted")
SENSITIVITY = ("public", "internal", "confidential", "restricted")


@click.command("why")
@click.argument("agent")
@click.argument("tool")
@click.option("--args", "arguments", help="The arguments: JSON, `@FILE`, or `-` for standard input.")
@click.option("--state", help="The state. Left out: all of them.")
@click.option(
    "--read",
    metavar="TRUST[,SENSITIVITY]",
    help="The label of what was read before: `trusted`, `typed` or `untrusted`, and `public`, `internal`, "
    "`confidential` or `restricted`. Left out: nothing, and the worst that can be in the state.",
)
@click.option("--input", "input_", help="The run's input: JSON or `@FILE`. Left out: one is made up.")
@click.option("--session", help="The run's session: JSON or `@FILE`. Left out: one is made up.")
@click.option("--env", "environment", help="The environment of the project.")
@click.option(
    "--project",
    "path",
    default=".",
    type=click.Path(exists=True, path_type=Path),
    help="The project, or a bundle. Left out: the current folder.",
)
@text_or_json("How the answer is written.")
def command(
    agent: str,
    tool: str,
    arguments: str | None,
    state: str | None,
    read: str | None,
    input_: str | None,
    session: str | None,
    environment: str | None,
    path: Path,
    format_: str,
) -> int:
    """Say whether an agent may call a tool, by which lines, and what would have to change.

    The answer comes from the policy that decides at run time, state by state. Without --args: what arguments
    are allowed, and calls at the edges. Nothing is sent. Exit code 0 whatever the answer is, 1 when the
    project has errors that leave no policy to ask, 2 for an agent or a tool that there is not.

    \b
    Example:
      agentc why triage helpdesk.refund --project specs/support --args '{"amount": 60}'
    """
    from ..why import Question, explain
    from ..why.data import as_data
    from ..why.remedies import remedy
    from ..why.text import as_text

    label = None if read is None else _label(read)
    asked = _load(path, agent, environment)
    name = _tool(asked, tool)
    program = asked.judge.program
    if state is not None and state not in program.states:
        raise InputError(f"agent `{agent}` has no state `{state}`; {did_you_mean(state, program.states)}")
    question = Question(
        tool=name,
        arguments=None if arguments is None else option_text(arguments, "--args"),
        state=state,
        read=label,
        input=_data(program, "input", input_),
        session=_data(program, "session", session),
    )
    why = explain(asked.judge, asked.accesses, question)

    def change(verdict: Verdict) -> str:
        return remedy(verdict, name, why.states, asked.specs)

    if format_ == "json":
        click.echo(json.dumps(as_data(why, asked.report.path, change), indent=2, ensure_ascii=False))
        return 0
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    from ..report.text import painter

    text = as_text(why, program, asked.report, change, painter(color))
    click.echo(text, nl=False, color=True if color else None)
    return 0


class _Asked(NamedTuple):
    """Whom to ask: the judge of the agent, what it is granted, and the sources, if it is a project."""

    judge: Judge
    accesses: Mapping[str, ToolAccess]
    report: Report
    specs: tuple[Specs, Agent] | None


def _load(path: Path, agent: str, environment: str | None) -> _Asked:
    from agentc_runtime.bundle import MANIFEST

    if path.is_file() or (path / MANIFEST).exists():
        return _bundle(path, agent, environment)
    from ..lowered import can_lower, lower_agent
    from .common import choose_agent, compile_project, report_errors, report_of

    result = compile_project(path)
    chosen = choose_agent(result, agent)
    lowered = lower_agent(result.program, chosen) if can_lower(result.program, result.diagnostics) else None
    if lowered is None:
        report_errors(result)
        raise click.exceptions.Exit(1)
    judge = _judge(lowered.program, lowered.source_map, environment)
    return _Asked(judge, lowered.accesses, report_of(result), (result.program, chosen))


def _bundle(path: Path, agent: str, environment: str | None) -> _Asked:
    from agentc_runtime.verify import BundleError, read_bundle

    from ..access import accesses
    from ..report.findings import Report

    try:
        bundle = read_bundle(path)
    except BundleError as error:
        raise InputError(f"`{path}` is not a bundle that can be read: {error}") from error
    if bundle.program.agent.name != agent:
        raise InputError(f"the bundle is of the agent `{bundle.program.agent.name}`, not of `{agent}`")
    judge = _judge(bundle.program, bundle.source_map, environment)
    return _Asked(judge, accesses(bundle.program), Report("", (), {}), None)


def _judge(program: Program, source_map: SourceMap, environment: str | None) -> Judge:
    from ..access import Judge

    if environment is not None and environment not in program.environments:
        known = did_you_mean(environment, program.environments)
        raise InputError(f"no environment `{environment}`; {known}")
    return Judge(program, source_map, environment)


def _tool(asked: _Asked, name: str) -> str:
    """The full name of the tool: as it is written, or as a model writes it.

    Raises:
        InputError: there is no such tool, granted or not.
    """
    full = asked.judge.policy.full_name(name)
    if full is not None:
        return full
    declared = asked.specs[0].tools if asked.specs is not None else {}
    if name in declared:
        return name
    known = {*asked.judge.program.grants, *declared}
    toolset, _, local = name.partition(".")
    toolsets = asked.specs[0].toolsets if asked.specs is not None else {}
    found = toolsets.get(toolset)
    if found is not None and found.document is not None and local in found.document.names():
        raise InputError(
            f"toolset `{toolset}` has no tool `{local}`, but its document has an operation of that name: "
            f"declare a tool with `operation: {local}` ({found.resource.file.path})"
        )
    what = f"no tool `{name}`" if found is None else f"toolset `{toolset}` has no tool `{local}`"
    raise InputError(f"{what}; {did_you_mean(name, known)}")


def _label(text: str) -> Label:
    from agentc_runtime.labels import Label

    trust, _, sensitivity = text.partition(",")
    for value, known in ((trust, TRUST), (sensitivity or "public", SENSITIVITY)):
        if value not in known:
            raise InputError(f"--read: no label `{value}`; {did_you_mean(value, known)}")
    return Label(trust=trust, sensitivity=sensitivity or "public")  # type: ignore[arg-type]


def _data(program: Program, name: str, text: str | None) -> object:
    """The value of --input or --session, which has to be one that a run can have."""
    if text is None:
        return None
    from agentc_runtime.violations import compile_predicate, first_violation, found_in_words

    value = json_value(text, f"--{name}")
    declared = program.input if name == "input" else program.session
    broken = first_violation(compile_predicate(declared.schema), value)
    if broken is not None:
        raise InputError(
            f"--{name}: no run has this: {found_in_words(broken)}, and it takes {broken.expected}"
        )
    return value

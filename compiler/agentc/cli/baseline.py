"""`agentc baseline`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .common import PROJECT_PATH, compile_project, report_errors, shown_prefix

if TYPE_CHECKING:
    from ..driver import Result
    from ..lowered import Lowered
    from ..resources import Resource
    from ..syntax.assertions import AssertionSetSpec


@click.command("baseline")
@PROJECT_PATH
def command(path: Path) -> int:
    """Record what agents may do, as what no later change may go beyond.

    Writes the file that `baseline` of an AssertionSet names, with the access of the agents that the set is
    about. From then on `agentc validate` finds whatever lets them do more (AC422). To accept that, write the
    file again, and have the change reviewed. Exit code 1: the project has other errors; nothing is written.

    \b
    Example:
      agentc baseline specs/support
    """
    from ..baseline import record, written
    from ..lowered import lower_agents

    result = compile_project(path)
    if any(one.level == "error" and not _is_mended(result, one.code, one.span) for one in result.diagnostics):
        report_errors(result)
        return 1
    program = result.program
    sets = [one for one in program.assertion_sets.values() if one.spec.baseline is not None]
    if not sets:
        raise InputError(
            "no AssertionSet names a baseline: write `baseline: baseline.json` into the `spec` of one, "
            "and run this again"
        )
    agents = lower_agents(program)
    for asserted in sets:
        about = _about(result, asserted, agents)
        data = written({lowered.name: record(program, lowered) for lowered in about})
        shown = _keep(result, str(asserted.spec.baseline), data)
        tools = sum(len(lowered.accesses) for lowered in about)
        click.echo(f"{shown}  {_count(len(about), 'agent')}, {_count(tools, 'tool')}")
    for finding in result.diagnostics:
        if finding.code == "AC422":
            click.echo(f"  now recorded: {finding.message.rpartition(', and ')[0]}")
    return 0


def _is_mended(result: Result, code: str, span: object) -> bool:
    """Whether a finding is about a baseline that is written now."""
    sets = result.program.assertion_sets.values()
    return code == "AC422" or (code == "AC423" and any(span == one.span("baseline") for one in sets))


def _about(result: Result, asserted: Resource[AssertionSetSpec], agents: dict[str, Lowered]) -> list[Lowered]:
    """The agents of an assertion set.

    Raises:
        InputError: what one of them may do is not known.
    """
    names = asserted.spec.agents or tuple(sorted(result.program.agents))
    for name in names:
        if name not in agents:
            raise InputError(f"what agent `{name}` may do is not known: `agentc validate` says why")
    return [agents[name] for name in dict.fromkeys(names)]


def _keep(result: Result, path: str, data: bytes) -> str:
    """Write the file in one step; the path as it is shown.

    Raises:
        InputError: it is outside the project, or can't be written.
    """
    root = result.program.root
    target = root / path
    if not Path(os.path.realpath(target)).is_relative_to(os.path.realpath(root)):
        raise InputError(f"`{path}` leads out of the project: a baseline is a file of it")
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging.write_bytes(data)
        os.replace(staging, target)
    except OSError as error:
        staging.unlink(missing_ok=True)
        raise InputError(f"can't write `{path}`: {error.strerror}") from error
    return f"{shown_prefix(root)}{path}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"

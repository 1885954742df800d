"""`agentc redteam`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from . import InputError


@click.command("redteam")
@click.argument("path", default=".", type=click.Path(exists=True, path_type=Path))
@click.option("--agent", "name", help="Which agent; every agent of the project when left out.")
@click.option("--env", "environment", help="The environment, in place of the project's default.")
@click.option(
    "--model",
    type=click.Choice(["mock", "live"]),
    default="mock",
    show_default=True,
    help="`mock` is the worst case: a model that tries all it is told. `live` asks the agent's own model.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Fail as well when an effect goes through with nobody asked, as the specs say.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "junit", "markdown"]),
    default="text",
    show_default=True,
    help="How the report on standard output is written.",
)
def command(
    path: Path,
    name: str | None,
    environment: str | None,
    model: Literal["mock", "live"],
    strict: bool,
    format_: str,
) -> int:
    """Attack agents with what their own permissions suggest, and see what is done.

    The attacks are made from the compiled permissions: calls just outside each limit, arguments that are
    bound, tools of other states and none, quotas, effects that need a person (who says no), and orders hidden
    in what tools answer. A worst-case model tries them all: no key and no network is needed. Exit code 1:
    something was done that should not be.

    \b
    Example:
      agentc redteam specs/support --agent triage
    """
    from ..evals.evaluating import EvalError, Options, evaluate
    from ..evals.redteam import red_team
    from ..lowered import lower_agent
    from ..pipeline import BuildError
    from .common import choose_agent, compile_project, report_errors
    from .eval import print_reports

    result = compile_project(path)
    if not result.ok:
        report_errors(result)
        return 1
    agents = [choose_agent(result, name)] if name else list(result.program.agents.values())
    done = []
    unasked = False
    try:
        for agent in agents:
            lowered = lower_agent(result.program, agent)
            if lowered is None:
                raise InputError(f"agent `{agent.resource.name}` can't be built; `agentc validate` says why")
            team = red_team(result, lowered, model=model)
            if not team.one.spec.cases:
                click.echo(
                    f"agent `{agent.resource.name}`: its model has no tool to be attacked with", err=True
                )
                continue
            options = Options(environment=environment)
            done.append(evaluate(team.result, team.one, options, folder=None))
            for state in team.untried:
                click.echo(f"not tried: state `{state}`, which no run begins with", err=True)
            unasked = unasked or bool(team.unasked)
            for call in team.unasked:
                click.echo(f"goes through with nobody asked: {call}", err=True)
    except (EvalError, BuildError) as error:
        raise InputError(str(error)) from error
    print_reports(done, format_, None)
    return 1 if not all(one.outcome.passed for one in done) or (strict and unasked) else 0

"""`agentc docs`."""

from __future__ import annotations

from pathlib import Path

import click

from . import InputError
from .common import PROJECT_PATH


@click.command("docs")
@PROJECT_PATH
@click.option("--agent", "names", multiple=True, help="Only this agent; may be repeated.")
@click.option(
    "--out",
    default="docs/agents",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit code 1 when a page is not as it would be written."
)
def command(path: Path, names: tuple[str, ...], out: Path, check: bool) -> int:
    """Write a page and a runbook for each agent.

    AGENT.md says what the agent is given, may do and gives; AGENT.runbook.md how to stop it, roll it back,
    read what its runs tell, and whom to call. Both come from the specs, so `--check` in CI keeps them true.
    Exit code 1: the project has errors; nothing is written.

    \b
    Example:
      agentc docs specs/support --out docs/agents --check
    """
    from agentc_runtime.verify import load_bundle

    from ..operations.handbook import readme
    from ..operations.runbook import runbook
    from ..pipeline import BuildError, bundle_files
    from .common import chosen_agents, compile_project, report_errors, write_files

    result = compile_project(path)
    if not result.ok:
        report_errors(result)
        return 1
    files: dict[str, str] = {}
    for agent in chosen_agents(result, names):
        try:
            bundle = load_bundle(bundle_files(result, agent))
        except BuildError as error:
            raise InputError(str(error)) from error
        files[f"{agent.resource.name}.md"] = readme(result, agent, bundle)
        files[f"{agent.resource.name}.runbook.md"] = runbook(result, agent, bundle.program)
    if not check:
        write_files(out, files)
        return 0
    stale = [name for name, text in files.items() if not _is(out / name, text)]
    for name in stale:
        click.echo(f"{(out / name).as_posix()} is not what the specs say: run `agentc docs` again", err=True)
    return 1 if stale else 0


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False

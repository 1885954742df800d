"""`agentc build`."""

from __future__ import annotations

from pathlib import Path

import click

from . import InputError
from .common import PROJECT_PATH, choose_agent, compile_project, report_errors


@click.command("build")
@PROJECT_PATH
@click.option("--agent", "name", help="Build one agent. Without it, every agent of the project.")
@click.option(
    "--out",
    default="dist",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that bundles are written to, each as NAME-VERSION.",
)
@click.option("--tar", is_flag=True, help="Write each bundle as one file, NAME-VERSION.tar.")
def command(path: Path, name: str | None, out: Path, tar: bool) -> int:
    """Compile agents into bundles.

    A bundle holds everything the agent may do and nothing else. The same specs give the same bytes on any
    machine. A project with errors is not built. Exit code 1: the project has errors.

    \b
    Example:
      agentc build support --agent triage --out dist
    """
    from ..emit import EmitError, write_archive, write_bundle
    from ..pipeline import BuildError, bundle_files

    result = compile_project(path, use_cache=False)
    if not result.ok:
        report_errors(result)
        return 1
    agents = [choose_agent(result, name)] if name else list(result.program.agents.values())
    if not agents:
        raise InputError(f"the project in `{path}` has no agent to build")
    for agent in agents:
        target = out / f"{agent.resource.name}-{agent.resource.metadata.version}{'.tar' if tar else ''}"
        try:
            files = bundle_files(result, agent)
            if tar:
                write_archive(files, target)
            else:
                write_bundle(files, target)
        except (BuildError, EmitError) as error:
            raise InputError(str(error)) from error
        from agentc_runtime.verify import load_bundle

        bundle = load_bundle(files)
        size = sum(len(data) for data in files.values())
        click.echo(f"{target}  sha256:{bundle.digest}  {size:,} bytes")
    return 0

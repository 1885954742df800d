"""`agentc tighten`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import text_or_json

if TYPE_CHECKING:
    from agentc_runtime.history import PastRun

    from ..source import SourceFile
    from ..tighten import Project, Proposal

#: How often something has to be seen before it says something about what is to come.
AT_LEAST = 10


@click.command("tighten")
@click.argument("agent")
@click.option(
    "--from",
    "stores",
    multiple=True,
    default=(".agentc/runs.db",),
    show_default=True,
    help="The database that `agentc run` writes (a file or postgresql://…), what it prints with "
    "`--format json`, or an eval's trials. May be given several times.",
)
@click.option(
    "--tool", "tools", multiple=True, help="Only the grant of this tool. May be given several times."
)
@click.option(
    "--at-least",
    default=AT_LEAST,
    show_default=True,
    type=click.IntRange(min=1),
    help="Calls before a limit is proposed; runs before a grant or a quota is, days for `per_day`.",
)
@click.option("--any-bundle", is_flag=True, help="Use the runs of other bundles of the agent as well.")
@click.option("--write", is_flag=True, help="Write the change into the specs.")
@click.option(
    "--project",
    "path",
    default=".",
    type=click.Path(exists=True, path_type=Path),
    help="The project. Left out: the current folder.",
)
@text_or_json("How the proposal is written; text is the patch, and the reasons on standard error.")
def command(
    agent: str,
    stores: tuple[str, ...],
    tools: tuple[str, ...],
    at_least: int,
    any_bundle: bool,
    write: bool,
    path: Path,
    format_: str,
) -> int:
    """Propose the narrowest permissions that recorded runs would have needed.

    Prints a patch of the specs for `git apply` or `patch -p1`: grants that were never used go, arguments get
    the limits that their values had, quotas go down. Comments stay. Each change is proven to take away and
    not to give, and every recorded call is judged again and comes out the same. What a permission test wants
    to be possible stays possible. Exit code 1: the project has errors, and nothing is proposed.

    \b
    Example:
      agentc tighten triage --from .agentc/runs.db --project specs/support | git apply
    """
    from ..tighten.patch import patch
    from ..tighten.text import as_data, as_text
    from .common import report_of, shown_prefix

    project, digest = _load(path, agent)
    for tool in tools:
        _granted(project, tool)
    proposal = _propose(project, digest, stores, at_least, tools, any_bundle)
    root = project.result.program.root
    prefix = shown_prefix(root)
    shown = report_of(project.result).path
    difference = patch(project.result.files, proposal.files, "" if Path(prefix).is_absolute() else prefix)
    if write:
        _write(root, proposal.files)
    if format_ == "json":
        click.echo(
            json.dumps(as_data(proposal, shown, difference, written=write), indent=2, ensure_ascii=False)
        )
        return 0
    for line in as_text(proposal, shown):
        click.echo(line, err=True)
    if not write:
        click.echo(difference, nl=False)
    for file in sorted(proposal.files) if write else ():
        click.echo(f"written: {shown(file)}")
    return 0


def _load(path: Path, agent: str) -> tuple[Project, str]:
    """The project with its agent, and the digest of the agent's bundle.

    Raises:
        InputError: there is no such project or agent.
        Exit: the project has errors, which are reported.
    """
    from agentc_runtime.verify import load_bundle

    from ..cache import cache_folder
    from ..driver import check_loaded
    from ..load import load_project
    from ..lowered import lower_agent
    from ..pipeline import BuildError, bundle_files
    from ..tighten import Project
    from .common import choose_agent, project_root, report_errors

    sources, found = load_project(project_root(path))
    result = check_loaded(sources, found, cache=cache_folder())
    chosen = choose_agent(result, agent)
    if not result.ok:
        report_errors(result)
        raise click.exceptions.Exit(1)
    try:
        bundle = load_bundle(bundle_files(result, chosen))
    except BuildError as error:
        raise InputError(str(error)) from error
    lowered = lower_agent(result.program, chosen)
    assert lowered is not None  # it was built
    return Project(sources, found, result, lowered, cache_folder()), bundle.digest


def _granted(project: Project, tool: str) -> None:
    from ..diagnostics import did_you_mean

    grants = project.lowered.agent.grants
    if tool not in grants:
        raise InputError(
            f"agent `{project.lowered.name}` has no grant of `{tool}`; {did_you_mean(tool, grants)}"
        )


def _propose(
    project: Project,
    digest: str,
    stores: tuple[str, ...],
    at_least: int,
    tools: tuple[str, ...],
    any_bundle: bool,
) -> Proposal:
    """The proposal.

    Raises:
        InputError: a store can't be read, or holds no runs that count.
    """
    from ..tighten import tighten

    proposal = tighten(project, digest, _runs(stores), at_least=at_least, tools=tools, any_bundle=any_bundle)
    if proposal.evidence.runs:
        return proposal
    names = ", ".join(f"`{store}`" for store in stores)
    others = sum(proposal.evidence.others.values())
    if others:
        raise InputError(
            f"{names}: the runs of agent `{proposal.agent}` ({others}) are of other bundles than what "
            f"the specs make now, sha256:{digest[:12]}: run it again, or use them with --any-bundle"
        )
    raise InputError(f"no runs of agent `{proposal.agent}` in {names}: `agentc run` records them")


def _runs(stores: tuple[str, ...]) -> Iterator[PastRun]:
    from agentc_runtime.durable.ledgers import store_path
    from agentc_runtime.journal import StoreError

    from ..tighten.recordings import recorded_runs, runs_of_server

    for store in stores:
        path = store_path(store)
        if path is not None and not path.is_file():
            raise InputError(f"no run database at `{store}`: `agentc run` writes one, or name it with --from")
        try:
            yield from runs_of_server(store) if path is None else recorded_runs(path)
        except ImportError as error:
            raise InputError(f"`{store}` needs the extra: pip install 'agentc[durable]' ({error})") from error
        except StoreError as error:
            raise InputError(str(error)) from error


def _write(root: Path, files: Mapping[str, SourceFile]) -> None:
    from ..editing import EditError, write_specs

    try:
        write_specs(root, files)
    except EditError as error:
        raise InputError(str(error)) from error

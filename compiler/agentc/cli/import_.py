"""`agentc import`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from ..program import Toolset
    from ..syntax.toolset import AuthSpec
    from ..updating import Update


@click.group("import")
def command() -> None:
    """Bring API documents, and what providers say of themselves, into a project.

    \b
    Example:
      agentc import openapi https://example.com/openapi.yaml --project support --toolset desk
    """


_PROJECT = click.option(
    "--project",
    default=".",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project.",
)


@command.command("openapi")
@click.argument("source", required=False)
@_PROJECT
@click.option("--toolset", help="Pin the document in this toolset. Without it, print what to write there.")
@click.option("--check", is_flag=True, help="Write nothing: say what would change for the tools.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    help="How --check reports. [default: text]",
)
def openapi(source: str | None, project: Path, toolset: str | None, check: bool, format_: str | None) -> int:
    """Copy an OpenAPI document into a project and pin it by its digest.

    SOURCE is a path or an http(s) URL; left out, it is what the lock of the toolset's document remembers. The
    network is used here and never by validate or build. Every toolset that uses the document is pinned to the
    new bytes. Files that it refers to are copied as well: by relative paths from below its own folder alone,
    by URL from the public internet. A lock beside it holds their digests and shows what the toolsets use, so
    that a change is readable in the pull request.

    With --check the pinned document is compared with SOURCE instead: what is different for each tool, which
    permissions name what has changed, and what `validate` would say after the update. Exit code 0: no tool is
    touched. 1: some are. 2: a document can't be read.

    \b
    Example:
      agentc import openapi vendor/api.json --project support --toolset desk
    """
    from ..editing import EditError, write_specs
    from ..openapi.importing import write_import
    from ..openapi.problem import ImportProblem
    from ..report.findings import visible
    from ..updating import plan_update

    if source is None and toolset is None:
        raise click.UsageError("give SOURCE, or --toolset to import its document again")
    if check and toolset is None:
        raise click.UsageError("--check needs --toolset: the one whose document is compared")
    if format_ is not None and not check:
        raise click.UsageError("--format goes with --check")
    _check_project(project)
    progress = _Progress()
    try:
        with progress:
            update = plan_update(project, source, toolset, progress if sys.stderr.isatty() else None)
        if check:
            return _check(update, project, format_)
        write_import(update.planned)
        write_specs(update.sources.root, update.specs)
    except ImportProblem as error:
        raise InputError(visible(error.message + (f"; {error.help}" if error.help else ""))) from error
    except EditError as error:
        raise InputError(visible(str(error))) from error
    _tell(update, project)
    return 0


def _check(update: Update, project: Path, format_: str | None) -> int:
    from ..drift import find_drift
    from ..report.drift import drift_as_json, drift_as_text
    from .common import shown_prefix
    from .options import is_colored

    drift = find_drift(update)
    base = shown_prefix(project)
    if format_ == "json":
        click.echo(drift_as_json(drift, base), nl=False)
    else:
        click.echo(drift_as_text(drift, base, color=is_colored()), nl=False)
    _note_refused(update)
    return 1 if drift.any else 0


def _tell(update: Update, project: Path) -> None:
    from ..report.findings import visible

    planned = update.planned
    title = f"{planned.title} {planned.version}".strip() or "untitled document"
    click.echo(visible(f"{title}: {planned.operations} operations"))
    more = f" with {planned.files} other files" if planned.files else ""
    click.echo(f"wrote {project / update.path}{more}")
    _note_refused(update)
    for path in sorted(update.specs):
        click.echo(f"pinned in {project / path}")
    if not update.specs:
        click.echo("to pin it, write in a toolset:")
        click.echo(f"  openapi: {{ file: {update.path}, sha256: {planned.sha256} }}")


def _note_refused(update: Update) -> None:
    """Say which references are not followed."""
    from ..report.findings import visible

    planned = update.planned
    for refused in planned.refused:
        click.echo(visible(f"note: {refused}"), err=True)
    if planned.unfollowed > len(planned.refused):
        more = f"{planned.unfollowed - len(planned.refused):,}"
        click.echo(f"note: {more} other references are not followed", err=True)


@command.command("discovery")
@click.argument("url", required=False)
@_PROJECT
@click.option("--toolset", required=True, help="The toolset whose `token_url` is written.")
@click.option("--scheme", help="The security scheme, when the toolset has client credentials for several.")
def discovery(url: str | None, project: Path, toolset: str, scheme: str | None) -> int:
    """Find where an OpenID Connect provider gives its tokens, and pin it.

    URL is the provider's discovery document or its issuer; left out, it is what the API document says. The
    token endpoint is written into the toolset, so that a changed one shows in the pull request: a run asks
    for tokens there and nowhere else.

    \b
    Example:
      agentc import discovery --project support --toolset desk
    """
    from ..credentials import discovery_url
    from ..discovery import DiscoveryError, discover, metadata_url
    from ..driver import check_loaded
    from ..editing import EditError, write_specs
    from ..load import load_project
    from ..pin import pinned_values

    _check_project(project)
    sources, problems = load_project(project)
    found = check_loaded(sources, problems).program.toolsets.get(toolset)
    if found is None:
        raise InputError(f"`{project}` has no readable toolset `{toolset}`; `agentc validate` says why")
    auth, path = _client(found, scheme)
    at = url or discovery_url(found, auth.scheme)
    if at is None:
        raise InputError(
            f"the document of toolset `{toolset}` has no discovery URL for `{auth.scheme}`; give it as URL"
        )
    try:
        said = discover(metadata_url(at), private=url is not None)
        values = {"token_url": said.token_url}
        assert auth.client_credentials is not None
        if auth.client_credentials.method != said.method:
            values["method"] = said.method
        changed = pinned_values(sources, toolset, (*path, "client_credentials"), values)
        write_specs(project, changed)
    except (DiscoveryError, EditError) as error:
        raise InputError(str(error)) from error
    click.echo(f"{said.issuer} gives tokens at {said.token_url}")
    for note in said.notes:
        click.echo(f"note: {note}", err=True)
    for file in changed:
        click.echo(f"pinned in {project / file}")
    return 0


def _check_project(project: Path) -> None:
    from ..load import find_projects

    if project.resolve() not in {root.resolve() for root in find_projects(project)}:
        raise InputError(f"`{project}` is not a project: it has no `agentc.yaml`; `agentc init` writes one")


def _client(toolset: Toolset, scheme: str | None) -> tuple[AuthSpec, tuple[str | int, ...]]:
    """The client credentials that are meant, and their place in the toolset."""
    from ..credentials import auths
    from ..diagnostics import did_you_mean

    name = toolset.resource.name
    known = {
        auth.scheme: (auth, path)
        for auth, path in auths(toolset.resource)
        if auth.client_credentials is not None
    }
    if scheme is None and len(known) == 1:
        scheme = next(iter(known))
    if scheme in known:
        return known[scheme]
    if not known:
        help_ = "add `client_credentials: {}` to its `auth`"
        raise InputError(f"toolset `{name}` has no `client_credentials`; {help_}")
    if scheme is None:
        several = " and ".join(f"`{one}`" for one in known)
        raise InputError(f"toolset `{name}` has client credentials for {several}; choose with --scheme")
    nearest = did_you_mean(scheme, known)
    raise InputError(f"toolset `{name}` has no client credentials for `{scheme}`; {nearest}")


class _Progress:
    """One line on a terminal that says what is being downloaded, and is gone afterwards."""

    def __init__(self) -> None:
        self._files: dict[str, int] = {}
        self._shown = 0.0

    def __call__(self, url: str, size: int) -> None:
        """Show a download, at most ten times a second."""
        self._files[url] = size
        if time.monotonic() - self._shown < 0.1:
            return
        self._shown = time.monotonic()
        total = sum(self._files.values()) / 1024 / 1024
        count = f"{len(self._files):,} files, " if len(self._files) > 1 else ""
        name = url if len(url) <= 60 else f"…{url[-59:]}"
        click.echo(f"\r\x1b[K{count}{total:.1f} MiB  {name}", err=True, nl=False)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


@command.command("promptfoo")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agent", required=True, help="The agent that the cases are for.")
@click.option("--name", default="imported", show_default=True, help="What the eval is called.")
@click.option("--owner", default="imported", show_default=True, help="Who answers for it.")
@click.option("--of", default="${output}", show_default=True, help="The value that assertions look at.")
@click.option("--judge", help="The model of the project that grades what `llm-rubric` asks.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the eval is written.")
def promptfoo(
    config: Path, agent: str, name: str, owner: str, of: str, judge: str | None, out: Path | None
) -> int:
    """Make an eval of a promptfoo configuration.

    Tests become cases, their `vars` the input, and assertions that mean the same here become scorers. What
    is left out is said on standard error: prompts and providers, as the agent has its own, and code. Exit
    code 1: something was left out.

    \b
    Example:
      agentc import promptfoo promptfooconfig.yaml --agent triage --out evals/imported.yaml
    """
    from ..evals.promptfoo import PromptfooError, import_promptfoo

    try:
        made = import_promptfoo(config, name=name, agent=agent, owner=owner, of=of, judge=judge)
    except PromptfooError as error:
        raise InputError(str(error)) from error
    if out is None:
        click.echo(made.text, nl=False)
    else:
        try:
            out.write_text(made.text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"can't write `{out}`: {(error.strerror or 'not writable').lower()}") from error
        click.echo(f"wrote {made.cases} cases with {made.scorers} scorers to `{out}`")
    for one in made.left_out:
        click.echo(f"left out: {one}", err=True)
    return 1 if made.left_out else 0

"""`agentc import`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from ..program import Toolset
    from ..syntax.toolset import AuthSpec


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
@click.argument("source")
@_PROJECT
@click.option("--toolset", help="Pin the document in this toolset. Without it, print what to write there.")
def openapi(source: str, project: Path, toolset: str | None) -> int:
    """Copy an OpenAPI document into a project and pin it by its digest.

    SOURCE is a path or an http(s) URL. The network is used here and never by validate or build. A toolset
    that pinned other bytes before is pinned to the new ones, so that the change shows in the pull request.
    Files that the document refers to by relative paths are copied as well, from below its own folder alone,
    and a lock beside it holds their digests.

    \b
    Example:
      agentc import openapi vendor/api.json --project support --toolset desk
    """
    from ..openapi.importing import ImportProblem, import_document
    from ..pin import PinError, pin_document, toolset_operations, toolset_target

    _check_project(project)
    try:
        pinned = toolset_target(project, toolset) if toolset else None
        known = PurePosixPath(pinned) if pinned else None
        folder = known.parent if known else PurePosixPath("openapi")
        wanted = toolset_operations(project, toolset) if toolset else frozenset()
        name = known.name if known else None
        imported = import_document(source, project / folder, name, wanted=wanted)
        path = imported.path.relative_to(project).as_posix()
        changed = pin_document(project, toolset, path, imported.sha256) if toolset else None
    except ImportProblem as error:
        raise InputError(error.message + (f"; {error.help}" if error.help else "")) from error
    except PinError as error:
        raise InputError(str(error)) from error
    title = f"{imported.title} {imported.version}".strip() or "untitled document"
    click.echo(f"{title}: {imported.operations} operations")
    click.echo(f"wrote {project / path}" + (f" with {imported.files} other files" if imported.files else ""))
    for refused in imported.refused:
        click.echo(f"note: {refused}", err=True)
    if imported.unfollowed > len(imported.refused):
        more = imported.unfollowed - len(imported.refused)
        click.echo(f"note: {more:,} other references are not followed", err=True)
    if changed is not None:
        click.echo(f"pinned in {project / changed}")
    else:
        click.echo("to pin it, write in a toolset:")
        click.echo(f"  openapi: {{ file: {path}, sha256: {imported.sha256} }}")
    return 0


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
    from ..driver import check_project
    from ..pin import PinError, pin_values

    _check_project(project)
    found = check_project(project).program.toolsets.get(toolset)
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
        changed = pin_values(project, toolset, (*path, "client_credentials"), values)
    except (DiscoveryError, PinError) as error:
        raise InputError(str(error)) from error
    click.echo(f"{said.issuer} gives tokens at {said.token_url}")
    for note in said.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"pinned in {project / changed}")
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

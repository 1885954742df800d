"""`agentc import`."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from . import InputError


@click.group("import")
def command() -> None:
    """Bring API documents into a project.

    \b
    Example:
      agentc import openapi https://example.com/openapi.yaml --project support --toolset desk
    """


@command.command("openapi")
@click.argument("source")
@click.option(
    "--project",
    default=".",
    show_default=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project.",
)
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
    from ..load import find_projects
    from ..openapi.importing import ImportProblem, import_document
    from ..pin import PinError, pin_document, toolset_operations, toolset_target

    if project.resolve() not in {root.resolve() for root in find_projects(project)}:
        raise InputError(f"`{project}` is not a project: it has no `agentc.yaml`; `agentc init` writes one")
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

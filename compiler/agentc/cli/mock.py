"""`agentc mock`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError

if TYPE_CHECKING:
    from ..program import Toolset


@click.command("mock")
@click.argument("toolset")
@click.option(
    "--project",
    default=".",
    show_default=True,
    type=click.Path(exists=True, path_type=Path),
    help="The project.",
)
@click.option(
    "--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="0 is any free one."
)
@click.option("--seed", default=0, show_default=True, help="Other seeds make up other answers.")
def command(toolset: str, project: Path, port: int, seed: int) -> int:
    """Stand in for a toolset's service on this machine.

    The declared operations of TOOLSET are served on 127.0.0.1. Each request is checked against the document
    by another implementation (openapi-core): one that breaks it gets status 400 and the reason. Answers are
    the document's examples, else made up from its schemas, the same for the same request. The first line
    printed is the base URL, each further line is a request. Ctrl-C ends it.

    \b
    Example:
      agentc mock helpdesk --project specs/support --port 8931
    """
    from ..diagnostics import did_you_mean
    from .common import compile_project, report_errors

    result = compile_project(project)
    if not result.ok:
        report_errors(result)
        return 1
    toolsets = result.program.toolsets
    if toolset not in toolsets:
        raise InputError(f"no toolset `{toolset}` in this project; {did_you_mean(toolset, toolsets)}")
    return _serve(toolsets[toolset], port, seed)


def _serve(toolset: Toolset, port: int, seed: int) -> int:
    from ..mock.server import answering, bound
    from ..mock.service import Operation, Service
    from ..openapi.slices import openapi_slices

    known = [tool.operation for tool in toolset.tools.values() if tool.operation is not None]
    compiled = [one for one in known if one.method != "QUERY"]
    if len(compiled) < len(known):
        click.echo(
            "warning: operations with the method QUERY are not served: openapi-core does not know it",
            err=True,
        )
    if toolset.file is None or not compiled:
        raise InputError(f"toolset `{toolset.resource.name}` has no operation that can be served")
    try:
        server = bound(port)
    except OSError as error:
        raise InputError(
            f"can't serve on port {port}: {(error.strerror or 'it is taken').lower()}"
        ) from error
    with server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        roots = openapi_slices(toolset.file, toolset.overlays, compiled, url, toolset.lock)
        service = Service([Operation(*one, url) for one in zip(compiled, roots, strict=True)], seed)
        answering(server, service, lambda line: print(line, flush=True))
        print(url, flush=True)
        try:
            server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            return 0
    return 0

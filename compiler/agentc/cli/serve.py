"""`agentc serve`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import watched

if TYPE_CHECKING:
    from agentc_runtime.labels import Sensitivity


@click.command("serve")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default="service.yaml")
@click.option("--listen", metavar="HOST:PORT", help="Listen there instead of where the file says.")
@click.option("--check", is_flag=True, help="Only say whether it could be served.")
@watched
def command(
    file: Path,
    listen: str | None,
    check: bool,
    log_format: str,
    otel: bool | None,
    capture_content: Sensitivity | None,
) -> int:
    """Serve agents over HTTP.

    FILE is a spec of kind Service. The bundles that it names are verified, the runs that were interrupted go
    on. The service's own OpenAPI document is at /openapi.json. SIGTERM or Ctrl-C lets runs end first. What
    `agentc disable` puts into the service's store (--control and its URL) is heeded at the next call. With
    OTEL_METRICS_EXPORTER=prometheus its measurements are served on a port of their own.

    \b
    Example:
      agentc serve service.yaml --listen 127.0.0.1:8080
    """
    try:
        from agentc_service.app import create_app
        from agentc_service.auth.api_keys import KeyFileError

        from ..observing import ObservingError, Watch, Watcher
        from ..serving import ServingError, read_service, settings_of
    except ModuleNotFoundError as error:
        raise InputError(f"serving needs `{error.name}`: pip install 'agentc[serve]'") from error
    from agentc_runtime.journal import StoreError

    from ..report import render
    from ..report.findings import Report

    if listen is not None and not _is_address(listen):
        raise click.UsageError(f"--listen: `{listen}` is not HOST:PORT")
    try:
        service, source, found = read_service(file)
        if service is None:
            report = Report(f"{file.parent}/", found, {} if source is None else {source.path: source})
            click.echo(render("text", [report], color=sys.stderr.isatty()), err=True, nl=False)
            return 1
        settings = settings_of(service, file.parent.absolute(), listen=listen)
        watch = Watch(telemetry=otel, content=capture_content, logs=log_format == "json")
        watcher = Watcher(watch, _warn, service=service.metadata.name, store=settings.store)
        try:
            app = create_app(settings, os.environ, watcher)
        except ModuleNotFoundError as error:
            raise InputError(f"`mcp: true` needs `{error.name}`: pip install 'agentc[mcp]'") from error
        if not check:
            watcher.prepare()
    except (ServingError, KeyFileError, StoreError, ObservingError) as error:
        raise InputError(str(error)) from error
    if check:
        click.echo(f"ok  {', '.join(sorted(settings.agents))} on {settings.host}:{settings.port}")
        return 0
    from agentc_service.server import serve

    try:
        serve(app, settings)
    except OSError as error:
        raise InputError(f"can't listen on {settings.host}:{settings.port}: {error.strerror}") from error
    finally:
        watcher.close()
    return 0


def _warn(line: str) -> None:
    click.echo(line, err=True)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and int(port) < 65_536

"""`agentc inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from . import InputError
from .options import text_or_json


@click.command("inspect")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--agent", "name", help="Which agent, when PATH is a project.")
@text_or_json("How it is written.")
def command(path: Path, name: str | None, format_: str) -> int:
    """Say in words what a bundle lets the agent do.

    PATH is a bundle, or a project, which is then compiled first. Exit code 1: the project has errors.

    \b
    Example:
      agentc inspect dist/triage-1.0.0
    """
    from agentc_runtime.bundle import MANIFEST
    from agentc_runtime.verify import BundleError, load_bundle, read_bundle

    from ..privileges import privileges_as_data, privileges_as_text
    from .common import choose_agent, compile_project, report_errors

    if (path / MANIFEST).exists() or path.is_file():
        try:
            bundle = read_bundle(path)
        except BundleError as error:
            raise InputError(f"`{path}` is not a bundle that can be read: {error}") from error
    else:
        from ..pipeline import bundle_files

        result = compile_project(path)
        if not result.ok:
            report_errors(result)
            return 1
        bundle = load_bundle(bundle_files(result, choose_agent(result, name)))
    if format_ == "json":
        click.echo(json.dumps(privileges_as_data(bundle), indent=2, ensure_ascii=False))
    else:
        click.echo(privileges_as_text(bundle), nl=False)
    return 0

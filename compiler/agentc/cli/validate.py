"""`agentc validate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .common import PROJECT_PATHS, check_all


@click.command("validate")
@PROJECT_PATHS
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="How findings are written.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to a file.")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings as well.")
@click.option("--no-cache", is_flag=True, help="Check everything again.")
def command(paths: tuple[Path, ...], format_: str, output: Path | None, strict: bool, no_cache: bool) -> int:
    """Check specs the way a compiler checks a program.

    PATHS are projects, folders that hold projects, or files in them; the default is the current folder.
    Exit code 0: no errors. 1: errors. 2: nothing that can be read.

    \b
    Example:
      agentc validate specs --format sarif --output agentc.sarif
    """
    from ..report import render

    checked = check_all(paths, use_cache=not no_cache)
    color = output is None and format_ == "text" and sys.stdout.isatty() and not _no_color()
    report = render(format_, checked.diagnostics, checked.files, color=color)
    if output is None:
        click.echo(report, nl=not report.endswith("\n"), color=True if color else None)
    else:
        output.write_text(report if report.endswith("\n") else report + "\n", encoding="utf-8")
    levels = {diagnostic.level for diagnostic in checked.diagnostics}
    return 1 if "error" in levels or (strict and "warning" in levels) else 0


def _no_color() -> bool:
    import os

    return bool(os.environ.get("NO_COLOR"))

"""`agentc validate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from ..diagnostics import Rule
from ..report import Format
from . import InputError
from .common import PROJECT_PATHS, check_all, is_colored


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
def command(
    paths: tuple[Path, ...], format_: Format, output: Path | None, strict: bool, no_cache: bool
) -> int:
    """Check specs the way a compiler checks a program.

    PATHS are projects, folders that hold projects, or files in them; the default is the current folder.
    Exit code 0: no errors. 1: errors. 2: nothing that can be read.

    \b
    Example:
      agentc validate specs --format sarif --output agentc.sarif
    """
    from ..report import render

    reports = check_all(paths, use_cache=not no_cache)
    color = output is None and format_ == "text" and is_colored()
    text = render(format_, reports, color=color, rules=_rules)
    if output is None:
        click.echo(text, nl=False, color=True if color else None)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"can't write `{output}`: {error.strerror}") from error
    levels = {diagnostic.level for report in reports for diagnostic in report.diagnostics}
    return 1 if "error" in levels or (strict and "warning" in levels) else 0


def _rules() -> Mapping[str, Rule]:
    from ..checks.registry import RULES

    return RULES

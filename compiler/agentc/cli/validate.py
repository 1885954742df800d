"""`agentc validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..diagnostics import Rule
from ..report import Format
from ..report.findings import Report
from . import InputError
from .common import PROJECT_PATHS, check_all, check_results, report_of
from .options import is_colored

if TYPE_CHECKING:
    from ..driver import Result


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
@click.option(
    "--coverage", is_flag=True, help="Say as well what permission tests cover; with text and json only."
)
def command(
    paths: tuple[Path, ...],
    format_: Format,
    output: Path | None,
    strict: bool,
    no_cache: bool,
    coverage: bool,
) -> int:
    """Check specs the way a compiler checks a program.

    PATHS are projects, folders that hold projects, or files in them; the default is the current folder.
    Assertions are decided and permission tests carried out as well: nothing is sent, and no model is asked.
    Exit code 0: no errors. 1: errors. 2: nothing that can be read.

    \b
    Example:
      agentc validate specs --format sarif --output agentc.sarif
    """
    from ..report import render

    if coverage and format_ not in ("text", "json"):
        raise click.UsageError(f"--coverage is written as text or json, not as {format_}")
    color = output is None and format_ == "text" and is_colored()
    if coverage:
        results = check_results(paths, use_cache=not no_cache)
        reports = [report_of(result) for result in results]
        text = _with_coverage(format_, render(format_, reports, color=color), results, reports)
    else:
        reports = check_all(paths, use_cache=not no_cache)
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


def _with_coverage(
    format_: Format, findings: str, results: Sequence[Result], reports: Sequence[Report]
) -> str:
    """The findings, then the coverage of each project; in json an object of `findings` and `coverage`."""
    import json

    from ..lowered import can_lower, lower_agents
    from ..permission_tests import coverage
    from ..permission_tests.report import as_data, as_text

    rows: list[dict[str, object]] = []
    lines: list[str] = []
    for result, report in zip(results, reports, strict=True):
        if not can_lower(result.program, result.diagnostics):
            lines.append("no coverage: correct the errors first")
            continue
        covered = coverage(result.program, lower_agents(result.program))
        rows += as_data(covered, report.path)
        lines += as_text(covered, report.path)
    if format_ == "json":
        return json.dumps({"findings": json.loads(findings), "coverage": rows}, indent=2) + "\n"
    return findings + "\n".join(lines) + "\n"


def _rules() -> Mapping[str, Rule]:
    from ..checks.registry import RULES

    return RULES

"""`agentc graph`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .common import PROJECT_PATH

if TYPE_CHECKING:
    from ..drawing import Picture


@click.command("graph")
@PROJECT_PATH
@click.option("--agent", "names", multiple=True, help="Only this agent; may be repeated.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["mermaid", "svg", "html"]),
    default="mermaid",
    show_default=True,
    help="`html` is one page that needs nothing else.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not to the terminal."
)
def command(path: Path, names: tuple[str, ...], format_: str, out: Path | None) -> int:
    """Draw agents: states, tools, hosts, labels and approvals, and in red the flows that break a rule.

    PATH is a project, or a bundle, of which is drawn what it lets its agent do in its default environment.

    Exit code 1: the project has errors. What can be drawn is drawn all the same.

    \b
    Example:
      agentc graph support --format html --out graph.html
    """
    from agentc_runtime.bundle import MANIFEST
    from agentc_runtime.verify import BundleError, read_bundle

    from ..drawing import picture_of_bundle
    from ..drawing.project import picture_of
    from . import InputError
    from .common import choose_agent, chosen_agents, compile_project, report_errors

    if (path / MANIFEST).exists() or path.is_file():
        try:
            bundle = read_bundle(path)
        except BundleError as error:
            raise InputError(f"`{path}` is not a bundle that can be read: {error}") from error
        _write([picture_of_bundle(bundle, bundle.program.default_environment)], format_, out)
        return 0
    result = compile_project(path)
    if not result.program.agents:
        report_errors(result)
        raise InputError("the project has no agent that can be drawn")
    chosen = chosen_agents(result, names)
    if format_ == "svg" and len(chosen) > 1:
        choose_agent(result, None)
    pictures = [picture_of(result.program, agent, result.diagnostics) for agent in chosen]
    _write(pictures, format_, out)
    if not result.ok:
        report_errors(result)
        return 1
    return 0


def _write(pictures: list[Picture], format_: str, out: Path | None) -> None:
    from ..drawing import as_html, as_mermaid, as_svg
    from . import InputError

    if format_ == "html":
        text = as_html(pictures)
    elif format_ == "svg":
        text = as_svg(pictures[0])
    else:
        text = "\n".join(as_mermaid(picture) for picture in pictures)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"can't write `{out}`: {error.strerror}") from error
    click.echo(f"wrote {out}", err=True)

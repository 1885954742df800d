"""`agentc dashboards`."""

from __future__ import annotations

from pathlib import Path

import click

from .common import PROJECT_PATH


@click.command("dashboards")
@PROJECT_PATH
@click.option("--agent", "names", multiple=True, help="Only this agent; may be repeated.")
@click.option(
    "--out",
    default="dashboards",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into.",
)
@click.option(
    "--runbook", metavar="URL", help="Where what `agentc docs` writes can be read: alerts link to it."
)
def command(path: Path, names: tuple[str, ...], out: Path, runbook: str | None) -> int:
    """Write a Grafana dashboard and Prometheus alert rules for each agent.

    AGENT.dashboard.json is imported into Grafana or provisioned; AGENT.rules.yaml is a rule file of
    Prometheus, with an alert for each objective in the agent's `slos`. Both use the metrics that runs have
    with `agentc run --otel`. Exit code 1: the project has errors; nothing is written.

    \b
    Example:
      agentc dashboards specs/support --out build/dashboards
    """
    from ..operations.alerts import alert_rules
    from ..operations.grafana import dashboard
    from .common import chosen_agents, compile_project, report_errors, write_files

    result = compile_project(path)
    if not result.ok:
        report_errors(result)
        return 1
    files: dict[str, str] = {}
    for agent in chosen_agents(result, names):
        name = agent.resource.name
        files[f"{name}.dashboard.json"] = dashboard(agent)
        url = None if runbook is None else f"{runbook.rstrip('/')}/{name}.runbook.md"
        files[f"{name}.rules.yaml"] = alert_rules(agent, url)
        if agent.spec.slos is None:
            click.echo(f"agent `{name}` states no `slos`: its rule file has no alert", err=True)
    write_files(out, files)
    return 0

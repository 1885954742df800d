"""Prometheus alert rules for an agent's objectives."""

from __future__ import annotations

import yaml

from ..program import Agent
from .objectives import Objective, objectives

#: How long an objective is missed before somebody is told.
FOR = "5m"


def alert_rules(agent: Agent, runbook: str | None = None) -> str:
    """A rule file, as YAML: one alert for each objective. `runbook` is the URL of the agent's runbook."""
    name = agent.resource.name
    slos = agent.spec.slos
    found = () if slos is None else tuple(objectives(name, slos))
    rules = [_rule(agent, objective, runbook) for objective in found]
    groups = {"groups": [{"name": f"agentc-{name}", "rules": rules}]}
    text: str = yaml.safe_dump(groups, sort_keys=False, allow_unicode=True, width=1000)
    return text


def _rule(agent: Agent, objective: Objective, runbook: str | None) -> dict[str, object]:
    metadata = agent.resource.metadata
    said = f"{objective.title}: {{{{ $value }}}}, and `slos.{objective.key}` says {objective.target}."
    annotations = {
        "summary": f"{agent.resource.name}: {objective.said}",
        "description": said,
    }
    if runbook is not None:
        annotations["runbook_url"] = f"{runbook}#{anchor(objective)}"
    return {
        "alert": f"Agentc{objective.alert}",
        "expr": f"{objective.expression} {objective.beyond} {objective.target}",
        "for": FOR,
        "labels": {"severity": "warning", "agent": agent.resource.name, "owner": _literal(metadata.owner)},
        "annotations": annotations,
    }


def _literal(text: str) -> str:
    """`text` as Prometheus, which renders labels as templates, gives it back."""
    return text.replace("{{", '{{"{{"}}')


def anchor(objective: Objective) -> str:
    """The heading of the runbook that is about the objective, as a link names it."""
    return objective.title.lower().replace(" ", "-")

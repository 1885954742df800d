"""A Grafana dashboard for an agent: what its runs do, and its objectives as lines in it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agentc_runtime.telemetry import names

from ..program import Agent
from . import objectives as promql
from .objectives import Objective, objectives

#: Grafana's own variables: the data source, the environment, and a window that fits the zoom.
SOURCE, ENVIRONMENT, WINDOW = "${source}", "$environment", "$__rate_interval"
_WIDTH, _HEIGHT = 8, 8


@dataclass(frozen=True)
class Panel:
    """One panel: its queries with their legends, and the objectives that are lines in it."""

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    objectives: tuple[str, ...] = ()


def panels(agent: str) -> tuple[Panel, ...]:
    """Every panel, from what a person looks at first."""
    labels = promql.selector(agent, f'{names.label(names.ENVIRONMENT)}=~"{ENVIRONMENT}"')
    # the conventions' metrics of model turns do not say the environment
    models = promql.selector(agent)

    def by(label: str, metric: str, of: str = labels) -> tuple[tuple[str, str]]:
        name = names.label(label)
        return ((f"sum by ({name}) (rate({metric}{{{of}}}[{WINDOW}]))", f"{{{{{name}}}}}"),)

    def times(metric: names.Metric, of: str = labels) -> tuple[tuple[str, str], ...]:
        return tuple((promql.quantile(f"0.{p}", metric, of, WINDOW), f"p{p}") for p in ("50", "95"))

    def one(expression: str, legend: str = "share") -> tuple[tuple[str, str]]:
        return ((expression, legend),)

    runs, cost = f"{names.RUN_DURATION.exposed}_count", names.RUN_COSTS.exposed
    answered = promql.calls("returned", "returned|failed", labels, WINDOW)
    refused = promql.calls("refused", ".+", labels, WINDOW)
    eval_name = names.label(names.EVALUATION_NAME)
    passed = f"max by ({eval_name}) ({names.EVAL_PASS_RATE.exposed}{{{labels}}})"
    return (
        Panel("Runs", by(names.RUN_STATUS, runs), "reqps"),
        Panel("Runs that succeed", one(promql.run_success(labels, WINDOW)), "percentunit", ("success",)),
        Panel("Latency", times(names.RUN_DURATION), "s", ("latency.p50", "latency.p95")),
        Panel("Runs under way", one(f"sum({names.RUNS_ACTIVE.exposed}{{{labels}}})", "runs")),
        Panel("Tool calls", by(names.OUTCOME, names.TOOL_CALLS.exposed), "reqps"),
        Panel("Tool calls answered", one(answered), "percentunit", ("tool_success",)),
        Panel("Time of tool calls", times(names.TOOL_DURATION), "s"),
        Panel("Refusals by rule", by(names.REFUSAL_CODE, names.REFUSALS.exposed), "reqps"),
        Panel("Tool calls refused", one(refused), "percentunit", ("refusals",)),
        Panel("Approvals waiting", one(promql.waiting(labels), "waiting"), "short", ("approvals_waiting",)),
        Panel("Decisions", by(names.OUTCOME, names.APPROVALS.exposed), "reqps"),
        Panel("Time to decide", times(names.APPROVAL_DURATION), "s", ("approval_time",)),
        Panel(
            "Structured answers that fit",
            one(promql.valid_output(labels, WINDOW)),
            "percentunit",
            ("valid_output",),
        ),
        Panel(
            "Cost per success",
            one(promql.cost_per_success(labels, "$__range"), "US dollars"),
            "currencyUSD",
            ("cost_per_success_usd",),
        ),
        Panel("Cost of an hour", one(f"sum(increase({cost}{{{labels}}}[1h]))", "US dollars"), "currencyUSD"),
        Panel("Tokens", by(names.TOKEN_TYPE, f"{names.TOKEN_USAGE.exposed}_sum", models)),
        Panel(
            "Tokens per run",
            one(promql.tokens_per_run(models, "$__range"), "tokens"),
            "short",
            ("tokens_per_run",),
        ),
        Panel("Time of model turns", times(names.OPERATION_DURATION, models), "s"),
        Panel("Time to the first chunk", times(names.FIRST_CHUNK, models), "s"),
        Panel("Time between chunks", times(names.OUTPUT_CHUNK, models), "s"),
        Panel("New tries", by(names.RETRY_OF, names.RETRIES.exposed), "reqps"),
        Panel("Evals", one(passed, f"{{{{{eval_name}}}}}"), "percentunit"),
        Panel(
            "Eval drift",
            one(promql.eval_drift(labels), f"{{{{{eval_name}}}}}"),
            "percentunit",
            ("eval_drift",),
        ),
    )


def dashboard(agent: Agent) -> str:
    """The dashboard as JSON, to be imported or provisioned. It has no id, so that Grafana finds its own."""
    name = agent.resource.name
    slos = agent.spec.slos
    stated = {} if slos is None else {one.key: one for one in objectives(name, slos)}
    board = {
        "uid": f"agentc-{name}"[:40],
        "title": f"Agent {name}",
        "description": agent.resource.metadata.description or "",
        "tags": ["agentc"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), _environment(name)]},
        "panels": [_panel(number, panel, stated) for number, panel in enumerate(panels(name))],
    }
    return json.dumps(board, indent=2, ensure_ascii=False) + "\n"


def _source() -> dict[str, object]:
    return {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _environment(agent: str) -> dict[str, object]:
    metric = f"{names.RUN_DURATION.exposed}_count{{{promql.selector(agent)}}}"
    return {
        "name": "environment",
        "label": "Environment",
        "type": "query",
        "datasource": {"type": "prometheus", "uid": SOURCE},
        "query": f"label_values({metric}, {names.label(names.ENVIRONMENT)})",
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "refresh": 2,
    }


def _panel(number: int, panel: Panel, stated: dict[str, Objective]) -> dict[str, object]:
    source = {"type": "prometheus", "uid": SOURCE}
    lines = [stated[key] for key in panel.objectives if key in stated]
    steps: list[dict[str, object]] = [{"color": "green", "value": None}]
    if lines and lines[0].beyond == "<":
        steps = [{"color": "red", "value": None}, {"color": "green", "value": float(lines[0].target)}]
    steps += [{"color": "red", "value": float(one.target)} for one in lines if one.beyond == ">"]
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": "; ".join(f"objective: {one.said}" for one in lines),
        "datasource": source,
        "gridPos": {"x": number % 3 * _WIDTH, "y": number // 3 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "custom": {"thresholdsStyle": {"mode": "line" if lines else "off"}},
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "targets": [
            {"refId": chr(65 + index), "datasource": source, "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(panel.queries)
        ],
    }

"""Dashboards and alerts: Prometheus takes them, they use what is measured, they go off when they have to."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentc.operations.alerts import alert_rules
from agentc.operations.grafana import dashboard, panels
from agentc.operations.objectives import objectives
from agentc.syntax.agent import SlosSpec
from agentc_runtime.telemetry import names

#: What is in the text of Prometheus for each instrument; a test of the runtime proves that it is.
EXPOSED = {
    metric.exposed + suffix
    for metric in names.METRICS
    for suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
LABELS = {
    names.label(value) for name, value in vars(names).items() if name.isupper() and isinstance(value, str)
} | {"le"}
NAME = re.compile(r"\b([a-z][a-z0-9_]+)\{")
LABEL = re.compile(r"([a-z_]+)(?:=~?\")")
RUN = names.RUN_DURATION.exposed
BY = re.compile(r"by \(([a-z_, ]+)\)")


def queries() -> list[str]:
    return [expression for panel in panels("triage") for expression, _ in panel.queries]


def test_rules_and_dashboard_of_an_agent(project: Any, snapshot: Any) -> None:
    agent = project().program.agents["triage"]
    assert alert_rules(agent, "https://wiki.example/runbooks/triage.md") == snapshot
    assert dashboard(agent) == snapshot


def test_whatever_they_ask_for_is_measured(project: Any) -> None:
    agent = project().program.agents["triage"]
    rules = yaml.safe_load(alert_rules(agent))["groups"][0]["rules"]
    asked = [rule["expr"] for rule in rules] + queries()
    assert len(asked) > 30
    for expression in asked:
        found = set(NAME.findall(expression))
        assert found, expression
        assert found - EXPOSED == set()
        labels = set(LABEL.findall(expression))
        labels |= {name.strip() for group in BY.findall(expression) for name in group.split(",")}
        assert labels - LABELS == set()


def test_every_metric_is_on_the_dashboard() -> None:
    shown = "\n".join(queries())
    missing = {metric.exposed for metric in names.METRICS if metric.exposed not in shown}
    assert missing == set()


def test_every_objective_has_an_alert_and_a_line(project: Any) -> None:
    agent = project().program.agents["triage"]
    stated = {objective.key for objective in objectives("triage", agent.spec.slos)}
    possible = {"latency.p50", "latency.p95"} | (SlosSpec.model_fields.keys() - {"window", "latency"})
    assert stated == possible
    assert {key for panel in panels("triage") for key in panel.objectives} == possible
    board = json.loads(dashboard(agent))
    lines = [panel for panel in board["panels"] if panel["description"].startswith("objective")]
    assert len(lines) == len(possible) - 1  # both of the latency are in one


def test_an_agent_without_objectives(project: Any) -> None:
    agent = project("").program.agents["triage"]
    assert yaml.safe_load(alert_rules(agent)) == {"groups": [{"name": "agentc-triage", "rules": []}]}
    board = json.loads(dashboard(agent))
    assert all(panel["description"] == "" for panel in board["panels"])


# --- by Prometheus itself ----------------------------------------------------------------------------------


def test_prometheus_takes_the_rules(project: Any, promtool: Any, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(alert_rules(project().program.agents["triage"]))
    checked = promtool("check", "rules", "rules.yaml")
    assert checked.code == 0, checked.said
    assert "11 rules found" in checked.said


def test_prometheus_takes_every_query_of_the_dashboard(promtool: Any, tmp_path: Path) -> None:
    variables = {"$__rate_interval": "5m", "$__range": "1d", "$environment": ".*"}
    rules = []
    for number, query in enumerate(queries()):
        expression = query
        for name, value in variables.items():
            expression = expression.replace(name, value)
        rules.append({"record": f"query:{number}", "expr": expression})
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    checked = promtool("check", "rules", "rules.yaml")
    assert checked.code == 0, checked.said


def counted(metric: str, labels: str, step: float, start: float = 0) -> dict[str, str]:
    return {"series": f'{metric}{{gen_ai_agent_name="triage",{labels}}}', "values": f"{start}+{step}x60"}


def runs(succeeded: float, failed: float) -> list[dict[str, str]]:
    steps = {"succeeded": succeeded, "failed": failed}
    return [
        counted(f"{RUN}_count", f'agentc_run_status="{name}"', step) for name, step in steps.items() if step
    ]


def slower_than(metric: str, bound: str) -> list[dict[str, str]]:
    return [counted(f"{metric}_bucket", f'le="{bound}"', 0), counted(f"{metric}_bucket", 'le="+Inf"', 1)]


def faster_than(metric: str, bound: str) -> list[dict[str, str]]:
    return [counted(f"{metric}_bucket", f'le="{bound}"', 1), counted(f"{metric}_bucket", 'le="+Inf"', 1)]


def calls(**outcomes: float) -> list[dict[str, str]]:
    metric = "agentc_tool_calls_total"
    return [counted(metric, f'agentc_outcome="{name}"', step) for name, step in outcomes.items()]


def checks(valid: float, invalid: float) -> list[dict[str, str]]:
    metric, steps = "agentc_output_checks_total", {"true": valid, "false": invalid}
    return [counted(metric, f'agentc_output_valid="{name}"', step) for name, step in steps.items() if step]


def waiting(count: int) -> list[dict[str, str]]:
    return [{"series": 'agentc_approvals_waiting{gen_ai_agent_name="triage"}', "values": f"{count}x60"}]


def costs(dollars: float) -> list[dict[str, str]]:
    return [counted("agentc_run_costs_total", "", dollars)]


def tokens(count: float) -> list[dict[str, str]]:
    return [counted("gen_ai_client_token_usage_sum", "", count)]


def evals(before: str, now: str) -> list[dict[str, str]]:
    name = 'agentc_eval_pass_rate{gen_ai_agent_name="triage",gen_ai_evaluation_name="golden"}'
    return [{"series": name, "values": f"{before}x50 {now}x10"}]


@pytest.mark.parametrize(
    ("alert", "missed", "met"),
    [
        ("LatencyP50", slower_than(RUN, "20"), faster_than(RUN, "5")),
        ("LatencyP95", slower_than(RUN, "90"), faster_than(RUN, "50")),
        ("Success", runs(8, 2), runs(19, 1)),
        ("Success", runs(0, 2), runs(2, 0)),
        ("ToolSuccess", calls(returned=9, failed=1), calls(returned=9, refused=9)),
        ("ToolSuccess", calls(failed=1), calls(returned=1)),
        ("ValidOutput", checks(8, 2), checks(19, 1)),
        ("ValidOutput", checks(0, 2), checks(2, 0)),
        ("Refusals", calls(returned=3, refused=1), calls(returned=9, refused=1)),
        ("ApprovalsWaiting", waiting(4), waiting(3)),
        (
            "ApprovalTime",
            slower_than(names.APPROVAL_DURATION.exposed, "7200"),
            faster_than(names.APPROVAL_DURATION.exposed, "1800"),
        ),
        ("CostPerSuccess", [*runs(1, 1), *costs(0.06)], [*runs(2, 1), *costs(0.06)]),
        ("CostPerSuccess", [*runs(0, 1), *costs(0.01)], runs(0, 1)),
        ("TokensPerRun", [*runs(1, 1), *tokens(11000)], [*runs(1, 1), *tokens(9000)]),
        ("EvalDrift", evals("1", "0.8"), evals("0.9", "0.9")),
    ],
)
def test_an_alert_goes_off_when_its_objective_is_missed_and_only_then(
    project: Any, promtool: Any, tmp_path: Path, alert: str, missed: Any, met: Any
) -> None:
    (tmp_path / "rules.yaml").write_text(alert_rules(project().program.agents["triage"]))
    alerts = yaml.safe_load((tmp_path / "rules.yaml").read_text())["groups"][0]["rules"]
    (rule,) = [rule for rule in alerts if rule["alert"] == f"Agentc{alert}"]
    # only the alert that it is about: what is missed may miss another objective as well
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
    for series, fires in ((missed, True), (met, False)):
        expected = promtool_test(alert, series, [])
        (tmp_path / "test.yaml").write_text(yaml.safe_dump(expected))
        tested = promtool("test", "rules", "test.yaml")
        assert (tested.code != 0) is fires, tested.said
        if fires:
            assert f"Agentc{alert}" in tested.said.partition("got:")[2]
            # labels of rules are templates: what a spec says is no part of one
            assert "support {{ team }}" in tested.said


def promtool_test(alert: str, series: list[dict[str, str]], alerts: list[object]) -> dict[str, object]:
    return {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "alert_rule_test": [
                    {"eval_time": "59m", "alertname": f"Agentc{alert}", "exp_alerts": alerts}
                ],
            }
        ],
    }

"""Our names against the list that is published."""

from __future__ import annotations

import inspect

import pytest
from opentelemetry.semconv._incubating import attributes as incubating
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import (
    code_attributes,
    error_attributes,
    http_attributes,
    server_attributes,
    service_attributes,
)

from agentc_runtime.telemetry import names

assert incubating
OURS = {
    name: value
    for name, value in vars(names).items()
    if name.isupper() and isinstance(value, str) and "." in value and not name.startswith("_")
}
#: What the conventions had before, and no more.
OLD = {"gen_ai.system", "gen_ai.prompt", "gen_ai.completion", "gen_ai.usage.prompt_tokens"}


def published(*modules: object) -> set[str]:
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }


def test_attributes_of_the_conventions_are_published_under_these_names():
    ours = {value for value in OURS.values() if value.startswith("gen_ai.")}
    assert len(ours) > 25
    assert ours - published(gen_ai_attributes) == set()
    assert not ours & OLD


def test_general_attributes_are_published_under_these_names():
    from opentelemetry.semconv._incubating.attributes import deployment_attributes

    known = published(
        error_attributes,
        server_attributes,
        http_attributes,
        code_attributes,
        service_attributes,
        deployment_attributes,
    )
    others = {value for value in OURS.values() if not value.startswith(("gen_ai.", "agentc."))}
    assert others - known == set()


def test_our_own_names_are_in_our_own_space_and_stand_once():
    assert len(set(OURS.values())) == len(OURS)


@pytest.mark.parametrize(
    "metric", [metric for metric in names.METRICS if metric.name.startswith("gen_ai.")], ids=lambda m: m.name
)
def test_metrics_of_the_conventions_are_made_as_published(metric):
    from opentelemetry.sdk.metrics import MeterProvider

    constant = next(name for name, value in vars(gen_ai_metrics).items() if value == metric.name)
    theirs = getattr(gen_ai_metrics, f"create_{constant.lower()}")(MeterProvider().get_meter("oracle"))
    assert (theirs.name, theirs.unit) == (metric.name, metric.unit)
    assert metric.kind == "histogram"
    assert list(metric.buckets) == sorted(metric.buckets)


def test_operations_and_providers_are_published_values():
    operations = {member.value for member in gen_ai_attributes.GenAiOperationNameValues}
    ours = {names.CHAT, names.EXECUTE_TOOL, names.INVOKE_AGENT, names.INVOKE_WORKFLOW}
    assert ours - operations == set()
    providers = {member.value for member in gen_ai_attributes.GenAiProviderNameValues}
    assert set(names.PROVIDERS.values()) - providers == set()


def test_this_module_holds_every_name():
    """No other module of telemetry writes one out."""
    from pathlib import Path

    folder = Path(inspect.getfile(names)).parent
    for path in folder.glob("*.py"):
        if path.name != "names.py":
            text = path.read_text()
            assert '"gen_ai.' not in text, path
            assert '"agentc.' not in text, path

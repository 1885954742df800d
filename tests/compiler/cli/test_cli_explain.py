"""`agentc explain`: every code, in words and as data."""

from __future__ import annotations

import json

import pytest

from agentc.checks.registry import RULES
from agentc_runtime.refusals import RULES as REFUSALS


@pytest.mark.parametrize("code", RULES)
def test_a_rule_of_the_compiler(agentc, code):
    done = agentc("explain", code.lower())
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{code} {RULES[code].name}: {RULES[code].title} ({RULES[code].level})\n")
    assert f"# <- {code}" in done.out or "Fails:" in done.out
    assert json.loads(agentc("explain", code, "--format", "json").out) == RULES[code]._asdict()


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_of_the_runtime(agentc, code):
    done = agentc("explain", code)
    assert (done.code, done.err) == (0, "")
    assert REFUSALS[code].title in done.out
    assert "Fix: " in done.out
    assert json.loads(agentc("explain", code, "--format", "json").out)["code"] == code


def test_the_list_holds_every_rule(agentc):
    done = agentc("explain")
    assert done.code == 0
    for rule in [*RULES.values(), *REFUSALS.values()]:
        assert f"  {rule.code}  " in done.out
    listed = json.loads(agentc("explain", "--format", "json").out)
    assert [row["code"] for row in listed] == [*sorted(RULES), *REFUSALS]

"""Each rule about a change: to `bad` it is found on the marked line, and back to `good` it is taken away."""

from __future__ import annotations

import pytest

from agentc.checks.base import example_files
from agentc.checks.registry import RULES
from agentc.diagnostics import is_about_change
from agentc.diff.values import MIRRORED

#: AC917 is about versions, and is tested with them.
ABOUT_CHANGE = [rule for rule in RULES.values() if is_about_change(rule.code) and rule.code != "AC917"]


@pytest.mark.parametrize("rule", ABOUT_CHANGE, ids=lambda rule: rule.code)
def test_a_rule_is_found_in_its_example_and_nothing_else(rule, differ):
    found = [change for change in differ(rule.good, rule.bad).changes if change.widens]
    # a new agent is listed with all that it may do, and to do without a document a rule has to be weakened
    about = {rule.code, *BESIDES.get(rule.code, ())}
    assert rule.code in {change.code for change in found}
    assert {change.code for change in found} == about, found
    marked = {
        (name, number)
        for name, text in example_files(rule.bad).items()
        for number, line in enumerate(text.splitlines(), 1)
        if f"# <- {rule.code}" in line
    }
    assert {(one.now.file, one.now.line) for one in found if one.code == rule.code} == marked


BESIDES = {"AC901": ("AC902", "AC911", "AC912", "AC914"), "AC919": ("AC904",)}
#: What can't be compared is wider both ways.
COMPARED = [rule for rule in ABOUT_CHANGE if rule.code != "AC919"]


@pytest.mark.parametrize("rule", COMPARED, ids=lambda rule: rule.code)
def test_the_way_back_says_the_opposite(rule, differ):
    there, back = differ(rule.good, rule.bad), differ(rule.bad, rule.good)
    assert {(MIRRORED[one.how], one.code, one.subject, one.what) for one in there.changes} == {
        (one.how, one.code, one.subject, one.what) for one in back.changes
    }
    assert there.digest != back.digest


@pytest.mark.parametrize("rule", ABOUT_CHANGE, ids=lambda rule: rule.code)
def test_nothing_changed_is_no_difference(rule, differ):
    assert differ(rule.bad, rule.bad).changes == ()


def test_what_can_not_be_decided_counts_as_wider_and_says_why(grants):
    old, new = (f"where: {{ currency: {{ {limit} }} }}" for limit in ("pattern: '.*@.*'", "format: email"))
    (change,) = grants(old, new).widenings
    assert (change.code, change.witness) == ("AC903", None)
    assert change.unclear != ""

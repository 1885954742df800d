"""Labels, strict JSON and quoting: laws."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.labels import NOTHING_READ, ORDER, Label, allows, join
from agentc_runtime.quoting import clipped, shortened, shown, visible
from agentc_runtime.strictjson import StrictJsonError, check, parse

LABELS = st.builds(Label, trust=st.sampled_from(["trusted", "untrusted"]), sensitivity=st.sampled_from(ORDER))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(LABELS, LABELS, LABELS)
def test_join_is_a_least_upper_bound(a, b, c):
    assert join(a, b) == join(b, a)
    assert join(a, join(b, c)) == join(join(a, b), c) == join(a, b, c)
    assert join(a, a) == join(a) == join(NOTHING_READ, a) == a
    assert ORDER.index(join(a, b).sensitivity) == max(ORDER.index(a.sensitivity), ORDER.index(b.sensitivity))
    assert (join(a, b).trust == "trusted") == (a.trust == b.trust == "trusted")


@given(LABELS, LABELS, st.sampled_from(ORDER))
def test_what_may_see_the_whole_may_see_the_parts(a, b, limit):
    assert allows(limit, join(a, b)) == (allows(limit, a) and allows(limit, b))


@given(JSON)
def test_strict_json_reads_what_json_reads(value):
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False)) == value
    check(value)


@given(st.text(alphabet='{}[]":,0123eE+-.\\u ntrfalse') | st.text())
def test_strict_json_is_stricter_never_different(text):
    try:
        value = parse(text)
    except StrictJsonError:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**64, "\ud800", {"\udfff": 1}, object(), (1,)])
def test_check_refuses_what_is_not_json(value):
    for nested in (value, [value], {"a": [value]}):
        with pytest.raises(StrictJsonError):
            check(nested)


def test_depth():
    assert parse("[" * 64 + "]" * 64)
    for text in ("[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65):
        with pytest.raises(StrictJsonError, match="deeper"):
            parse(text)


@given(st.text(alphabet=st.characters(codec=None)))
def test_visible_text_has_nothing_hidden(text):
    assert "\x1b" not in visible(text)
    assert len(shortened(text)) <= 201
    visible(text).encode()
    json.dumps(shown(text)).encode()


def test_clipped_keeps_small_values():
    for value in (None, True, 5, 1.5, "x"):
        assert clipped(value) is value
    assert len(str(clipped({"a": "x" * 10_000}))) < 300
    assert clipped(10**5000) == "a very large number"

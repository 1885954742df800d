"""The quick way to read arguments and the slow one say the same of every text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentc_runtime.strictjson import MAX_DEPTH, StrictJsonError, parse

numbers = st.one_of(
    st.integers(), st.integers(-(2**65), 2**65), st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(2**54), 2**54).map(float),
)  # fmt: skip
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text('ab"\\ é\n', max_size=4))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
)
fragments = st.lists(
    st.sampled_from(
        [*'{}[]:,"-+.eE019 \n\t', '"a"', '"b":', '"a":1', "true", "null", "NaN", "1e400", "-0", "1.0"]
    ),
    max_size=14,
).map("".join)


@st.composite
def objects_with_repeats(draw: Any) -> str:
    pairs = draw(st.lists(st.tuples(st.sampled_from(["a", "b", ""]), values), max_size=4))
    return "{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}"


def said(text: str, *, slowly: bool) -> Any:
    """What `parse` says; a key that is not ASCII around the text keeps it off the quick way."""
    try:
        value = parse(f'{{"é": {text}}}') if slowly else parse(text)
    except StrictJsonError:
        return StrictJsonError
    assert not slowly or isinstance(value, dict)
    inner = value["é"] if slowly else value
    return json.dumps(inner), repr(inner)


@settings(max_examples=2000)
@given(st.one_of(objects_with_repeats(), values.map(json.dumps), fragments))
@example('{"a": 1, "a": "b"}')
@example('{"a": {"b": "", "b": ""}}')
@example('{"a": "x", "a": {"b": "c"}}')
@example('{"a": -0, "b": -0.0, "c": 1E2, "d": 1e16, "e": 9007199254740993.0}')
@example('{"a": 18446744073709551616}')
@example('{"a": 9223372036854775808}')
@example('{"a": 1} {"b": 2}')
@example('{"a": "\x01"}')
@example('{"a": 01}')
@example('{"a": 1,}')
@example("[1, 2.0, {}]")
def test_both_ways_agree(text: str) -> None:
    if text.count("}") > text.count("{"):
        return  # such a text would close what is around it
    assert said(text, slowly=False) == said(text, slowly=True)


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1])
def test_depth_is_bounded_on_both_ways(depth: int) -> None:
    text = '{"a":' * depth + "1" + "}" * depth
    if depth > MAX_DEPTH:
        with pytest.raises(StrictJsonError, match="nested deeper"):
            parse(text)
    else:
        assert json.dumps(parse(text)) == json.dumps(json.loads(text))

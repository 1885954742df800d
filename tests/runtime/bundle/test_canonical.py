"""Canonical JSON against the `rfc8785` package, and against the examples of the RFC itself."""

from __future__ import annotations

import json
import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.canonical import MAX_DEPTH, canonical, parse
from agentc_runtime.canonical import _quickly_parsed as quickly_parsed
from agentc_runtime.canonical import _write as write

SAFE = 2**53 - 1
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(values)
def test_agrees_with_the_reference_implementation(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.integers(0, 2**64 - 1))
def test_every_double_is_written_as_ecmascript_writes_it(bits: int) -> None:
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    if math.isfinite(value):
        assert canonical(value) == rfc8785.dumps(value)
        assert float(canonical(value)) == value


@given(values)
def test_what_was_written_is_read_back_and_written_the_same(value: object) -> None:
    data = canonical(value)
    assert canonical(parse(data)) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (5e-324, "5e-324"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (1e21, "1e+21"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (333333333.3333332, "333333333.3333332"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (0.0000033333333333333333, "0.0000033333333333333333"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.2, "1424953923781206.2"),
    ],
)
def test_numbers_of_appendix_b(value: float, text: str) -> None:
    assert canonical(value).decode() == text


@pytest.mark.parametrize("value", [2**53, 2**63 - 1, -(2**63), 2**64, 10**40])
def test_integers_beyond_doubles_are_exact(value: int) -> None:
    assert canonical({"maximum": value}) == b'{"maximum":%d}' % value
    assert parse(canonical(value)) == value


def test_keys_are_sorted_by_utf16_code_units() -> None:
    """The example of RFC 8785 3.2.3: U+1F600 sorts before U+FB33, although its code point is larger."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert ordered == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_tuples_are_arrays() -> None:
    assert canonical({"a": (1, ("b",), ())}) == b'{"a":[1,["b"],[]]}'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, math.nan]}, r"`nan` at `\$.a\[1\]`"),
        ({"a": -math.inf}, r"`-inf` at `\$.a`"),
        ("\ud800", r"string at `\$` has a lone surrogate"),
        ({"a": {"x\udc00": 1}}, r"string at `\$.a.x\\udc00` has a lone surrogate"),
        ({1: 2}, r"key `1` at `\$` is not a string"),
        ({"a": b"raw"}, r"`bytes` at `\$.a` is not JSON"),
        ({"a": {1, 2}}, r"`set` at `\$.a`"),
        ([10**5000], r"integer at `\$\[0\]` has too many digits"),
    ],
)
def test_what_json_can_not_say_is_refused_with_its_path(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        canonical(value)


def test_nesting_is_bounded() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    canonical(value)
    with pytest.raises(ValueError, match="nested deeper"):
        canonical([value])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"{} ", "not canonical"),
        (b'{"b":1,"a":2}', "not canonical"),
        (b'{"a":1,"a":1}', "not canonical"),
        (b"1.0", "not canonical"),
        (b"1e400", "not a JSON number"),
        (b"NaN", "not a JSON number"),
        (b'"\\u0061"', "not canonical"),
        (b'"\\ud800"', "lone surrogate"),
        (b"[" * 100_000, "nested deeper"),
        (b"1" * 5000, "an integer has too many digits"),
    ],
)
def test_any_other_spelling_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(data)


@given(values, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=2))
def test_the_fast_way_reads_nothing_that_the_slow_one_refuses(
    value: object, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(canonical(value))
    for place, byte in changes:
        data[place % len(data)] = byte
    quick = quickly_parsed(bytes(data))
    if quick is not None:
        slow: list[str] = []
        write(json.loads(bytes(data)), None, 0, slow)
        assert "".join(slow).encode() == bytes(data)
        assert json.loads(bytes(data)) == quick


def test_the_fast_way_is_taken_and_knows_its_limits() -> None:
    long = {"names": [{"name": f"grün {number}", "size": number} for number in range(500)]}
    assert quickly_parsed(canonical(long)) == long
    for depth, known in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False)):
        nested = b"[" * depth + b"]" * depth
        many = b"[" + b",".join([b"[]"] * 500) + b"," + nested[1:-1] + b"]"
        assert (quickly_parsed(nested) is not None) == known
        assert (quickly_parsed(many) is not None) == known
    for text in ('{"\U00010000":1,"\ue000":2}', '{"b":1,"a":2}', "1.0", '"\\u0061"'):
        assert quickly_parsed(text.encode()) is None

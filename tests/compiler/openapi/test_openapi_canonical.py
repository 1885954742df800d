"""Canonical YAML: it says what was said, in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc.openapi.canonical import MAX_DEPTH, canonical_yaml
from agentc.openapi.yamldata import compose

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    "a \n:#-'\"|>\t\r", max_size=12
)
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(_VALUES)
def test_any_value_reads_back_as_it_was(value: object) -> None:
    text = canonical_yaml(value)
    assert compose(text.encode())[0] == value


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(_TEXT, _SCALARS, min_size=2, max_size=5))
def test_the_order_of_keys_changes_nothing(value: dict[str, object]) -> None:
    assert canonical_yaml(dict(reversed(value.items()))) == canonical_yaml(value)


def test_lines_of_a_text_stay_lines() -> None:
    value = {"paths": {"/a/{id}": {"get": {"description": "One.\n\nTwo: 2.", "tags": ["a b", "no", "1"]}}}}
    assert canonical_yaml(value) == (
        "paths:\n"
        "  /a/{id}:\n"
        "    get:\n"
        "      description: |-\n"
        "        One.\n"
        "\n"
        "        Two: 2.\n"
        "      tags:\n"
        "        - a b\n"
        '        - "no"\n'
        '        - "1"\n'
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("safe\u202eevil", '"safe\\u202eevil"'),
        ("zero\u200bwidth", '"zero\\u200bwidth"'),
        ("tag\U000e0041", '"tag\\U000e0041"'),
        ("bell\x07", '"bell\\x07"'),
        ("a\n\u2066b", '"a\\n\\u2066b"'),
        ("half\ud800", '"half\\ufffd"'),
        ("größer 東京", "größer 東京"),
    ],
)
def test_what_a_reader_could_not_see_is_escaped(text: str, written: str) -> None:
    assert canonical_yaml({"k": text}) in (f"k: {written}\n", f'k: "{written}"\n')


def test_depth_is_bounded_and_long_keys_can_be_read() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    assert canonical_yaml(deep).count("- ") == MAX_DEPTH + 1
    long = {"k" * 2000: {"a": [1]}}
    assert compose(canonical_yaml(long).encode())[0] == long

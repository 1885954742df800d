"""Rendering: data is only ever written out, bounds hold, and the paths that are read are all named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime import template
from agentc_runtime.expressions import And, Filter, For, If, Not, Or, Predicate, Slot, Text
from agentc_runtime.filters import FILTERS
from agentc_runtime.template import RenderError, paths, render

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abxy"), inner, max_size=3),
    max_leaves=8,
)


def slot(*path: str, filters: tuple[Filter, ...] = ()) -> Slot:
    return Slot(path=path, filters=filters)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        ({"b": [1, "é"]}, '{"b": [1, "é"]}'),
        ("{{ session.secret }} {% for %} ${secrets.x}", "{{ session.secret }} {% for %} ${secrets.x}"),
    ],
)
def test_a_value_is_written_out_and_never_rendered_again(value: object, expected: str) -> None:
    assert render((slot("input", "v"),), {"input": {"v": value}, "session": {"secret": "no"}}) == expected


def test_an_absent_value_is_empty_text() -> None:
    assert render((Text(text="["), slot("input", "a", "b"), Text(text="]")), {"input": {}}) == "[]"


def test_loops_bind_items_stop_at_the_limit_and_restore_outer_names() -> None:
    inner = For(name="x", path=("x", "n"), limit=9, body=(slot("x"), slot("x.loop", "index")))
    loop = For(name="x", path=("input", "l"), limit=2, body=(slot("x", "m"), inner, slot("x.loop", "index0")))
    data = {"input": {"l": [{"m": "a", "n": ["p", "q"]}, {"m": "b"}, {"m": "c"}]}}
    assert render((loop, slot("x")), data) == "ap1q20b1"


@pytest.mark.parametrize("value", ["text", {"a": 1}, None, 3])
def test_only_arrays_are_looped_over(value: object) -> None:
    loop = For(name="x", path=("input", "v"), limit=5, body=(Text(text="!"),))
    assert render((loop,), {"input": {"v": value}}) == ""


def test_paths_name_the_source_of_a_bound_name_and_what_conditions_read() -> None:
    body = (
        slot("x", "n"),
        If(condition=Predicate(path=("x", "k"), op="truthy"), then=(slot("session", "s"),)),
        For(name="y", path=("x", "ys"), limit=1, body=(slot("y", "z"), slot("y.loop", "index"))),
    )
    condition = And(
        conditions=(
            Not(condition=Predicate(path=("input", "p"), op="defined")),
            Or(conditions=(Predicate(path=("input", "q"), op="eq", value=1),)),
        )
    )
    compiled = (
        For(name="x", path=("states", "S", "output"), limit=1, body=body),
        If(condition=condition, then=(), otherwise=(slot("input", "r"),)),
    )
    assert paths(compiled) == {
        ("states", "S", "output"),
        ("session", "s"),
        ("input", "p"),
        ("input", "q"),
        ("input", "r"),
    }


@pytest.mark.parametrize(
    ("compiled", "reason"),
    [
        ((slot("input", "l", filters=(Filter(name="eval"),)),), "no filter `eval`"),
        ((slot("input", "l", filters=(Filter(name="replace"),)),), "can't be put into text"),
        ((slot("input", "bytes"),), "can't be put into text"),
    ],
)
def test_what_can_not_be_rendered_is_a_render_error(compiled: tuple[Slot], reason: str) -> None:
    with pytest.raises(RenderError, match=reason):
        render(compiled, {"input": {"l": [1], "bytes": b""}})


def test_output_work_and_depth_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "MAX_CHARACTERS", 100)
    monkeypatch.setattr(template, "MAX_NODES", 1000)
    data = {"input": {"l": list(range(40)), "s": "x" * 101}}
    with pytest.raises(RenderError, match="characters"):
        render((slot("input", "s"),), data)
    silent = For(name="y", path=("input", "l"), limit=40, body=())
    with pytest.raises(RenderError, match="steps"):
        render((For(name="x", path=("input", "l"), limit=40, body=(silent,)),), data)
    deep: tuple[If | Text, ...] = (Text(text="x"),)
    for _ in range(template.MAX_DEPTH + 1):
        deep = (If(condition=Not(condition=Predicate(path=("input", "z"), op="truthy")), then=deep),)
    with pytest.raises(RenderError, match="deeper"):
        render(deep, data)


@given(value=JSON, literal=st.none() | st.booleans() | st.integers() | st.text())
def test_conditions_and_filters_are_total_over_json(value: object, literal: object) -> None:
    required = {"replace": ("a", "b")}
    compiled = tuple(
        slot("input", "v", "a", filters=(Filter(name=name, arguments=required.get(name, ())),))
        for name in FILTERS
    ) + tuple(
        If(
            condition=Predicate(path=("input", "v"), op=op, value=[literal] if op == "in" else literal),
            then=tuple(
                slot("input", "v", filters=(Filter(name=name, arguments=required.get(name, ())),))
                for name in FILTERS
            ),
        )
        for op in ("truthy", "defined", "eq", "ne", "lt", "le", "gt", "ge", "in")
    )
    assert isinstance(render(compiled, {"input": {"v": value}}), str)

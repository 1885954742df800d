# ruff: noqa: E501  templates as data, one a line
"""The law of templates: what we accept renders as Jinja renders it, with our way to write values."""

from collections.abc import Callable
from functools import wraps

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jinja2 import ChainableUndefined, DictLoader, Environment, Undefined, UndefinedError
from jinja2.runtime import LoopContext
from markupsafe import Markup

from agentc.templates import compile_template
from agentc_runtime import filters
from agentc_runtime.expressions import Schema
from agentc_runtime.template import render
from agentc_runtime.values import ABSENT

TEXT = st.text(alphabet="aB <&'\"é\n{%", max_size=6)
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
TAGS = {"type": "array", "items": STRING}
ITEM = {"type": "object", "properties": {"s": STRING, "n": INTEGER, "t": TAGS}, "additionalProperties": False}
ROOTS: dict[str, Schema] = {
    "input": {
        "type": "object",
        "properties": {"s": STRING, "n": INTEGER, "b": {"type": "boolean"}, "o": ITEM}
        | {"l": {"type": "array", "items": ITEM}, "items": TAGS, "z": {"type": "null"}},
        "additionalProperties": False,
    }
}
ITEMS = st.fixed_dictionaries(
    {}, optional={"s": TEXT, "n": st.integers(-3, 3), "t": st.lists(TEXT, max_size=2)}
)
INPUT = st.fixed_dictionaries(
    {},
    optional={
        "s": TEXT,
        "n": st.integers(-3, 3),
        "b": st.booleans(),
        "z": st.none(),
        "o": ITEMS,
        "l": st.lists(ITEMS, max_size=3),
        "items": st.lists(TEXT, max_size=3),
    },
)


FILTERS = [
    "upper", "lower", "trim", "title", "capitalize", "length", "first", "last", "join", "join(', ')", "tojson", "json",
    "default('d')", "default('d', true)", "default(0, boolean=true)", "truncate(4)", "truncate(3, true, '', 0)",
    "truncate(5, end='~', leeway=1)", "replace('a', '<')", "replace('B', '', 1)", "indent", "indent(2, true)",
    "indent('> ', blank=true)", "trim('a')",
]  # fmt: skip


def text_of(value: object) -> str:
    return filters.text(ABSENT if isinstance(value, Undefined) else value)


def prepared(apply: Callable[..., object], prepare: Callable[[object], object]) -> Callable[..., object]:
    """A filter of Jinja whose value is prepared first; Jinja passes its environment to some before that."""
    at = 1 if hasattr(apply, "jinja_pass_arg") else 0

    @wraps(apply)
    def call(*arguments: object, **named: object) -> object:
        given = [*arguments]
        given[at] = prepare(given[at])
        result = apply(*given, **named)
        return str(result) if isinstance(result, Markup) else result

    return call


class Oracle(Environment):
    """Jinja itself, but data is stepped into by key, and values are written, and given to its filters, as
    we write them."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(undefined=ChainableUndefined, finalize=text_of, loader=DictLoader(files))
        for name in ("capitalize", "indent", "lower", "replace", "title", "trim", "truncate", "upper"):
            self.filters[name] = prepared(
                self.filters[name], lambda value: value if isinstance(value, Undefined) else text_of(value)
            )
        self.filters["join"] = prepared(self.filters["join"], lambda value: [text_of(one) for one in value])
        self.filters["tojson"] = prepared(
            self.filters["tojson"], lambda value: None if isinstance(value, Undefined) else value
        )
        self.filters["json"] = lambda value: filters.json_(ABSENT if isinstance(value, Undefined) else value)

    def getattr(self, obj: object, attribute: str) -> object:
        return getattr(obj, attribute) if isinstance(obj, LoopContext) else self.getitem(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, dict) and argument in obj:
            return obj[argument]
        return self.undefined(obj=obj, name=str(argument))


@st.composite
def paths(draw: st.DrawFn, items: tuple[str, ...], texts: tuple[str, ...]) -> str:
    steps = draw(st.sampled_from([".s", ".n", ".t", "['s']", "[ 'n' ]", ""]))
    roots = ["input.o", *items]
    whole = ["input.s", "input.n", "input.b", "input.items", "input.z", "input['l']", *texts]
    return draw(st.sampled_from(whole + [root + steps for root in roots]))


@st.composite
def conditions(draw: st.DrawFn, items: tuple[str, ...], texts: tuple[str, ...], depth: int = 0) -> str:
    kind = draw(st.sampled_from(["truth", "test", "compare", "in"] + ["not", "and", "or"] * (depth < 2)))
    if kind in ("and", "or"):
        first = draw(conditions(items, texts, depth + 1))
        return f"({first} {kind} {draw(conditions(items, texts, depth + 1))})"
    if kind == "not":
        return f"not ({draw(conditions(items, texts, depth + 1))})"
    path = draw(paths(items, texts))
    if kind == "test":
        return path + draw(
            st.sampled_from([" is defined", " is not defined", " is undefined", " is none", " is not none"])
        )
    if kind == "in":
        return path + draw(
            st.sampled_from([" in ['a', '']", " not in ['a']", " in (1, -2)", " in [none]", " in []"])
        )
    if kind == "compare":
        literal = draw(st.sampled_from(["1", "-1", "''", "'a'", "true", "0.5", "none"]))
        op = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        return draw(st.sampled_from([f"{path} {op} {literal}", f"{literal} {op} {path}"]))
    return path


@st.composite
def bodies(draw: st.DrawFn, items: tuple[str, ...] = (), texts: tuple[str, ...] = (), depth: int = 0) -> str:
    return "".join(draw(statements(items, texts, depth)) for _ in range(draw(st.integers(0, 3))))


@st.composite
def statements(draw: st.DrawFn, items: tuple[str, ...], texts: tuple[str, ...], depth: int) -> str:
    kinds = (
        ["text", "slot", "choice", "space"]
        + ["if", "for", "call", "include"] * (depth < 3)
        + ["loop"] * bool(texts)
    )
    match draw(st.sampled_from(kinds)):
        case "text":
            return draw(
                st.sampled_from(
                    ["plain ", "\n", " é\n  ", "{# note #}", "{% raw %}{{ x }}{% endraw %}", "}} "]
                )
            )
        case "space":
            return draw(st.sampled_from([" {{- input.s -}} \n", "\n {%- if input.b -%} \n x{%+ endif %}\n"]))
        case "slot":
            chain = draw(st.lists(st.sampled_from(FILTERS), max_size=2))
            value = draw(paths(items, texts) | st.sampled_from(["'lit<'", "5", "-1", "true", "none"]))
            return "{{ " + " | ".join([value, *chain]) + " }}"
        case "choice":
            path, condition = draw(paths(items, texts)), draw(conditions(items, texts))
            return "{{ " + path + " if " + condition + draw(st.sampled_from(["", " else 'z'"])) + " }}"
        case "loop":
            return "{{ loop." + draw(st.sampled_from(["index", "index0", "first", "last", "length"])) + " }}"
        case "if":
            tests = draw(st.lists(conditions(items, texts), min_size=1, max_size=2))
            inner = [draw(bodies(items, texts, depth + 1)) for _ in tests]
            branches = "".join(
                f"{{% {'elif' if index else 'if'} {test} %}}{body}"
                for index, (test, body) in enumerate(zip(tests, inner, strict=True))
            )
            return branches + draw(st.sampled_from(["", "{% else %}E"])) + "{% endif %}"
        case "for":
            name = draw(st.sampled_from(["x", "y"]))
            others = tuple(one for one in texts if one != name)
            kept = tuple(one for one in items if one != name)
            if draw(st.booleans()):
                inside = draw(bodies((*kept, name), (*others, "loop.index"), depth + 1))
                source = "input.l"
            else:
                inside = draw(bodies(kept, (*others, name), depth + 1))
                source = draw(st.sampled_from(["input.items", "input.o.t", *(one + ".t" for one in items)]))
            return (
                f"{{% for {name} in {source} %}}{inside}"
                + draw(st.sampled_from(["", "{% else %}-"]))
                + "{% endfor %}"
            )
        case "call":
            value = draw(paths(items, texts) | st.sampled_from(["'v'", "0"]))
            return "{{ m(" + value + draw(st.sampled_from(["", ", 'w'", ", b=input.n"])) + ") }}"
        case _:
            return "{% include 'part' %}"


MACRO = "{% macro m(a, b='B') %}({{ a }}{{ b | upper }}{% for x in input.items %}{{ x }}{{ a }}{{ loop.index }}{% endfor %}){% endmacro %}"
PART = "<{{ input.s }}{% for x in input.items %}{{ x }}{% endfor %}>\n"


@settings(max_examples=250, deadline=None)
@given(body=bodies(), value=INPUT)
def test_what_is_accepted_renders_as_jinja_renders_it(body: str, value: dict[str, object]) -> None:
    source, data = MACRO + body, {"input": value}
    compiled = compile_template(source, ROOTS, {"part": PART}.get)
    assert {problem.code for problem in compiled.problems} <= {"AC310"}, compiled.problems
    assume(not compiled.problems)
    ours = render(compiled.template, data)
    try:
        theirs = Oracle({"part": PART}).from_string(source).render(data)
    except (TypeError, UndefinedError):
        return  # a comparison of two kinds, or a filter that takes no such value: ours is total
    assert ours == theirs

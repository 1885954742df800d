# ruff: noqa: E501  templates as data, one a line
"""Templates: what is accepted renders as written, what is refused says where and what to do instead."""

import subprocess
import sys

import pytest

from agentc.templates import CompiledTemplate, compile_template
from agentc_runtime.expressions import Schema
from agentc_runtime.template import render

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def closed(**properties: object) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


ITEM = closed(name=STRING, tags={"type": "array", "items": STRING})
ROOTS: dict[str, Schema] = {
    "input": closed(
        text=STRING,
        count=INTEGER,
        flag={"type": "boolean"},
        items={"type": "array", "items": ITEM},
        any={},
        **{"odd-key": STRING},
    ),
    "session": closed(id=STRING),
    "states": closed(find=closed(output=closed(subject=STRING)), stop=closed()),
}
DATA = {
    "input": {
        "text": "Hello {{ session.id }}",
        "count": 3,
        "flag": True,
        "items": [{"name": "a", "tags": ["x", "y"]}, {"name": "b"}],
        "odd-key": "odd",
    },
    "session": {"id": "secret"},
    "states": {"find": {"output": {"subject": "Lost"}}},
}


def compiled(text: str, **files: str) -> CompiledTemplate:
    return compile_template(text, ROOTS, files.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\r\ntext\n", "plain\ntext"),
        ("{{ input.text }}", "Hello {{ session.id }}"),
        ("{{ input['odd-key'] }}{{ input.count }}{{ input.flag }}", "odd3true"),
        ("{{ input.any }}|{{ input.any.deep.er }}", "|"),
        ("{{ input.any | default('none') }}", "none"),
        ("{{ input.text | upper | truncate(8, end='…', leeway=0) }}", "HELLO…"),
        ("{{ states.find.output.subject }}", "Lost"),
        ("{{ input.items }}", '[{"name": "a", "tags": ["x", "y"]}, {"name": "b"}]'),
        ("{# no #}a {%- raw %} {{ x }} {% endraw -%} b", "a {{ x }} b"),
        ("{% for i in input.items %}{{ loop.index }}{{ i.name }}{{ ',' if not loop.last }}{% endfor %}", "1a,2b"),
        ("{% for i in input.items %}{% for i in i.tags %}{{ i }}{% else %}-{% endfor %}{{ i.name }}{% endfor %}", "xya-b"),
        ("{% for i in input.any %}{% else %}none{% endfor %}", "none"),
        ("{% if input.count > 2 and not input.flag == false %}yes{% else %}no{% endif %}", "yes"),
        ("{% if 1 < input.count <= 3 %}yes{% endif %}", "yes"),
        ("{% if input.text in ['a', 'b'] %}a{% elif input.count not in (1, 2) %}b{% endif %}", "b"),
        ("{% if input.any is defined %}a{% elif input.any is none %}b{% elif input.any is undefined %}c{% endif %}", "c"),
        ("{{ input.text if input.any else 'x' }}{{ -5 }}{{ 'lit' | upper }}{{ none }}", "x-5LITnull"),
        ("{% macro m(a, b='d') %}<{{ a }}{{ b }}>{% endmacro %}{{ m(input.count) }}{{ m(1, b='z') }}", "<3d><1z>"),
        (
            "{% macro m(v) %}{% for i in input.items %}{{ i.name }}{{ v }}{{ loop.index }}{% endfor %}{% endmacro %}{% for i in input.items %}{{ m(i.name) }};{{ m(loop.index0) }} {% endfor %}",
            "aa1ba2;a01b02 ab1bb2;a11b12 ",
        ),
        ("{% macro m(v) %}{% if v == 'a' %}A{% elif v %}other{% else %}none{% endif %}{% endmacro %}{{ m('a') }}{{ m(0) }}", "Anone"),
        ("{% for i in input.items %}{% include 'part' %}{% endfor %}", "[a][b]"),
    ],
)  # fmt: skip
def test_the_subset_renders_as_jinja_reads_it(text: str, expected: str) -> None:
    found = compiled(text, part="[{{ i.name }}]\n")
    assert found.problems == ()
    assert render(found.template, DATA) == expected


def test_reads_are_paths_from_the_root() -> None:
    found = compiled(
        "{% macro m(v) %}{{ v }}{{ session.id }}{% endmacro %}"
        "{% for i in input.items if false %}{% endfor %}"
        "{% for i in input.items %}{{ m(i.name) }}{% endfor %}{% if input.flag %}{% include 'f' %}{% endif %}",
        f="{{ states.find.output.subject }}",
    )
    assert found.reads == {
        ("input", "items"),
        ("session", "id"),
        ("input", "flag"),
        ("states", "find", "output", "subject"),
    }


@pytest.mark.parametrize(
    ("text", "code", "at", "message", "help_text"),
    [
        ("{{ input.text", "AC304", "{{ input.text", "the template ends before `}}`", ""),
        ("{% if input.flag %}x", "AC304", "{% if input.flag %}x", "unexpected end", "close it with `{% endif %}`"),
        ("a {% endfor %}", "AC304", "endfor", "unknown tag `endfor`", ""),
        ("{{ input.text ! }}", "AC304", "!", "not expected here", ""),
        ("{{ a b }}", "AC304", "b", "got `b`", ""),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "AC304", "{", "nests too deep", ""),
        ("{{ 1 }}{{ " + "9" * 5000 + " }}", "AC304", None, "too long", ""),
        ("{{ 1e999 }}", "AC305", "1e999", "too large", ""),
        ("{{ input.text.lower() }}", "AC305", "input.text.lower(", "calls are not", "`input.text | lower`"),
        ("{{ input.text() }}", "AC305", "input.text(", "calls are not supported", ""),
        ("{{ range(10) }}", "AC306", "range", "no macro `range`", ""),
        ("{{ ''.__class__ }}", "AC305", "''.__class__", "not supported", ""),
        ("{{ input.__class__.__mro__ }}", "AC305", "input.__class__", "is not data", ""),
        ("{{ input.any['__init__'] }}", "AC305", "input.any['__init__']", "is not data", ""),
        ("{{ self.x }}", "AC306", "self", "is not declared", ""),
        ("{{ cycler }}", "AC306", "cycler", "is not declared", ""),
        ("{{ input.count + 1 }}", "AC305", "+", "`+` is not supported", "compute it before"),
        ("{{ input.text ~ 'x' }}", "AC305", "~", "`~` is not supported", "side by side"),
        ("{{ input.items[0] }}", "AC305", "[", "lists have no index", "`first`"),
        ("{{ input[session.id] }}", "AC305", "[", "a key is a literal", ""),
        ("{{ [1, 2] }}", "AC305", "[", "not written in templates", ""),
        ("{{ input.count > 1 }}", "AC305", None, "a condition is not a value", "{% if %}"),
        ("{% set x = 1 %}", "AC305", "set", "`{% set %}` is not supported", "where it is used"),
        ("{% block a %}{% endblock %}", "AC305", "block", "`{% block %}`", "include"),
        ("{% extends 'a' %}", "AC305", "extends", "`{% extends %}`", "include"),
        ("{% import 'a' as b %}", "AC305", "import", "`{% import %}`", "in this file"),
        ("{% from 'a' import b %}", "AC305", "from", "`{% from %}`", "in this file"),
        ("{% filter upper %}x{% endfilter %}", "AC305", "filter", "`{% filter %}`", ""),
        ("{% with a = 1 %}{% endwith %}", "AC305", "with", "`{% with %}`", ""),
        ("{% include input.text %}", "AC305", "include", "names one file", ""),
        ("{% include ['a', 'b'] %}", "AC305", "include", "names one file", ""),
        ("{% for a, b in input.items %}{% endfor %}", "AC305", "for", "binds one name", ""),
        ("{% for a in input.items if a.name %}{% endfor %}", "AC305", "for", "binds one name", "`{% if %}`"),
        ("{{ input.text | eval }}", "AC305", "eval", "no filter `eval`", ""),
        ("{{ input.text | uper }}", "AC305", "uper", "no filter `uper`", "did you mean `upper`?"),
        ("{{ input.text | truncate(lenth=3) }}", "AC305", "truncate", "no argument `lenth`", "`length`"),
        ("{{ input.text | truncate('3') }}", "AC305", "truncate", "can't be that", "whole number"),
        ("{{ input.text | truncate(2) }}", "AC305", "truncate", "no room", ""),
        ("{{ input.text | indent(100000) }}", "AC305", "indent", "can't be that", ""),
        ("{{ input.text | replace('a') }}", "AC305", "replace", "needs the argument `new`", ""),
        ("{{ input.text | upper(1) }}", "AC305", "upper", "at most 0 arguments", ""),
        ("{{ input.text | default(input.count) }}", "AC305", "default", "can't be that", ""),
        ("{% if input.items | length > 2 %}{% endif %}", "AC305", "length", "can't be used here", ""),
        ("{% if input.items | length %}{% endif %}", "AC305", "length", "in a condition", "`input.items`"),
        ("{% if input.text is string %}{% endif %}", "AC305", "string", "`is string`", ""),
        ("{% if input.text == session.id %}{% endif %}", "AC305", "session", "two values", "a literal"),
        ("{% if 'x' in input.items %}{% endif %}", "AC305", "in", "list of literals", ""),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "AC305", "m", "calls itself", ""),
        ("{% macro m(a) %}{% endmacro %}{{ m() }}", "AC305", "m", "needs the argument `a`", ""),
        ("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "AC305", "m", "takes 1 arguments", ""),
        ("{% macro m(a) %}{% endmacro %}{{ m(a=1, b=2) }}", "AC305", "m", "no other argument `b`", ""),
        ("{% macro m(a) %}{{ input.nope }}{% endmacro %}", "AC306", "input.nope", "has no `nope`", ""),
        ("{% if input.flag %}{% macro m() %}{% endmacro %}{% endif %}", "AC305", "m", "not at the top", ""),
        ("{{ inptu.text }}", "AC306", "inptu", "`inptu` is not declared", "did you mean `input`?"),
        ("{{ input.txet }}", "AC306", "input.txet", "`input` has no `txet`", "did you mean `text`?"),
        ("{{ input.text.lower }}", "AC306", "input.text.lower", "`input.text` has no `lower`", ""),
        ("{{ input['txet'] }}", "AC306", "input['txet']", "has no `txet`", ""),
        ("{% for i in input.items %}{{ i.nam }}{% endfor %}", "AC306", "i.nam", "`i` has no `nam`", "`name`"),
        ("{% for i in input.items %}{% endfor %}{{ i.name }}", "AC306", "i", "`i` is not declared", ""),
        ("{% for i in input.items %}{{ loop.cycle }}{% endfor %}", "AC306", "loop.cycle", "has no `cycle`", ""),
        ("{{ states.find }}", "AC305", "states.find", "not the output of a state", "`states.find.output`"),
        ("{{ states }}", "AC305", "states", "not the output of a state", ""),
        ("{{ states.stop.output }}", "AC306", "states.stop.output", "has no `output`", ""),
        ("{{ env.HOME }}", "AC306", "env", "is not declared", ""),
        ("{% for x in input.text %}{% endfor %}", "AC310", "input.text", "goes over a list", ""),
        ("{% for x in 'abc' %}{% endfor %}", "AC310", "for", "goes over a list", ""),
        ("{% for i in input.items %}{{ loop }}{% endfor %}", "AC310", "loop", "is not a value", "`index`"),
        ("{{ input.count | length }}", "AC310", "length", "`length` needs a list", ""),
        ("{% if input.count == '3' %}{% endif %}", "AC310", "input", "compared with a value of type `string`", ""),
        ("{% if input.text > 3 %}{% endif %}", "AC310", "input", "compared with a value of type `integer`", ""),
    ],
)  # fmt: skip
def test_what_is_refused_says_where_and_why(
    text: str, code: str, at: str | None, message: str, help_text: str
) -> None:
    (problem,) = compiled("first line\n" + text).problems
    assert (problem.code, problem.file) == (code, None)
    assert message in problem.message
    assert help_text in (problem.help or "")
    if at is not None and "deep" not in message:
        found = text[problem.column - 1 : problem.end_column - 1].strip()
        assert (problem.line, found) == (2, at)


def test_all_problems_are_found_in_one_pass_each_once() -> None:
    found = compiled(
        "{% macro m(v) %}{{ input.a1 }}{% endmacro %}\n{{ m(1) }}{{ m(2) }}\n"
        "{% if input.a2 %}{{ input.a3 }}{% endif %}{% for x in input.a4 %}{{ input.a5 }}{% endfor %}"
    )
    assert [(problem.line, problem.message) for problem in found.problems] == [
        (1, "`input` has no `a1`"),
        (3, "`input` has no `a3`"),
        (3, "`input` has no `a2`"),
        (3, "`input` has no `a4`"),
    ]


def test_problems_of_an_included_file_name_the_file() -> None:
    found = compiled(
        "{% include 'a' %}{% include 'gone' %}",
        a="\n{{ input.nope }}{% include 'b' %}",
        b="{% include 'a' %}",
    )
    assert [(problem.file, problem.line, problem.code) for problem in found.problems] == [
        ("a", 2, "AC306"),
        ("b", 1, "AC305"),
        (None, 1, "AC110"),
    ]  # fmt: skip
    assert "`a` → `b` → `a`" in found.problems[1].message


def test_a_macro_does_not_see_the_loop_of_its_caller() -> None:
    text = "{% macro m() %}{{ i.name }}{% endmacro %}{% for i in input.items %}{{ m() }}{% endfor %}"
    assert [problem.message for problem in compiled(text).problems] == ["`i` is not declared"]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{{% macro m{n}(v) %}}" + f"{{{{ m{n + 1}(v) }}}}" * 10 + "{% endmacro %}" for n in range(9))
        + "{% macro m9(v) %}x{% endmacro %}{{ m0(1) }}",
        "{% include 'wide' %}" * 2000,
        "{% for i in input.items %}" * 60 + "{% endfor %}" * 60,
        "{% if input.flag %}" * 60 + "{% endif %}" * 60,
        "{% if input.flag %}" + "{% elif input.flag %}" * 60 + "{% endif %}",
        "{{ input.text }}x" * 30_000,
        "{% if " + "not (input.flag and " * 40 + "input.flag" + ")" * 40 + " %}{% endif %}",
    ],
)
def test_expansion_and_nesting_are_bounded(text: str) -> None:
    found = compiled(text, wide="{{ input.text }}")
    assert {problem.code for problem in found.problems} == {"AC305"}
    render(found.template, DATA)


def test_text_without_tags_does_not_import_jinja() -> None:
    script = (
        "import sys; from agentc.templates import compile_template as c;"
        "c('plain', {}, {}.get); assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

"""The specification's own table of styles (OpenAPI 3.1.1, section 4.8.12.4), value by value.

Where the table says "n/a" the parameter does not compile (AC705), or, where only the value tells, the call is
refused (AR304). An empty array or object is undefined in RFC 6570 and sends nothing: AR304 too.
"""

from __future__ import annotations

from typing import Any

import pytest

from agentc_runtime.bundle import Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import Label
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import build_request
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape

STRING: dict[str, Any] = {"type": "string"}
ARRAY: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in "RGB"},
    "additionalProperties": False,
}
EMPTY = ""
BLUE = "blue"
LIST = ["blue", "black", "brown"]
COLOR = {"R": 100, "G": 200, "B": 150}
NA = None

#: style, explode, place; then what an empty string, a string, an array and an object become.
TABLE = [
    ("simple", False, "path", "AR304", "blue", "blue,black,brown", "R,100,G,200,B,150"),
    ("simple", True, "path", "AR304", "blue", "blue,black,brown", "R=100,G=200,B=150"),
    ("simple", False, "header", "", "blue", "blue,black,brown", "R,100,G,200,B,150"),
    ("simple", True, "header", "", "blue", "blue,black,brown", "R=100,G=200,B=150"),
    ("label", False, "path", "AR304", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
    ("label", True, "path", "AR304", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
    ("matrix", False, "path", ";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
    (
        *("matrix", True, "path"),
        *(";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
    ),
    ("form", False, "query", "color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
    (
        *("form", True, "query"),
        *("color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
    ),
    ("form", False, "cookie", "color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
    # section 4.8.12.4 and appendix D: exploded values have no form that works in a cookie
    ("form", True, "cookie", "color=", "color=blue", NA, NA),
    (
        *("spaceDelimited", False, "query"),
        *(NA, NA, "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"),
    ),
    ("spaceDelimited", True, "query", NA, NA, NA, NA),
    (
        *("pipeDelimited", False, "query"),
        *(NA, NA, "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"),
    ),
    ("pipeDelimited", True, "query", NA, NA, NA, NA),
    ("deepObject", False, "query", NA, NA, NA, NA),
    # the table has "n/a" for the array, and services that take one in brackets (decision 19)
    (
        *("deepObject", True, "query", NA, NA, "color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown"),
        "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
    ),
]
CASES = [
    (style, explode, place, schema, value, wanted)
    for style, explode, place, *cells in TABLE
    for (schema, value), wanted in zip(
        [(STRING, EMPTY), (STRING, BLUE), (ARRAY, LIST), (OBJECT, COLOR)], cells, strict=True
    )
]


def operation_of(place: str, schema: Any, **rest: Any) -> tuple[dict[str, Any], str]:
    parameter = {"name": "color", "in": place, "required": True, "schema": schema, **rest}
    return {"parameters": [parameter]}, "/x/{color}" if place == "path" else "/x"


def sent(compiled: Any, place: str, arguments: dict[str, Any]) -> str:
    """What `arguments` become in that place of the request."""
    assert compile_shape(compiled.arguments).is_valid(arguments), arguments
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="read",
        arguments=compiled.arguments,
        output=Label(),
        request=compiled.plan(Endpoint(url="https://api.example.com"), ()),
    )
    request = build_request(tool, arguments, Environment(), Secrets(Environment(), {}))
    if place in ("header", "cookie"):
        return request.headers["color" if place == "header" else "cookie"]
    path, _, query = request.url.removeprefix("https://api.example.com/x").partition("?")
    return path.removeprefix("/") if place == "path" else query


@pytest.mark.parametrize(("style", "explode", "place", "schema", "value", "wanted"), CASES)
def test_the_specification_s_table(
    compiled: Any, problems: Any, style: str, explode: bool, place: str, schema: Any, value: Any, wanted: Any
) -> None:
    operation, path = operation_of(place, schema, style=style, explode=explode)
    if wanted is NA:
        (problem,) = problems(operation, path=path, method="get")
        assert problem.code == "AC705"
        return
    made = compiled(operation, path=path, method="get")
    if wanted == "AR304":
        with pytest.raises(RefusedError) as refused:
            sent(made, place, {"color": value})
        assert refused.value.refusal.code == "AR304"
        return
    assert sent(made, place, {"color": value}) == wanted


def test_the_table_is_whole() -> None:
    assert len(CASES) == 72
    assert sum(wanted is NA for *_, wanted in CASES) == 20
    assert sum(wanted == "AR304" for *_, wanted in CASES) == 4


@pytest.mark.parametrize(
    ("place", "style", "explode"),
    [(place, style, explode) for style, explode, place, *cells in TABLE if cells[2] is not NA],
)
def test_an_empty_array_sends_nothing_and_is_refused(
    compiled: Any, place: str, style: str, explode: bool
) -> None:
    operation, path = operation_of(place, ARRAY, style=style, explode=explode)
    made = compiled(operation, path=path, method="get")
    with pytest.raises(RefusedError) as refused:
        sent(made, place, {"color": []})
    assert (refused.value.refusal.code, refused.value.refusal.path) == ("AR304", "color")


def query(compiled: Any, value: Any, schema: Any = None, **rest: Any) -> str:
    operation, path = operation_of("query", schema or STRING, **rest)
    return sent(compiled(operation, path=path, method="get", openapi="3.1.0"), "query", {"color": value})


def test_reserved_characters_stay_where_they_change_nothing(compiled: Any) -> None:
    """3.1.1, section 4.8.12.2.1 leaves it to the application to encode what has a meaning in a query."""
    text = "a/b?c:d@e!$'()*,"
    assert query(compiled, text, allowReserved=True) == f"color={text}"
    assert query(compiled, text) == "color=a%2Fb%3Fc%3Ad%40e%21%24%27%28%29%2A%2C"
    hostile = "x&admin=1;b=2#f+[]%26"
    assert query(compiled, hostile, allowReserved=True) == "color=x%26admin%3D1%3Bb%3D2%23f%2B%5B%5D%2526"
    assert query(compiled, ["a,b", "c/d"], ARRAY, allowReserved=True, explode=False) == "color=a%2Cb,c/d"
    assert query(compiled, ["a,b", "c"], ARRAY, allowReserved=True) == "color=a,b&color=c"


def test_an_empty_value_where_it_is_allowed(compiled: Any) -> None:
    schema = {"type": "integer"}
    assert query(compiled, "", schema, allowEmptyValue=True) == "color="
    assert query(compiled, 5, schema, allowEmptyValue=True) == "color=5"
    operation, _ = operation_of("query", schema)
    assert not compile_shape(compiled(operation).arguments).is_valid({"color": ""})
    plain, _ = operation_of("query", STRING, allowEmptyValue=True)
    assert compiled(plain).arguments["properties"]["color"] == STRING


@pytest.mark.parametrize(
    ("place", "value", "wanted"),
    [
        ("query", {"a": [1, None], "é&=": "x y"}, "color=%7B%22a%22%3A%5B1%2Cnull%5D%2C"),
        ("query", None, "color=null"),
        ("path", {"a": "/"}, "%7B%22a%22%3A%22%2F%22%7D"),
        ("header", {"a": "é"}, '{"a":"\\u00e9"}'),
        ("cookie", {"a": ";"}, "color=%7B%22a%22%3A%22%3B%22%7D"),
    ],
)
def test_a_parameter_described_by_content_is_json(compiled: Any, place: str, value: Any, wanted: str) -> None:
    parameter = {"name": "color", "in": place, "required": True, "content": {"application/json": {}}}
    made = compiled({"parameters": [parameter]}, path="/x/{color}" if place == "path" else "/x", method="get")
    assert sent(made, place, {"color": value}).startswith(wanted)


def test_objects_keep_the_properties_that_can_be_written(compiled: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "array", "items": {"type": "string"}},
            "c": {"anyOf": [{"type": "integer"}, {"type": "object"}]},
        },
    }
    operation, path = operation_of("query", schema, style="form", explode=False)
    made = compiled(operation, path=path, method="get", openapi="3.1.0")
    assert sent(made, "query", {"color": {"a": "x", "c": 1}}) == "color=a,x,c,1"
    accepts = compile_shape(made.arguments).is_valid
    for bad in ({"a": None}, {"b": ["x"]}, {"b": "x"}, {"c": {}}, {"d": 1}):
        assert not accepts({"color": bad}), bad
    (note,) = made.notes
    assert "`b` of `color`" in note.message


OBJECTS = [
    {"type": "object"},
    {"type": "object", "additionalProperties": True},
    {"type": "object", "additionalProperties": {"type": "array", "items": {}}},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "array"}}}, {"type": "object"}]},
    {"type": "object", "properties": {"a": {"type": "object"}}, "additionalProperties": True},
]


@pytest.mark.parametrize("schema", OBJECTS)
def test_no_object_lets_a_nested_value_through(compiled: Any, schema: Any) -> None:
    operation, path = operation_of("query", schema, style="form", explode=False)
    accepts = compile_shape(compiled(operation, path=path, method="get").arguments).is_valid
    for bad in ({"a": {}}, {"a": [1]}, {"a": None}, {"z": {"y": 1}}):
        assert not accepts({"color": bad}), bad


NESTED = {
    "type": ["object", "null"],
    "properties": {
        "R": {"type": ["integer", "null"]},
        "at": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        "by": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "or": {"anyOf": [{"type": "object", "properties": {"y": {"type": "boolean"}}}, {"enum": [""]}]},
    },
}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"at": [{"x": 1}, {"x": 2}]}, "color[at][0][x]=1&color[at][1][x]=2"),
        ({"R": 1, "by": {"a b": "c&d"}}, "color[R]=1&color[by][a b]=c%26d"),
        ({"or": {"y": True}}, "color[or][y]=true"),
        ({"or": ""}, "color[or]="),
    ],
)
def test_what_is_nested_in_a_deep_object_is_written_as_its_users_do(
    compiled: Any, value: Any, wanted: str
) -> None:
    assert query(compiled, value, NESTED, style="deepObject") == wanted.replace("[", "%5B").replace(
        "]", "%5D"
    ).replace(" ", "%20")


@pytest.mark.parametrize("value", [None, {"R": None}, {"by": {"a": None}}, {"at": [None]}, {"none": 1}])
def test_null_and_what_nobody_described_have_no_place_in_a_deep_object(compiled: Any, value: Any) -> None:
    operation, path = operation_of("query", NESTED, style="deepObject")
    made = compiled(operation, path=path, method="get", openapi="3.1.0")
    assert not compile_shape(made.arguments).is_valid({"color": value})


@pytest.mark.parametrize("schema", OBJECTS)
@pytest.mark.parametrize(
    "value", [{"a": {}}, {"a": []}, {"a": {"b": None}}, {"a": {"b]": 1}}, {"": 1}, {"a": [{"[": 1}]}]
)
def test_a_deep_object_leaves_nothing_out_and_its_names_stay_names(
    compiled: Any, schema: Any, value: Any
) -> None:
    operation, path = operation_of("query", schema, style="deepObject")
    made = compiled(operation, path=path, method="get")
    if compile_shape(made.arguments).is_valid({"color": value}):
        with pytest.raises(RefusedError) as refused:
            sent(made, "query", {"color": value})
        assert refused.value.refusal.code == "AR304"


@pytest.mark.parametrize(
    ("style", "explode", "value"),
    [
        ("pipeDelimited", False, ["a|b"]),
        ("spaceDelimited", False, ["a b"]),
        ("label", True, ["a.b"]),
    ],
)
def test_an_item_with_its_separator_is_refused(compiled: Any, style: str, explode: bool, value: Any) -> None:
    place = "path" if style == "label" else "query"
    operation, path = operation_of(place, ARRAY, style=style, explode=explode)
    with pytest.raises(RefusedError) as refused:
        sent(compiled(operation, path=path, method="get"), place, {"color": value})
    assert refused.value.refusal.code == "AR304"


FREE = {"type": "object", "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(
    ("style", "other", "keys"),
    [
        ("form", "limit", ["limit", "LIMIT", "limit[]", "limit[a]", " limit", "color"]),
        ("form", "page.size", ["page.size", "page_size", "page size"]),
        ("deepObject", "color[R]", ["R"]),
        ("deepObject", "color[R][]", ["R"]),
        ("deepObject", "limit", ["a]&limit", "a][b", "", "["]),
    ],
)
def test_a_spread_object_sets_no_other_parameter(compiled: Any, style: str, other: str, keys: Any) -> None:
    operation, _ = operation_of("query", FREE, style=style)
    operation["parameters"].append({"name": other, "in": "query", "schema": STRING})
    made = compiled(operation, path="/x", method="get")
    assert sent(made, "query", {"color": {"fine": "x"}}) in ("fine=x", "color%5Bfine%5D=x")
    for key in keys:
        with pytest.raises(RefusedError) as refused:
            sent(made, "query", {"color": {key: "x"}})
        assert refused.value.refusal.code == "AR304"


@pytest.mark.parametrize("style", ["simple", "label", "matrix"])
@pytest.mark.parametrize("value", ["..", ".", "../x", "%2e%2e", "a/../..", "a\x00", "..;x"])
def test_no_style_lets_a_path_value_move(compiled: Any, style: str, value: str) -> None:
    operation, path = operation_of("path", STRING, style=style)
    with pytest.raises(RefusedError) as refused:
        sent(compiled(operation, path=path, method="get"), "path", {"color": value})
    assert refused.value.refusal.code == "AR304"


def test_separators_of_matrix_are_encoded_in_values(compiled: Any) -> None:
    operation, path = operation_of("path", FREE, style="matrix", explode=True)
    made = compiled(operation, path=path, method="get")
    assert sent(made, "path", {"color": {"a;b=": "c;d=e/?"}}) == ";a%3Bb%3D=c%3Bd%3De%2F%3F"


def test_dots_before_a_matrix_parameter_do_not_move(compiled: Any) -> None:
    operation, _ = operation_of("path", STRING, style="matrix")
    made = compiled(operation, path="/x/..{color}", method="get")
    with pytest.raises(RefusedError):
        sent(made, "path", {"color": "a"})


@pytest.mark.parametrize("value", ["a; admin=1", "a\r\nX: 1", 'a"b', "é"])
def test_a_cookie_value_stays_one_cookie(compiled: Any, value: str) -> None:
    operation, path = operation_of("cookie", STRING)
    text = sent(compiled(operation, path=path, method="get"), "cookie", {"color": value})
    assert text.isascii()
    assert not set(text) & set('; "\r\n')


def test_a_cookie_that_is_a_credential_is_no_argument(compiled: Any) -> None:
    operation, _ = operation_of("cookie", STRING)
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "cookie", "name": "color"}}}
    made = compiled(operation, components=schemes, security=[{"key": []}])
    assert made.arguments["properties"] == {}
    assert made.cookies == ()

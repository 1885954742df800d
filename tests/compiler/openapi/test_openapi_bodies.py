"""Bodies that are not JSON: which one is taken, what a model gives, and the bytes that it becomes."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import pytest

from agentc_runtime.bundle import Tool
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import Label
from agentc_runtime.refusals import RefusedError
from agentc_runtime.request import build_request, preview
from agentc_runtime.secrets import Secrets
from agentc_runtime.violations import compile_shape
from agentc_runtime.wire import HttpRequest

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
STRING = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}


def body(media: str, schema: Any, **rest: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media: {"schema": schema, **rest}}}}


def built(compiled: Any, arguments: dict[str, Any]) -> HttpRequest:
    assert compile_shape(compiled.arguments).is_valid(arguments), arguments
    tool = Tool(
        name="t.t",
        model_name="t",
        description="",
        effect="create",
        arguments=compiled.arguments,
        output=Label(),
        request=compiled.plan(Endpoint(url="https://api.example.com"), ()),
    )
    return build_request(tool, arguments, Environment(), Secrets(Environment(), {}))


def parts(request: HttpRequest) -> list[Message]:
    """The parts as the standard library reads them."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + (request.body or b""))
    assert message.is_multipart()
    assert not message.defects
    return [part for part in message.get_payload() if isinstance(part, Message)]


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def refusal(compiled: Any, arguments: dict[str, Any]) -> str:
    with pytest.raises(RefusedError) as refused:
        built(compiled, arguments)
    assert refused.value.refusal.code == "AR304"
    return refused.value.refusal.message


# --- which body ----------------------------------------------------------------------------------------


def test_of_several_media_types_the_order_is_fixed(compiled: Any) -> None:
    order = ["application/vnd.x+json", FORM, MULTIPART, "text/plain", "application/octet-stream"]
    kinds = ["json", "form", "multipart", "text", "binary"]
    for start, kind in enumerate(kinds):
        content = {
            media: {"schema": STRING if media in order[3:] else fields(a=STRING)}
            for media in reversed(order[start:])
        }
        made = compiled({"requestBody": {"content": content}})
        assert (made.body.kind, made.body.content_type) == (kind, order[start])


def test_what_can_not_be_built_gives_way_to_what_can(compiled: Any) -> None:
    content = {
        FORM: {"schema": {"type": "array"}},
        "application/xml": {"schema": fields(a=STRING)},
        "text/csv": {"schema": STRING},
    }
    made = compiled({"requestBody": {"content": content, "required": True}})
    assert made.body.content_type == "text/csv"
    assert built(made, {"body": "a,é"}).body == "a,é".encode()


@pytest.mark.parametrize(
    ("media", "schema"),
    [
        ("application/octet-stream", {"type": "object"}),
        (FORM, {"type": "array"}),
        (MULTIPART, {"type": "string"}),
        (FORM, {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]}),
        ("multipart/byteranges", fields(a=STRING)),
    ],
)
def test_bodies_that_are_not_built_are_located(problems: Any, media: str, schema: Any) -> None:
    (problem,) = problems(body(media, schema), openapi="3.1.0")
    assert problem.code == "AC705"
    assert problem.pointer[:5] == ("paths", "/things", "post", "requestBody", "content")


def test_a_reference_that_leads_nowhere_is_not_passed_over(problems: Any) -> None:
    content = {FORM: {"schema": {"$ref": "#/nowhere"}}, "text/plain": {}}
    (problem,) = problems({"requestBody": {"content": content}})
    assert problem.code == "AC704"


# --- text and bytes ------------------------------------------------------------------------------------


def test_bytes_are_given_in_base64(compiled: Any) -> None:
    made = compiled(body("application/octet-stream", BINARY))
    data = bytes(range(256))
    request = built(made, {"body": base64.b64encode(data).decode()})
    assert request.body == data
    assert request.headers["content-type"] == "application/octet-stream"
    accepts = compile_shape(made.arguments).is_valid
    assert accepts({"body": ""})
    for bad in ("a", "a===", "YQ", "not base64!", "YQ==\n", "-_-_"):
        assert not accepts({"body": bad}), bad


def test_a_wildcard_with_the_schema_of_a_file_is_bytes(compiled: Any) -> None:
    made = compiled(body("*/*", BINARY))
    assert (made.body.kind, made.body.content_type) == ("binary", "application/octet-stream")


def test_text_is_sent_as_it_is(compiled: Any) -> None:
    made = compiled(body("text/plain", STRING))
    assert built(made, {"body": "# a\r\n\u2028é"}).body == "# a\r\n\u2028é".encode()


# --- urlencoded ----------------------------------------------------------------------------------------


def test_form_fields_are_arguments_and_stay_in_their_field(compiled: Any) -> None:
    schema = fields(To=STRING, Count={"type": "integer"}, Tags={"type": "array", "items": STRING})
    made = compiled(body(FORM, schema))
    request = built(made, {"To": "+49 1&admin=1", "Count": 2, "Tags": ["a=b", "é"]})
    assert request.headers["content-type"] == FORM
    assert request.body == b"To=%2B49%201%26admin%3D1&Count=2&Tags=a%3Db&Tags=%C3%A9"
    assert built(made, {}).body == b""
    assert "Tags" in refusal(made, {"Tags": []})


def test_objects_in_forms_are_json_unless_a_style_is_given(compiled: Any) -> None:
    """3.1.1, section 4.8.15.1.1 (`contentType`) and 4.8.15.1.2 (`style`)."""
    schema = fields(a=fields(x=STRING), b=fields(x=STRING), c={"type": "array", "items": fields(x=STRING)})
    made = compiled(body(FORM, schema, encoding={"b": {"style": "deepObject", "explode": True}}))
    request = built(made, {"a": {"x": "1"}, "b": {"x": "1"}, "c": [{"x": "1"}, {}]})
    assert parse_qsl(request.body.decode() if request.body else "") == [
        ("a", '{"x":"1"}'),
        ("b[x]", "1"),
        ("c", '{"x":"1"}'),
        ("c", "{}"),
    ]


def test_encodings_of_a_form(compiled: Any) -> None:
    schema = fields(
        pipes={"type": "array", "items": STRING},
        flat={"type": "array", "items": STRING},
        open=STRING,
        data={"type": "array", "items": STRING},
    )
    encoding = {
        "pipes": {"style": "pipeDelimited"},
        "flat": {"explode": False},
        "open": {"allowReserved": True},
        "data": {"contentType": "application/json"},
    }
    made = compiled(body(FORM, schema, encoding=encoding))
    request = built(made, {"pipes": ["a", "b"], "flat": ["a", "b"], "open": "/a&b", "data": ["x"]})
    assert request.body == b"pipes=a%7Cb&flat=a,b&open=/a%26b&data=%5B%22x%22%5D"


def test_a_style_that_has_no_form_leaves_an_optional_field_out(compiled: Any, problems: Any) -> None:
    schema = fields(a={"type": "array", "items": STRING}, b=STRING)
    encoding = {"a": {"style": "pipeDelimited", "explode": True}}
    made = compiled(body(FORM, schema, encoding=encoding))
    assert list(made.arguments["properties"]) == ["b"]
    assert "`a` is left out" in made.notes[0].message
    (problem,) = problems(body(FORM, {**schema, "required": ["a"]}, encoding=encoding))
    assert problem.code == "AC705"


def test_a_spread_field_sets_no_other(compiled: Any) -> None:
    free = {"type": "object", "additionalProperties": STRING}
    made = compiled(
        body(FORM, fields(admin=STRING, more=free), encoding={"more": {"style": "form", "explode": True}})
    )
    assert built(made, {"more": {"x": "1"}}).body == b"x=1"
    for key in ("admin", "Admin", "admin[]"):
        assert "another field" in refusal(made, {"more": {key: "1"}})


def test_a_form_with_free_fields_is_one_argument(compiled: Any) -> None:
    made = compiled(body(FORM, {"type": "object", "additionalProperties": STRING}))
    assert built(made, {"body": {"a&b": "1", "c": "2"}}).body == b"a%26b=1&c=2"


# --- multipart -----------------------------------------------------------------------------------------


def test_multipart_fields_json_and_files(compiled: Any) -> None:
    schema = fields(
        note=STRING,
        meta=fields(x={"type": "integer"}),
        tags={"type": "array", "items": STRING},
        file={**BINARY, "description": "the picture"},
        more={"type": "array", "items": BINARY},
    )
    made = compiled(body(MULTIPART, schema))
    assert made.arguments["properties"]["file"]["description"] == "the picture"
    request = built(
        made,
        {
            "note": "hé",
            "meta": {"x": 1},
            "tags": ["a", "b"],
            "file": {
                "content": "/wA=",
                "encoding": "base64",
                "filename": "ü.png",
                "content_type": "image/png",
            },
            "more": [{"content": "/wA=", "encoding": "text"}],
        },
    )
    boundary = request.headers["content-type"].partition("boundary=")[2]
    edge = f"--{boundary}".encode()
    assert request.body == b"\r\n".join(
        [
            *(edge, b'Content-Disposition: form-data; name="note"', b"", "hé".encode()),
            *(edge, b'Content-Disposition: form-data; name="meta"', b"Content-Type: application/json", b""),
            b'{"x":1}',
            *(edge, b'Content-Disposition: form-data; name="tags"', b"", b"a"),
            *(edge, b'Content-Disposition: form-data; name="tags"', b"", b"b"),
            *(edge, 'Content-Disposition: form-data; name="file"; filename="ü.png"'.encode()),
            *(b"Content-Type: image/png", b"", b"\xff\x00"),
            *(edge, b'Content-Disposition: form-data; name="more"; filename="more"'),
            *(b"Content-Type: application/octet-stream", b"", b"/wA="),
            *(edge + b"--", b""),
        ]
    )
    assert [part.get_content_type() for part in parts(request)][-2:] == [
        "image/png",
        "application/octet-stream",
    ]


def test_the_boundary_is_the_same_for_the_same_parts_and_in_none_of_them(compiled: Any) -> None:
    made = compiled(body(MULTIPART, fields(a=STRING, b=STRING)))
    first = built(made, {"a": "x", "b": "y"})
    assert first == built(made, {"a": "x", "b": "y"})
    assert first.headers != built(made, {"a": "xb", "b": "y"}).headers
    boundary = first.headers["content-type"].partition("boundary=")[2]
    hostile = f'x\r\n--{boundary}\r\nContent-Disposition: form-data; name="admin"\r\n\r\n1\r\n--{boundary}--'
    read = parts(built(made, {"a": hostile, "b": boundary}))
    assert [part.get_param("name", header="content-disposition") for part in read] == ["a", "b"]


FILE = {"content": "a", "encoding": "text"}


@pytest.mark.parametrize(
    "file",
    [
        {**FILE, "filename": 'a"; name="admin'},
        {**FILE, "filename": "a\\b"},
        {**FILE, "filename": "a\r\nX-Evil: 1"},
        {**FILE, "filename": "../../etc/passwd"},
        {**FILE, "filename": ".."},
        {**FILE, "filename": "a\x00.png"},
        {**FILE, "content_type": "text/plain\r\nX-Evil: 1"},
        {**FILE, "content_type": "text/plain; charset=x"},
        {**FILE, "content_type": "image/*"},
        {"content": "not base64", "encoding": "base64"},
    ],
)
def test_files_that_would_leave_their_part_are_refused(compiled: Any, file: Any) -> None:
    made = compiled(body(MULTIPART, fields(f=BINARY)))
    if '"' in file.get("filename", ""):
        (part,) = parts(built(made, {"f": file}))
        assert part.get_filename() == "a%22; name=%22admin"
        assert part.get_param("name", header="content-disposition") == "f"
        return
    refusal(made, {"f": file})


def test_a_file_has_a_type_that_the_service_takes(compiled: Any) -> None:
    encoding = {"f": {"contentType": "image/png, image/jpeg"}, "g": {"contentType": "audio/*"}}
    made = compiled(body(MULTIPART, fields(f=BINARY, g=BINARY), encoding=encoding))
    assert parts(built(made, {"f": FILE}))[0].get_content_type() == "image/png"
    fine = {"f": {**FILE, "content_type": "image/jpeg"}, "g": {**FILE, "content_type": "audio/ogg"}}
    assert [part.get_content_type() for part in parts(built(made, fine))] == ["image/jpeg", "audio/ogg"]
    refusal(made, {"f": {**FILE, "content_type": "text/html"}})
    refusal(made, {"g": FILE})


def test_files_behind_references_and_combinations(compiled: Any) -> None:
    schemas = {
        "File": BINARY,
        "Upload": {
            "allOf": [
                fields(one={"$ref": "#/components/schemas/File"}),
                {
                    "type": "object",
                    "properties": {"any": {"anyOf": [BINARY, {"type": "array", "items": BINARY}]}},
                },
            ]
        },
    }
    made = compiled(body(MULTIPART, {"$ref": "#/components/schemas/Upload"}), components={"schemas": schemas})
    given = {"body": {"one": FILE, "any": [FILE, FILE]}}
    assert [part.get_filename() for part in parts(built(made, given))] == ["one", "any", "any"]
    assert not compile_shape(made.arguments).is_valid({"body": {"one": "text"}})


def test_files_of_3_1_have_no_type(compiled: Any) -> None:
    """3.1.1, section 4.8.15.1.1: nothing said is `application/octet-stream`; `contentEncoding` is text."""
    schema = fields(
        raw={}, png={"contentMediaType": "image/png"}, text={"type": "string", "contentEncoding": "base64"}
    )
    made = compiled(body(MULTIPART, schema), openapi="3.1.0")
    request = built(made, {"raw": FILE, "png": FILE, "text": "YQ=="})
    assert [part.get_content_type() for part in parts(request)] == [
        "application/octet-stream",
        "image/png",
        "text/plain",
    ]


def test_headers_of_a_part_have_one_value_or_stop(compiled: Any, problems: Any) -> None:
    fixed = {"X-Kind": {"schema": {"enum": ["a b"]}}, "X-Free": {"schema": STRING}}
    made = compiled(body(MULTIPART, fields(f=BINARY), encoding={"f": {"headers": fixed}}))
    (part,) = parts(built(made, {"f": FILE}))
    assert part["X-Kind"] == "a b"
    assert "X-Free" in made.notes[0].message
    needed = {"X-Free": {"schema": STRING, "required": True}}
    schema = {**fields(f=BINARY), "required": ["f"]}
    (problem,) = problems(body(MULTIPART, schema, encoding={"f": {"headers": needed}}))
    assert problem.code == "AC705"
    assert problem.pointer[-3:] == ("f", "headers", "X-Free")


def test_every_field_can_stand_in_every_place(compiled: Any) -> None:
    """Names that collide between path, query, header, cookie and a form get their place in front."""
    parameters = [
        {"name": "id", "in": place, "required": True, "schema": STRING}
        for place in ("path", "query", "header", "cookie")
    ]
    made = compiled({"parameters": parameters, **body(FORM, fields(id=STRING))}, path="/x/{id}")
    names = ["path_id", "query_id", "header_id", "cookie_id", "body_id"]
    assert list(made.arguments["properties"]) == names
    request = built(made, {name: name[0] for name in names})
    assert request.url == "https://api.example.com/x/p?id=q"
    assert (request.headers["id"], request.headers["cookie"], request.body) == ("h", "id=c", b"id=b")


def test_a_person_sees_all_of_a_body(compiled: Any) -> None:
    made = compiled(body(MULTIPART, fields(note=STRING, f=BINARY)))
    text = preview(built(made, {"note": "a\u202eb", "f": {"content": "/wA=", "encoding": "base64"}}))
    assert "\\xff\\u0000" in text
    assert "\\u202e" in text
    assert 'name="note"' in text

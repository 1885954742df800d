"""Bodies of every kind through the broker: what arrives, what a person is asked, what is recorded."""

from __future__ import annotations

import base64

import msgspec
import pytest

from agentc_runtime.bodies import body_data, body_lines
from agentc_runtime.bundle import Approval, Body, Param, Part, PathPart
from agentc_runtime.calls import Returned
from agentc_runtime.integrity import problems
from agentc_runtime.recorded import recorded
from agentc_runtime.refusals import Refusal
from agentc_runtime.wire import HttpRequest

DATA = base64.b64encode(b"\xff\x00\r\n--").decode()
FILE = {"content": DATA, "encoding": "base64"}


@pytest.fixture
def sends(world, kit):
    """Calls the refund tool with another body in its plan, and asks a person first."""

    async def run(body, arguments, **changes):
        tool = kit.refund_tool()
        plan = msgspec.structs.replace(tool.request, body=body, **changes)
        made = kit.program(world.server.port)
        schema = {"type": "object"}
        grant = msgspec.structs.replace(
            made.grants[tool.name],
            schema=schema,
            where=None,
            bind={},
            approval=Approval(by=("leads",)),
        )
        tools = {**made.tools, tool.name: msgspec.structs.replace(tool, request=plan, arguments=schema)}
        world.build(msgspec.structs.replace(made, tools=tools, grants={**made.grants, tool.name: grant}))
        return await world.call(tool.name.replace(".", "_"), arguments)

    return run


MULTIPART = Body(
    content_type="multipart/form-data",
    kind="multipart",
    fields={"note": "note", "file": "file"},
    parts={"file": Part(kind="file")},
)


async def test_files_arrive_and_the_question_shows_them(world, sends):
    outcome = await sends(MULTIPART, {"note": "é", "file": FILE})
    assert isinstance(outcome, Returned), outcome
    (seen,) = world.server.seen
    assert b"\xff\x00\r\n--\r\n" in seen.body
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=agentc-")
    assert seen.body.count(seen.headers["content-type"].partition("boundary=")[2].encode()) == 3
    (asked,) = world.person.asked
    assert "\\xff\\u0000" in asked.preview
    assert 'name="note"' in asked.preview


async def test_the_digest_that_is_agreed_to_is_that_of_the_bytes(world, sends):
    body = Body(content_type="application/octet-stream", kind="binary", argument="body")
    for text in (DATA, DATA, base64.b64encode(b"\xfe").decode()):
        await sends(body, {"body": text})
    first, same, other = (claim.request_digest for claim in world.records.claims)
    assert first == same != other


async def test_what_is_no_base64_is_not_sent(world, sends):
    body = Body(content_type="application/octet-stream", kind="binary", argument="body")
    for bad in ("a", "YQ", "Y Q=", 5, None, {"a": 1}):
        outcome = await sends(body, {"body": bad})
        assert isinstance(outcome, Refusal)
        assert (outcome.code, outcome.path) == ("AR304", "body")
    assert world.server.seen == []
    assert world.person.asked == []


async def test_cookies_of_the_call_stand_beside_the_credential(world, sends):
    cookies = (Param(argument="seen", name="seen"), Param(argument="ids", name="ids", explode=False))
    plain = Body(content_type="text/plain", kind="text", argument="body")
    await sends(plain, {"seen": "a; sid=evil", "ids": [1, 2], "body": "x"}, cookies=cookies)
    (seen,) = world.server.seen
    assert seen.headers["cookie"] == "seen=a%3B%20sid%3Devil; ids=1,2"
    assert seen.body == b"x"


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        (Param(argument="c", name="a b"), "x"),
        (Param(argument="c", name="a=b"), "x"),
        (Param(argument="c", name="c", explode=True), ["a", "b"]),
        (Param(argument="c", name="c", explode=True), {"sid": "x"}),
    ],
)
async def test_cookies_that_would_be_others_are_refused(world, sends, cookie, value):
    plain = Body(content_type="text/plain", kind="text", argument="body")
    outcome = await sends(plain, {"c": value, "body": "x"}, cookies=(cookie,))
    assert isinstance(outcome, Refusal)
    assert outcome.code == "AR304"


def _request(body):
    return HttpRequest(
        method="POST",
        url="http://h/x",
        headers={},
        body=body,
        origin="http://h:80",
        timeout_ms=1,
        max_response_bytes=1,
    )


def test_different_bytes_are_different_records():
    bodies = [b"\xff", b"\xfe", b"\\xff", "\ufffd".encode(), b'{"base64":"/w=="}']
    assert len({str(body_data(body)) for body in bodies}) == len(bodies)
    digests = {recorded(_request(body), lambda text: text).digest for body in bodies[:4]}
    assert len(digests) == 4


def test_what_is_shown_of_a_body():
    assert body_lines("application/json", b'{"a":"\\u202e"}') == ["{", '  "a": "\\u202e"', "}"]
    assert body_lines("text/plain", b"a\r\nb\x1b") == ["a", "b\\u001b"]
    assert body_lines("application/octet-stream", b"\xff") == ["\\xff"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (Body(content_type="text/plain", kind="text", fields={"a": "a"}), "needs `argument`"),
        (Body(content_type="application/json", argument="a", parts={"a": Part()}), "is no form"),
        (
            msgspec.structs.replace(MULTIPART, parts={"file": Part(headers={"X": "a\r\nY: 1"})}),
            "malformed header",
        ),
        (msgspec.structs.replace(MULTIPART, parts={"file": Part(headers={"X:Y": "a"})}), "malformed header"),
    ],
)
def test_a_bundle_with_such_a_body_does_not_load(kit, body, words):
    made = kit.program(1)
    tool = made.tools["helpdesk.refund"]
    plan = msgspec.structs.replace(tool.request, body=body, path=((PathPart(literal="x"),),))
    tools = {**made.tools, tool.name: msgspec.structs.replace(tool, request=plan)}
    assert any(words in problem for problem in problems(msgspec.structs.replace(made, tools=tools)))

"""Attacks on the request: what reaches a real server, byte by byte."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentc_runtime.bundle import Body, Param, PathPart
from agentc_runtime.calls import Returned
from agentc_runtime.environments import Auth
from agentc_runtime.refusals import Refusal

# --- path ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "../admin",
        "../../admin",
        "a/../../b",
        "..\\admin",
        "%2e%2e",
        "%2e%2e%2fadmin",
        "%252e%252e%252fadmin",
        "..;/admin",
        "a\x00b",
        "a\r\nX-Evil: 1",
        "a%0d%0aX-Evil: 1",
    ],
)
async def test_path_values_that_would_move_are_refused(world, value):
    outcome = await world.read(value)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.path, outcome.at.line) == ("AR304", "ticket_id", 8)
    assert world.server.seen == []


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?x=1", "a%3Fx%3D1"),
        ("a#b", "a%23b"),
        ("a%2Fb", "a%252Fb"),
        ("...", "..."),
        ("a b+é", "a%20b%2B%C3%A9"),
        ("//evil.example", "%2F%2Fevil.example"),
        ("@evil.example", "%40evil.example"),
        (";a=b", "%3Ba%3Db"),
    ],
)
async def test_path_values_stay_one_segment(world, value, segment):
    assert isinstance(await world.read(value), Returned)
    assert world.server.seen[0].target == f"/v1/tickets/{segment}"
    assert world.server.seen[0].headers["host"] == f"127.0.0.1:{world.server.port}"


@pytest.fixture
def reads(kit):
    """Runs path values through one broker and one server, as many as wanted."""

    async def run(server, world, values):
        for value in values:
            server.seen.clear()
            outcome = await world.read(value)
            if isinstance(outcome, Refusal):
                assert outcome.code in ("AR103", "AR304"), (value, outcome)
                assert server.seen == []
            else:
                (seen,) = server.seen
                assert seen.method == "GET"
                prefix, segment = seen.target[:12], seen.target[12:]
                assert prefix == "/v1/tickets/"
                assert not set(segment) & set("/?#\\; ")
                assert unquote(segment, errors="strict") == value
                assert segment not in ("", ".", "..")
                assert seen.raw.count(b"\r\n\r\n") == 1

    return run


HOSTILE = st.text(alphabet=st.sampled_from("./\\%25eEfF;?#@:\r\n\x00 aé\u202e😀"), max_size=12)


async def test_law_one_segment_that_decodes_to_the_value_or_nothing(world, reads):
    """Hypothesis is synchronous, so it draws the values and one loop sends them."""
    values: list[str] = []

    @settings(max_examples=300, deadline=None, database=None)
    @given(st.text() | HOSTILE)
    def draw(value):
        values.append(value)

    await asyncio.to_thread(draw)
    assert len(values) > 100
    await reads(world.server, world, values)


async def test_law_nothing_that_is_refused_reaches_the_server(world, kit):
    drawn = []
    scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    names = st.sampled_from(["ticket_id", "x_trace", "tags", "amount", "customer_id", "url"])
    tools = st.sampled_from(["helpdesk_get_ticket", "helpdesk_refund", "helpdesk_purge", "x"])
    given_ = st.dictionaries(names, scalar | st.lists(st.text(max_size=4), max_size=2), max_size=3)

    @settings(max_examples=300, deadline=None, database=None)
    @given(st.tuples(tools, given_, st.sampled_from(["work", "look", "end"])))
    def draw(case):
        drawn.append(case)

    await asyncio.to_thread(draw)
    broker = world.build()
    for name, arguments, state in drawn:
        before = len(world.server.seen)
        outcome = await broker.call(kit.call(name, arguments, state=state), world.events.append)
        after = len(world.server.seen)
        if isinstance(outcome, Refusal) and outcome.code < "AR4":
            assert after == before, (name, arguments, outcome)
        else:
            assert after == before + 1
            assert state == "work" or name == "helpdesk_get_ticket"


# --- headers, query, body ------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\x7f", " a", "a ", "ā", "😀"])
async def test_header_values_that_break_out_are_refused(world, value):
    outcome = await world.read("t1", x_trace=value)
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.path) == ("AR304", "x_trace")
    assert world.server.seen == []


async def test_headers_arrive_as_planned(world, kit):
    assert isinstance(await world.read("t1", x_trace="trace é"), Returned)
    headers = world.server.seen[0].headers
    assert headers["x-trace"] == "trace é"
    assert headers["authorization"] == f"Bearer {kit.secret}"
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("agentc/")
    assert set(headers) == {"host", "accept", "x-trace", "authorization", "accept-encoding", "user-agent"}


async def test_query_values_stay_in_their_parameter(world):
    await world.read("t1", tags=["a&b=c", "d e", "f,g#h"])
    assert world.server.seen[0].target == "/v1/tickets/t1?tag=a%26b%3Dc&tag=d%20e&tag=f%2Cg%23h"


async def test_an_empty_list_is_not_silently_no_filter(world):
    outcome = await world.read("t1", tags=[])
    assert (outcome.code, outcome.path) == ("AR304", "tags")


@pytest.fixture
def planned(world, kit):
    """Calls a tool whose plan and schema are changed, and returns what arrived, or the refusal."""

    async def run(arguments, *, base=None, **changes):
        tool = kit.refund_tool() if "body" in changes else kit.read_tool()
        plan = msgspec.structs.replace(tool.request, **changes)
        schema = {"type": "object"}
        part = {"request": plan, "arguments": schema}
        made = kit.program(world.server.port)
        name = tool.name
        tools = {**made.tools, name: msgspec.structs.replace(tool, **part)}
        grants = {
            name: msgspec.structs.replace(
                made.grants[name], schema=schema, where=None, bind={}, approval=None
            )
        }
        made = msgspec.structs.replace(made, tools=tools, grants=grants)
        broker = world.build(made)
        outcome = await broker.call(kit.call(name, arguments), world.events.append)
        return outcome if isinstance(outcome, Refusal) else world.server.seen[-1]

    return run


ROOT = ((PathPart(literal="x"),),)


async def test_a_spread_object_can_not_set_another_parameter(planned):
    query = (Param(argument="customer", name="customer_id"), Param(argument="filter", name="filter"))
    fine = await planned({"customer": "c7", "filter": {"a": 1, "b&c": True}}, path=ROOT, query=query)
    assert fine.target == "/v1/x?customer_id=c7&a=1&b%26c=true"
    bad = await planned({"customer": "c7", "filter": {"customer_id": "c8"}}, path=ROOT, query=query)
    assert (bad.code, bad.path) == ("AR304", "filter")
    auth = (Auth(kind="query", secret="token", name="key"),)
    bad = await planned({"filter": {"key": "mine"}}, path=ROOT, query=query, auth=auth)
    assert bad.code == "AR304"


@pytest.mark.parametrize(
    ("style", "explode", "value", "path", "query"),
    [
        ("simple", False, [1, "b,c"], "1,b%2Cc", "v=1,b%2Cc"),
        ("simple", True, [1, 2], "1,2", "v=1&v=2"),
        ("simple", False, {"a": 1, "b": "x"}, "a,1,b,x", "v=a,1,b,x"),
        ("simple", True, {"a": 1, "b": "x"}, "a=1,b=x", "a=1&b=x"),
        ("simple", True, True, "true", "v=true"),
        ("simple", True, 12345678901234567, "12345678901234567", "v=12345678901234567"),
        ("simple", True, 5.0, "5", "v=5"),
        ("simple", True, 0.5, "0.5", "v=0.5"),
    ],
)
async def test_openapi_styles(planned, style, explode, value, path, query):
    param = Param(argument="v", name="v", style=style, explode=explode)
    seen = await planned({"v": value}, path=((PathPart(param=param),),), query=())
    assert seen.target == f"/v1/{path}"
    seen = await planned({"v": value}, path=ROOT, query=(msgspec.structs.replace(param, style="form"),))
    assert seen.target == f"/v1/x?{query}"


async def test_two_parameters_can_not_make_dots_together(planned):
    parts = tuple(PathPart(param=Param(argument=name, name=name)) for name in "ab")
    assert (await planned({"a": "x", "b": "y"}, path=(parts,))).target == "/v1/xy"
    for value in (".", "", None, {}, []):
        assert (await planned({"a": value, "b": "."}, path=(parts,))).code == "AR304"


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Authorization", "Cookie", "X-Key", "bad name"]
)
async def test_arguments_never_fill_framing_or_credential_headers(planned, name):
    auth = (Auth(kind="header", secret="token", name="X-Key"),)
    headers = (Param(argument="h", name=name, style="simple"),)
    assert (await planned({"h": "1"}, path=ROOT, headers=headers, auth=auth)).code == "AR304"


async def test_header_lists_keep_their_items_apart(planned):
    headers = (Param(argument="h", name="X-List", style="simple"),)
    assert (await planned({"h": ["a", "b"]}, path=ROOT, headers=headers)).headers["x-list"] == "a,b"
    assert (await planned({"h": ["a,b"]}, path=ROOT, headers=headers)).code == "AR304"


async def test_credentials(planned, kit):
    for auth, header, value in [
        (Auth(kind="basic", secret="token"), "authorization", "Basic czNjcjN0LXQwa2Vu"),
        (Auth(kind="header", secret="token", name="X-Api-Key"), "x-api-key", kit.secret),
        (Auth(kind="cookie", secret="token", name="sid"), "cookie", f"sid={kit.secret}"),
    ]:
        assert (await planned({}, path=ROOT, auth=(auth,))).headers[header] == value
    seen = await planned({}, path=ROOT, auth=(Auth(kind="query", secret="token", name="key"),))
    assert seen.target == f"/v1/x?key={kit.secret}"


async def test_a_body_holds_given_fields_only(planned, world):
    seen = await planned(
        {"amount": 1.0, "x": 1},
        body=Body(content_type="application/json", fields={"amount": "amount", "note": "note"}),
    )
    assert json.loads(seen.body) == {"amount": 1}
    assert seen.headers["content-type"] == "application/json"
    whole = Body(content_type="application/json", argument="order")
    assert json.loads((await planned({"order": [1, {"a": "\u2028"}]}, body=whole)).body) == [
        1,
        {"a": "\u2028"},
    ]
    assert (await planned({}, body=whole)).headers["content-length"] == "0"


# --- hosts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "http://127.1:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.0.0.01:{port}/",
        "http://a@127.0.0.1:{port}/",
        "http://user:pw@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@evil.example/",
        "http://127.0.0.1:{port}\\@evil.example/",
        "http://127.0.0.1:{port}#@evil.example/",
        "http://127.0.0.1:{port}/../admin",
        "http://127.0.0.1:{port}/%2e%2e/admin",
        "http://127.0.0.1:{port}/a?x=",
        "http://127.0.0.1:{port}//evil.example",
        "http://127.0.0.1.:{port}/",
        "http://loc\u0430lhost:{port}/",
        "http://①②⑦.0.0.1:{port}/",
        "http://127.0.0.1:{port}\r\nX: y/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://[::ffff:127.0.0.1%25lo]:{port}/",
        "ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "//127.0.0.1:{port}/",
        "127.0.0.1:{port}",
        " http://127.0.0.1:{port}/",
        "http:///x",
        "",
    ],
)
async def test_hosts_have_one_spelling(world, url):
    port = world.server.port
    world.build(environment={"variables": {"HELPDESK_URL": url.format(port=port)}})
    outcome = await world.read()
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.at.file) == ("AR301", "specs/triage.yaml")
    assert world.server.seen == []


async def test_a_server_without_a_value_is_refused(world):
    world.build(environment={"variables": {}})
    outcome = await world.read()
    assert (outcome.code, outcome.at.line) == ("AR301", 22)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_loopback_needs_to_be_listed(world, host):
    world.build(host=host, environment={"private_hosts": ("127.0.0.1:1", "example.com:443")})
    outcome = await world.read()
    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.at.line) == ("AR302", 20)
    assert world.server.seen == []


async def test_a_listed_name_is_connected_to(world):
    world.build(host="localhost")
    outcome = await world.read()
    assert isinstance(outcome, Returned), outcome
    assert world.server.seen[0].headers["host"] == f"localhost:{world.server.port}"


async def test_nobody_is_not_a_host_even_if_listed(world):
    world.build(host="0.0.0.0")
    assert (await world.read()).code == "AR302"

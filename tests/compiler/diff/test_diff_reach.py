"""Servers, secrets, models and requests: what is reached and shown, whichever file says so."""

from __future__ import annotations

import msgspec
import pytest

from agentc.checks.base import PROJECT, sha256_of
from agentc.diff.compare import compare
from agentc.diff.values import Side, Version
from agentc_runtime import bundle as ir
from agentc_runtime.behaviour import Pagination
from agentc_runtime.environments import Auth, Endpoint, Environment, TokenSource

HEAD = "# file: agentc.yaml\n"


def wider(delta):
    return [(one.code, one.how, one.subject, one.what) for one in delta.widenings]


@pytest.fixture
def version(tmp_path, kit) -> Version:
    (one,) = kit.side(tmp_path / "desk", HEAD + PROJECT).agents.values()
    return one


def between(old: Version, new: ir.Program):
    """The delta from a version to one with another program."""
    sides = (old, Version(new, old.source_map, old.sources))
    return compare(*(Side(str(n), {"triage": one}, "folder", str(n)) for n, one in enumerate(sides)))


def with_tool(version: Version, name: str = "desk.refund", **fields) -> ir.Program:
    tool = msgspec.structs.replace(version.program.tools[name], **fields)
    return msgspec.structs.replace(version.program, tools={**version.program.tools, name: tool})


def test_an_environment_that_no_permission_set_names(differ):
    new = PROJECT.replace("http://127.0.0.1:8080", "https://desk.example.com/v2/")
    delta = differ(HEAD + PROJECT, HEAD + new)
    assert wider(delta) == [("AC911", "added", "https://desk.example.com/v2", "is reached in `local`")]
    assert delta.changes[0].now.file == "agentc.yaml"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/admin", ["http://127.0.0.1:8080/admin"]),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", []),
        ("https://a.example.com", "https://a.example.com:443", []),
        ("https://a.example.com", "http://a.example.com", ["http://a.example.com"]),
    ],
)
def test_a_base_url_is_compared_as_what_it_reaches(differ, old, new, expected):
    texts = (HEAD + PROJECT.replace("http://127.0.0.1:8080", url) for url in (old, new))
    assert [one.subject for one in differ(*texts).widenings] == expected


def test_two_servers_that_change_places(version):
    """No server is new, and every request goes to another one, with its credentials."""
    urls = {"DESK_URL": "https://a.example.com", "PAY_URL": "https://b.example.com"}
    swapped = {"DESK_URL": urls["PAY_URL"], "PAY_URL": urls["DESK_URL"]}
    plan = msgspec.structs.replace(
        version.program.tools["desk.refund"].request, endpoint=Endpoint(variable="PAY_URL")
    )
    program = with_tool(version, request=plan)
    old = msgspec.structs.replace(program, environments={"local": Environment(variables=urls)})
    new = msgspec.structs.replace(program, environments={"local": Environment(variables=swapped)})
    delta = between(Version(old, version.source_map, version.sources), new)
    assert [(code, subject) for code, _, subject, _ in wider(delta)] == [
        ("AC911", "desk.get_ticket"),
        ("AC911", "desk.refund"),
    ]


def test_a_credential_and_its_scopes(version):
    token = TokenSource(endpoint=Endpoint(url="https://id.example.com/token"), scopes=("read",))
    request = version.program.tools["desk.refund"].request

    def having(**fields):
        auth = Auth(kind="bearer", secret="client", token=msgspec.structs.replace(token, **fields))
        return with_tool(version, request=msgspec.structs.replace(request, auth=(auth,)))

    old = Version(having(), version.source_map, version.sources)
    more = between(old, having(scopes=("read", "write")))
    assert wider(more) == [("AC912", "widened", "desk.refund", "asks for the scopes `write`")]
    assert wider(between(old, having(scopes=()))) == []
    assert [code for code, *_ in wider(between(version, having()))] == ["AC911", "AC912"]


@pytest.mark.parametrize(
    ("fields", "code", "what"),
    [
        ({"effect": "read"}, "AC910", "has the effect `read`, not `send`"),
        ({"max_response_bytes": 2**21}, "AC909", "shows up to 2,097,152 bytes of an answer, not 1,048,576"),
        (
            {"pagination": Pagination(style="link_header", max_pages=5, max_items=50)},
            "AC906",
            "reads up to 5 pages and 50 items a call, not one page",
        ),
        (
            {"output": ir.Label(trust="trusted", sensitivity="internal")},
            "AC909",
            "has answers that are labelled as less of a risk",
        ),
    ],
)
def test_what_a_tool_is_said_to_be(version, fields, code, what):
    assert (code, what) in [
        (one.code, one.what) for one in between(version, with_tool(version, **fields)).widenings
    ]


def test_an_operation_behind_the_same_name(version):
    request = version.program.tools["desk.refund"].request
    for plan, what in (
        (msgspec.structs.replace(request, method="DELETE"), "requests DELETE /refunds, not POST /refunds"),
        (msgspec.structs.replace(request, body=None), "puts its arguments into the body otherwise"),
        (
            msgspec.structs.replace(request, endpoint=Endpoint(url="http://127.0.0.1:8080")),
            "is served at `http://127.0.0.1:8080`, not `${env.DESK_URL}`",
        ),
    ):
        delta = between(version, with_tool(version, request=plan))
        assert ("AC910", "widened", "desk.refund", what) in wider(delta)


def test_an_argument_that_says_where_it_goes_and_no_longer_does(version):
    old = Version(with_tool(version, destinations=("currency",)), version.source_map, version.sources)
    found = {one.code: one.what for one in between(old, version.program).widenings}
    assert found == {
        "AC907": "asks nobody about where it goes by `currency`, which is settled",
        "AC908": "no longer goes where `currency` says",
    }


def test_more_sensitive_data_in_reach_of_a_call(version):
    """Nothing about the call has changed: another tool of its state answers with more."""
    label = ir.Label(trust="untrusted", sensitivity="restricted")
    delta = between(version, with_tool(version, "desk.get_ticket", output=label))
    assert (
        "AC909",
        "widened",
        "desk.refund",
        "may be called after restricted data was read, not only internal",
    ) in wider(delta)


def test_a_document_with_a_wider_argument_names_the_files_that_changed(tmp_path, kit):
    from agentc.checks.base import OPENAPI, TOOLSET

    narrow = OPENAPI.replace("currency: { type: string }", "currency: { type: string, maxLength: 3 }")
    toolset = TOOLSET % sha256_of(narrow)
    old = kit.side(tmp_path / "old", f"# file: openapi.yaml\n{narrow}# file: toolset.yaml\n{toolset}")
    new = kit.side(tmp_path / "new", HEAD + PROJECT)
    (change,) = compare(old, new).widenings
    assert (change.code, change.now.file) == ("AC903", "permissions.yaml")
    assert [path.rpartition("/")[2] for path in change.cause] == ["openapi.yaml", "toolset.yaml"]
    assert change.witness.less.code == "AR104"


def test_a_label_shows_by_a_call_after_the_answer(version):
    """What asked a person after the answer of another tool asks nobody: the answer counts as trusted."""
    label = ir.Label(trust="trusted", sensitivity="internal")
    (change,) = between(version, with_tool(version, "desk.get_ticket", output=label)).widenings
    assert (change.code, change.subject) == ("AC909", "desk.get_ticket")
    assert (change.witness.tool, change.witness.less.outcome, change.witness.more.outcome) == (
        "desk.refund",
        "asks",
        "allowed",
    )
    assert [read.trust for read in change.witness.read] == ["untrusted", "trusted"]

"""Pages from the specs to the wire: one call of a model reads all pages of a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TICKETS = [{"id": f"T-{number}"} for number in range(1, 8)]
LIST = {"calls": [{"name": "desk__list_tickets", "arguments": {"state": "open"}}]}
DONE = {"text": "Done."}
INTEGER = {"type": "integer", "minimum": 0}


def document(wrapped: bool) -> dict[str, Any]:
    """An API whose list of tickets has pages: an array, or an object with the array and a cursor."""
    ticket = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    answer: dict[str, Any] = {"type": "array", "items": ticket}
    if wrapped:
        cursor = {"type": ["string", "null"]}
        data = {"type": "object", "properties": {"tickets": answer}, "required": ["tickets"]}
        answer = {"type": "object", "properties": {"data": data, "next": cursor}, "required": ["data"]}
    names = {"state": {"type": "string"}, "after": {"type": "string"}}
    names |= dict.fromkeys(("page", "offset", "limit"), INTEGER)
    operation = {
        "operationId": "listTickets",
        "summary": "List tickets",
        "security": [{"token": []}],
        "parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in names.items()],
        "responses": {"200": {"description": "a page", "content": {"application/json": {"schema": answer}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Desk", "version": "1"},
        "paths": {"/tickets": {"get": operation}},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


class Desk:
    """Tickets in pages of `limit`, in one style. Links lead to `path`."""

    def __init__(self, services: Any, style: str, path: str) -> None:
        self.services, self.style, self.path = services, style, path
        self.port = 0

    def answer(self, asked: Any) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        size = int(query.get("limit", 3))
        starts = {
            "link_header": int(query.get("offset", 0)),
            "cursor": int(query.get("after", "c0").removeprefix("c")),
            "page": (int(query.get("page", 1)) - 1) * size,
            "offset": int(query.get("offset", 0)),
        }
        start = starts[self.style]
        found, end = TICKETS[start : start + size], start + size
        more = end < len(TICKETS)
        if self.style == "cursor":
            next_ = f"c{end}" if more else None
            return self.services.Answer({"data": {"tickets": found}, "next": next_})
        headers = {}
        if self.style == "link_header" and more:
            link = f"http://127.0.0.1:{self.port}{self.path}?state=open&limit={size}&offset={end}"
            headers["link"] = f'<{link}>; rel="next", <{link}>; rel="last"'
        return self.services.Answer(found, 200, headers)


PAGES: dict[str, dict[str, Any]] = {
    "link_header": {"style": "link_header"},
    "cursor": {"style": "cursor", "argument": "after", "items": "data.tickets", "next": "next"},
    "page": {"style": "page", "argument": "page"},
    "offset": {"style": "offset", "argument": "offset"},
}


class Paged:
    """A desk in a style, a model that lists its tickets, and the project of both."""

    def __init__(self, stack: ExitStack, folder: Path, command: Any, modules: Any) -> None:
        self.stack, self.folder, self.command = stack, folder, command
        self.services, self.providers = modules
        self.model: Any = None
        self.server: Any = None
        self.desk: Any = None

    def run(self, style: str, path: str = "/tickets", **pagination: Any) -> Any:
        """Build and run; what was printed."""
        self.desk = Desk(self.services, style, path)
        self.server = self.stack.enter_context(self.services.Service(self.desk.answer))
        self.desk.port = self.server.port
        self.model = self.stack.enter_context(self.providers.FakeProvider([LIST, DONE]))
        host = f"127.0.0.1:{self.server.port}"
        size = {"argument": "limit", "value": 3}
        tool = {
            "operation": "listTickets",
            "effect": "read",
            "pagination": {"size": size, **PAGES[style], **pagination},
        }
        project = self.services.write_project(
            self.folder / "project",
            model=self.model.url,
            document=document(style == "cursor"),
            toolset={
                "server": "${env.DESK_URL}",
                "auth": {"scheme": "token", "secret": "desk_token"},
                "tools": {"list_tickets": tool},
            },
            environment={
                "variables": {"DESK_URL": f"http://{host}"},
                "secrets": {"desk_token": {"env": "DESK_TOKEN"}},
                "private_hosts": [host],
            },
            grants=({"tool": "desk.list_tickets"},),
        )
        assert self.command("build", project, "--out", self.folder / "dist").code == 0
        store = self.folder / "runs.db"
        bundle = self.folder / "dist/triage-1.0.0"
        secrets = {"MODEL_KEY": "key-of-the-model", "DESK_TOKEN": "desk-token-value"}
        return self.command("run", bundle, "--store", store, "--format", "json", **secrets)

    def told(self) -> Any:
        """What the model was told of its call."""
        (message,) = [one for one in self.model.requests[1].body["messages"] if one["role"] == "tool"]
        return message["content"]


@pytest.fixture
def paged(tmp_path: Path, command: Any, live_service: Any, fake_provider: Any) -> Iterator[Paged]:
    with ExitStack() as stack:
        yield Paged(stack, tmp_path, command, (live_service, fake_provider))


@pytest.mark.parametrize("style", sorted(PAGES))
def test_one_call_reads_all_pages(paged: Paged, style: str) -> None:
    done = paged.run(style)
    assert done.code == 0, done.err
    pages = paged.server.to("/tickets")
    # `page` and `offset` end with a page that is empty or not full
    assert len(pages) in (3, 4)
    assert {one.headers["authorization"] for one in pages} == {"Bearer desk-token-value"}
    assert all("state=open" in one.path and "limit=3" in one.path for one in pages)
    told = paged.told()
    assert [f"T-{number}" in told for number in range(1, 9)] == [True] * 7 + [False]
    # the model neither saw nor set the page
    (tool,) = paged.model.requests[0].body["tools"]
    hidden = {PAGES[style].get("argument"), "limit"}
    assert not hidden & tool["function"]["parameters"]["properties"].keys()
    (returned,) = [json.loads(line) for line in done.out.splitlines() if '"tool_returned"' in line]
    assert (returned["pages"], returned.get("complete", True)) == (len(pages), True)


@pytest.mark.parametrize("style", sorted(PAGES))
def test_a_bound_ends_the_call_and_the_model_is_told(paged: Paged, style: str) -> None:
    done = paged.run(style, max_pages=2)
    assert len(paged.server.to("/tickets")) == 2
    told = paged.told()
    assert "T-6" in told
    assert "T-7" not in told
    (returned,) = [json.loads(line) for line in done.out.splitlines() if '"tool_returned"' in line]
    assert (returned["pages"], returned.get("complete", True)) == (2, False)
    log = paged.command("audit", "show", "--store", paged.folder / "runs.db", "--format", "json").out
    assert log.count('"page"') >= 2


def test_a_next_page_elsewhere_is_refused_with_its_line(paged: Paged) -> None:
    done = paged.run("link_header", "/admin")
    assert len(paged.server.asked) == 1
    (refused,) = [json.loads(line) for line in done.out.splitlines() if '"tool_refused"' in line]
    assert refused["refusal"]["code"] == "AR305"
    assert refused["refusal"]["at"]["file"] == "desk.yaml"

"""Pages folded into one call. The attacks: next pages elsewhere, without end, too large, in a circle."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentc_runtime.behaviour import Pagination
from agentc_runtime.bundle import Param, ResponseCase
from agentc_runtime.calls import Returned
from agentc_runtime.links import LinkError, follow, next_link
from agentc_runtime.refusals import Refusal

ANY = (ResponseCase(status="200", content_type="application/json"),)
LINKED = Pagination(style="link_header")
CURSOR = Pagination(style="cursor", argument="cursor", items="data.items", next="data.next")
PAGE = Pagination(style="page", argument="page", first=1, size_argument="size", size=2)
OFFSET = Pagination(style="offset", argument="offset", items="rows")

Answer = Callable[[dict[str, list[str]], int], bytes]


@pytest.fixture
def paged(world: Any, kit: SimpleNamespace) -> Callable[..., None]:
    """Make `get_ticket` a tool with pages, whose service answers with `answer(query, number)`."""

    def make(plan: Pagination, answer: Answer, **changes: Any) -> None:
        tool = kit.read_tool()
        query = (
            *tool.request.query,
            *(Param(argument=name, name=name) for name in ("page", "size", "offset")),
        )
        query = (*query, Param(argument="cursor", name="cursor"))
        request = msgspec.structs.replace(tool.request, query=query, responses=ANY)

        async def serve(seen: Any, writer: Any) -> None:
            writer.write(answer(parse_qs(urlsplit(seen.target).query), len(world.server.seen)))

        world.server.answer = serve
        world.build(read={"request": request, "pagination": plan, **changes})

    return make


def linked(kit: SimpleNamespace, target: str, items: object = ()) -> bytes:
    return kit.ok(json.dumps(items or [1]).encode(), extra=f'link: <{target}>; rel="next"\r\n')


def refused(outcome: object, code: str) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.code == code, outcome
    assert outcome.at is not None
    return outcome


# --- attacks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/v1/tickets/t1?page=2",
        "//evil.example/v1/tickets/t1?page=2",
        "https://127.0.0.1/v1/tickets/t1?page=2",
        "http://user@127.0.0.1:1/v1/tickets/t1?page=2",
        "/v1/tickets/t2?page=2",
        "/v1/tickets/t1/../t2?page=2",
        "/v1/tickets/t1/%2e%2e/t2?page=2",
        "/v1/tickets/t1/?page=2",
        "?tag=swapped&page=2",
        "?tag=mine&tag=swapped&page=2",
        "?page=2&admin=true",
        "?page=2&%74ag=swapped",
        "file:///etc/passwd",
        "?page=%ff",
        "?page=2&tag=mine;tag=swapped",
    ],
)
async def test_a_next_link_off_the_plan_is_not_followed(
    target: str, world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    paged(LINKED, lambda query, number: linked(kit, target))
    refusal = refused(await world.read(tags=["mine"]), "AR305")
    assert len(world.server.seen) == 1
    assert "evil" not in refusal.message
    assert "swapped" not in refusal.message


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_link_leaves_the_origin_the_path_or_what_the_call_has_set(target: str, query: str) -> None:
    url = "http://desk.example/v1/tickets?customer=c7&open=1"
    for link in (target, f"?{query}", f"/v1/tickets?{query}&customer=c8", f"//{target}?page=2"):
        try:
            followed = follow(url, link, ["customer", "open", "page"])
        except LinkError:
            continue
        assert followed.partition("?")[0] == "http://desk.example/v1/tickets"
        sent = parse_qs(urlsplit(followed).query, keep_blank_values=True)
        assert sent["customer"] == ["c7"]
        assert sent["open"] == ["1"]
        assert set(sent) <= {"customer", "open", "page"}


async def test_endless_pages_end_at_the_bound(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    plan = msgspec.structs.replace(LINKED, max_pages=4)
    paged(plan, lambda query, number: linked(kit, f"?page={number + 1}", [number]))
    outcome = await world.read()
    assert isinstance(outcome, Returned)
    assert (outcome.value, outcome.complete) == ([1, 2, 3, 4], False)
    assert len(world.server.seen) == 4


async def test_items_end_at_the_bound(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    plan = msgspec.structs.replace(LINKED, max_items=5)
    paged(plan, lambda query, number: linked(kit, f"?page={number + 1}", [number] * 3))
    outcome = await world.read()
    assert (outcome.value, outcome.complete) == ([1, 1, 1, 2, 2], False)


async def test_a_page_that_grows_meets_the_size_of_the_whole_call(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    paged(
        LINKED,
        lambda query, number: linked(kit, f"?page={number + 1}", ["x" * 200 * number]),
        max_response_bytes=1000,
    )
    refused(await world.read(), "AR401")
    assert len(world.server.seen) == 3  # 204 + 404 bytes came; the third has 604, and 392 were left


async def test_a_circle_of_links_is_left(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    paged(LINKED, lambda query, number: linked(kit, f"?page={number % 2}"))
    refused(await world.read(), "AR305")
    assert len(world.server.seen) == 3


async def test_a_cursor_that_comes_again_is_left(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    body = json.dumps({"data": {"items": [1], "next": "again"}}).encode()
    paged(CURSOR, lambda query, number: kit.ok(body))
    refused(await world.read(), "AR305")
    assert len(world.server.seen) == 2


@pytest.mark.parametrize("cursor", [["a"], {"a": 1}, True, 1.5, "x" * 5000])
async def test_a_cursor_that_is_no_short_text_is_not_sent(
    cursor: object, world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    body = json.dumps({"data": {"items": [1], "next": cursor}}).encode()
    paged(CURSOR, lambda query, number: kit.ok(body))
    refused(await world.read(), "AR305")
    assert len(world.server.seen) == 1


async def test_a_cursor_with_line_breaks_stays_one_query_value(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    evil = "a\r\nX-Evil: 1\r\n\r\nGET /v1/refunds HTTP/1.1&cursor=b#c"

    def answer(query: dict[str, list[str]], number: int) -> bytes:
        following = evil if number == 1 else None
        return kit.ok(json.dumps({"data": {"items": [number], "next": following}}).encode())

    paged(CURSOR, answer)
    outcome = await world.read()
    assert isinstance(outcome, Returned)
    assert parse_qs(urlsplit(world.server.seen[1].target).query)["cursor"] == [evil]
    assert "x-evil" not in world.server.seen[1].headers


async def test_a_cursor_with_line_breaks_does_not_get_into_a_header(world: Any, kit: SimpleNamespace) -> None:
    tool = kit.read_tool()
    request = msgspec.structs.replace(
        tool.request, headers=(Param(argument="cursor", name="X-Cursor", style="simple"),), responses=ANY
    )
    world.server.answer = kit.ok(b'{"data": {"items": [1], "next": "a\\r\\nX-Evil: 1"}}')
    world.build(read={"request": request, "pagination": CURSOR})
    refused(await world.read(), "AR304")
    assert len(world.server.seen) == 1


async def test_the_model_can_not_set_the_page(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    paged(PAGE, lambda query, number: kit.ok(b"[]"))
    refused(await world.read(page=7), "AR104")
    assert world.server.seen == []


async def test_each_page_counts_for_the_rate(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    paged(LINKED, lambda query, number: linked(kit, f"?page={number + 1}"), rate_per_minute=3)
    refused(await world.read(), "AR408")
    assert len(world.server.seen) <= 3


async def test_a_slow_service_does_not_get_more_time_by_pages(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    def answer(query: dict[str, list[str]], number: int) -> bytes:
        world.time.at += 2
        return linked(kit, f"?page={number + 1}")

    paged(LINKED, answer)
    refused(await world.read(), "AR405")
    assert len(world.server.seen) == 3  # 5 seconds for all of them


async def test_the_credential_goes_with_each_page_and_into_no_record(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    paged(LINKED, lambda query, number: linked(kit, f"?page={number + 1}") if number < 3 else kit.ok(b"[3]"))
    assert isinstance(await world.read(), Returned)
    assert [seen.headers["authorization"] for seen in world.server.seen] == [f"Bearer {kit.secret}"] * 3
    assert kit.secret not in world.records.text()


# --- what it is for ------------------------------------------------------------------------------------


async def test_links_are_followed_and_what_the_call_set_stays(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    def answer(query: dict[str, list[str]], number: int) -> bytes:
        assert query["tag"] == ["mine"]
        assert query.get("page", ["1"]) == [str(number)]
        target = f"http://127.0.0.1:{world.server.port}/v1/tickets/t1?tag=mine&page={number + 1}"
        return linked(kit, target, [number]) if number < 3 else kit.ok(b"[3]")

    paged(LINKED, answer)
    outcome = await world.read(tags=["mine"])
    assert (outcome.value, outcome.complete) == ([1, 2, 3], True)


async def test_cursors_are_followed_and_the_answer_keeps_its_shape(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    pages = {"": ([1, 2], "b"), "b": ([3], "c"), "c": ([], None)}

    def answer(query: dict[str, list[str]], number: int) -> bytes:
        items, following = pages[query.get("cursor", [""])[0]]
        page = {"data": {"items": items, "next": following}, "total": 3}
        return kit.ok(json.dumps(page).encode())

    paged(CURSOR, answer, fields=("data.items", "total"))
    outcome = await world.read()
    assert (outcome.value, outcome.complete) == ({"data": {"items": [1, 2, 3]}, "total": 3}, True)


async def test_page_numbers_count_until_a_page_is_empty(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    def answer(query: dict[str, list[str]], number: int) -> bytes:
        assert query == {"page": [str(number)], "size": ["2"]}
        return kit.ok(json.dumps([[1, 2], [3], []][number - 1]).encode())

    paged(PAGE, answer)
    assert (await world.read()).value == [1, 2, 3]


async def test_offsets_count_the_items_so_far(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    rows = list(range(7))

    def answer(query: dict[str, list[str]], number: int) -> bytes:
        start = int(query["offset"][0])
        return kit.ok(json.dumps({"rows": rows[start : start + 3]}).encode())

    paged(OFFSET, answer)
    assert (await world.read()).value == {"rows": rows}


async def test_the_quota_counts_a_call_once_and_the_log_has_each_page(
    world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    paged(OFFSET, lambda query, number: kit.ok(b'{"rows": [1]}' if number < 3 else b'{"rows": []}'))
    await world.read()
    pages = [payload for kind, payload in world.records.kept if kind == "page"]
    assert len(world.records.claims) == 1
    assert [page["page"] for page in pages] == [1, 2, 3]
    assert len({page["request_digest"] for page in pages}) == 3
    returned = world.events[-1]
    assert (returned.pages, returned.complete) == (3, True)


@pytest.mark.parametrize("body", [b'{"rows": {"a": 1}}', b'{"row": []}', b"[]", b'"rows"'])
async def test_a_page_without_its_array_is_refused(
    body: bytes, world: Any, kit: SimpleNamespace, paged: Any
) -> None:
    paged(OFFSET, lambda query, number: kit.ok(body))
    refused(await world.read(), "AR403")


async def test_a_page_that_fails_fails_the_call(world: Any, kit: SimpleNamespace, paged: Any) -> None:
    paged(OFFSET, lambda query, number: kit.ok(b'{"rows": [1]}') if number == 1 else kit.status(500))
    refused(await world.read(), "AR404")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<a>; rel="next"', "a"),
        ("<a>; rel=next", "a"),
        ('<a>; rel="prev", <b>; rel="last next"', "b"),
        ('<a>; REL="NEXT"', "a"),
        ('<a>; title="x; rel=next"', None),
        ('<a>; title="<b>; rel=next"', None),
        (r'<a>; title="x\", <b>; rel=next, \""', None),
        ('<a>; rel=prev; rel="next"', None),
        ('<a>; rel="nextish"', None),
        ("<a", None),
        ("", None),
    ],
)
def test_link_headers(header: str, found: str | None) -> None:
    assert next_link(header) == found


@pytest.mark.parametrize("header", ["<a>; rel=next, <b>; rel=next", "<a>; rel=next" + " " * 9000])
def test_link_headers_that_are_not_followed(header: str) -> None:
    with pytest.raises(LinkError):
        next_link(header)

"""Answers of reads that are kept. The attacks: another customer's answer, a stale one, a forged validator."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from agentc_runtime.behaviour import Cache, Pagination
from agentc_runtime.bundle import Grant, ResponseCase
from agentc_runtime.calls import Returned
from agentc_runtime.expressions import Ref
from agentc_runtime.refusals import Refusal

MINUTE = Cache(ttl_ms=60_000)


@pytest.fixture
def kept(world: Any, kit: SimpleNamespace) -> Callable[..., None]:
    """Make `get_ticket` keep its answers; the service numbers them, and adds `extra` headers."""

    def make(extra: str = "", answer: Callable[[Any, int], bytes] | None = None, **changes: Any) -> None:
        async def serve(seen: Any, writer: Any) -> None:
            number = len(world.server.seen)
            body = json.dumps({"id": str(number)}).encode()
            writer.write(answer(seen, number) if answer else kit.ok(body, extra=extra))

        world.server.answer = serve
        world.build(read={"cache": MINUTE, **changes})

    return make


async def ids(world: Any, *tickets: str) -> list[object]:
    outcomes = [await world.read(ticket) for ticket in tickets]
    assert all(isinstance(outcome, Returned) for outcome in outcomes), outcomes
    return [outcome.value["id"] for outcome in outcomes]


# --- attacks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", ["ticket_id", "x_trace"])
async def test_one_customer_never_gets_the_answer_of_another(
    bound: str, world: Any, kit: SimpleNamespace, kept: Any
) -> None:
    kept()
    made = kit.program(world.server.port, read={"cache": MINUTE})
    schema = {**kit.read_tool().arguments}
    schema["properties"] = {name: part for name, part in schema["properties"].items() if name != bound}
    schema["required"] = [name for name in schema["required"] if name != bound]
    grant = Grant(
        tool="helpdesk.get_ticket",
        permission_set="triage",
        schema=schema,
        bind={bound: Ref(path=("session", "customer_id"))},
    )
    world.build(msgspec.structs.replace(made, grants={**made.grants, "helpdesk.get_ticket": grant}))

    async def asked_by(customer: str) -> object:
        data = {"input": {}, "session": {"customer_id": customer}, "states": {}}
        arguments = {} if bound == "ticket_id" else {"ticket_id": "t1"}
        outcome = await world.call("helpdesk_get_ticket", arguments, data=data)
        assert isinstance(outcome, Returned)
        return outcome.value

    assert await asked_by("c7") == {"id": "1"}
    assert await asked_by("c8") == {"id": "2"}
    assert await asked_by("c7") == {"id": "1"}


async def test_another_credential_is_another_request(world: Any, kept: Any) -> None:
    kept()
    assert await ids(world, "t1") == ["1"]
    broker = world.broker
    world.environ["HELPDESK_TOKEN"] = "another-t0ken"
    broker._secrets = type(broker._secrets)(broker._environment, world.environ)
    assert await ids(world, "t1") == ["2"]


async def test_nothing_is_kept_for_another_run(world: Any, kept: Any) -> None:
    kept()
    assert await ids(world, "t1", "t1") == ["1", "1"]
    world.build(read={"cache": MINUTE})
    assert await ids(world, "t1") == ["2"]


async def test_an_effect_makes_reads_new(world: Any, kept: Any) -> None:
    kept()
    assert await ids(world, "t1") == ["1"]
    await world.refund()
    assert await ids(world, "t1") == ["3"]


@pytest.mark.parametrize(
    "extra", ["cache-control: no-store\r\n", "cache-control: private, max-age=0\r\n", "vary: *\r\n"]
)
async def test_what_the_service_forbids_is_asked_again(extra: str, world: Any, kept: Any) -> None:
    kept(extra)
    assert await ids(world, "t1", "t1") == ["1", "2"]


async def test_a_304_that_nobody_asked_for_is_no_answer(world: Any, kit: SimpleNamespace, kept: Any) -> None:
    kept(answer=lambda seen, number: kit.status(304, b""))
    outcome = await world.read()
    assert isinstance(outcome, Refusal)
    assert outcome.code == "AR404"


async def test_a_validator_that_no_header_can_carry_is_not_sent(world: Any, kept: Any) -> None:
    kept("etag: \x80\xff\r\n")
    assert await ids(world, "t1") == ["1"]
    world.time.at += 61
    assert await ids(world, "t1") == ["2"]
    assert "if-none-match" not in world.server.seen[1].headers


async def test_failures_are_not_kept(world: Any, kit: SimpleNamespace, kept: Any) -> None:
    kept(answer=lambda seen, number: kit.status(500) if number == 1 else kit.ok())
    assert isinstance(await world.read(), Refusal)
    assert isinstance(await world.read(), Returned)


# --- what it is for ------------------------------------------------------------------------------------


async def test_an_answer_is_given_again_under_its_label_until_its_time_is_over(world: Any, kept: Any) -> None:
    kept()
    assert await ids(world, "t1", "t1", "t2") == ["1", "1", "2"]
    assert [event.cached for event in world.events if hasattr(event, "cached")] == [False, True, False]
    labels = {event.label for event in world.events if hasattr(event, "cached")}
    assert labels == {world.broker._program.tools["helpdesk.get_ticket"].output}
    world.time.at += 61
    assert await ids(world, "t1") == ["3"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ('etag: "v1"', ("if-none-match", '"v1"')),
        (
            "last-modified: Mon, 05 Jan 2026 10:00:00 GMT",
            ("if-modified-since", "Mon, 05 Jan 2026 10:00:00 GMT"),
        ),
    ],
)
async def test_an_old_answer_is_asked_about(
    given: str, asked: tuple[str, str], world: Any, kit: SimpleNamespace, kept: Any
) -> None:
    def answer(seen: Any, number: int) -> bytes:
        if asked[0] in seen.headers:
            assert seen.headers[asked[0]] == asked[1]
            return kit.status(304, b"")
        return kit.ok(extra=f"{given}\r\n")

    kept(answer=answer)
    first = await world.read()
    world.time.at += 61
    second = await world.read()
    third = await world.read()
    assert [outcome.value for outcome in (first, second, third)] == [{"id": "t1"}] * 3
    assert [outcome.cached for outcome in (first, second, third)] == [False, True, True]
    assert len(world.server.seen) == 2


async def test_the_oldest_goes_first(world: Any, kept: Any) -> None:
    kept(cache=Cache(ttl_ms=60_000, max_entries=2))
    assert await ids(world, "a", "b", "c", "c", "b", "a") == ["1", "2", "3", "3", "2", "4"]


async def test_pages_are_kept_as_well(world: Any, kit: SimpleNamespace, kept: Any) -> None:
    def answer(seen: Any, number: int) -> bytes:
        link = "" if "offset=2" in seen.target else 'link: <?offset=2>; rel="next"\r\n'
        return kit.ok(json.dumps([number]).encode(), extra=link)

    tool = kit.read_tool()
    query = (*tool.request.query, msgspec.structs.replace(tool.request.query[0], name="offset"))
    any_json = (ResponseCase(status="200", content_type="application/json"),)
    request = msgspec.structs.replace(tool.request, query=query, responses=any_json)
    kept(answer=answer, request=request, pagination=Pagination(style="link_header"))
    assert [(await world.read()).value, (await world.read()).value] == [[1, 2], [1, 2]]
    assert world.events[-1].cached

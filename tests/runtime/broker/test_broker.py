"""The one door: the order of its checks, what it records, and what it never lets out."""

from __future__ import annotations

import asyncio
import base64
import json
from urllib.parse import quote

import pytest

from agentc_runtime.bundle import Approval, Quota
from agentc_runtime.calls import Decision, Returned
from agentc_runtime.environments import Auth
from agentc_runtime.events import ApprovalAsked, ApprovalDecided, ToolCalled, ToolRefused, ToolReturned
from agentc_runtime.labels import Label
from agentc_runtime.origins import Origins
from agentc_runtime.refusals import Refusal
from agentc_runtime.workflow import Retry

TAINTED = Label(trust="untrusted", sensitivity="internal")
RETRY = Retry(max_attempts=3, backoff_ms=1000, max_backoff_ms=10_000)


def kinds(world):
    return [type(event) for event in world.events]


async def reset(_, writer):
    writer.transport.abort()


async def hang(_, writer):
    await asyncio.Event().wait()


async def test_an_allowed_call(world, kit):
    outcome = await world.refund(10)
    assert isinstance(outcome, Returned)
    assert (outcome.status, outcome.value, outcome.label.trust) == (200, {"id": "t1"}, "trusted")
    (seen,) = world.server.seen
    assert (seen.method, seen.target) == ("POST", "/v1/refunds")
    assert json.loads(seen.body) == {"amount": 10, "customer": "c7"}
    assert seen.headers["x-api-key"] == kit.secret
    assert kinds(world) == [ToolCalled, ToolReturned]
    (claim,) = world.records.claims
    assert claim.arguments == {"amount": 10, "customer_id": "c7"}
    assert len(claim.request_digest) == 64
    assert world.records.settled == [("call-1", outcome)]
    assert world.person.asked == []


async def test_a_refused_call_is_recorded_and_told_with_its_line(world):
    outcome = await world.refund(4000)
    assert isinstance(outcome, Refusal)
    assert kinds(world) == [ToolCalled, ToolRefused]
    ((kind, payload),) = world.records.kept
    assert kind == "refused"
    assert payload["refusal"]["code"] == "AR201"
    assert payload["refusal"]["at"] == {"file": "specs/triage.yaml", "line": 11, "column": 1}
    assert world.records.claims == world.records.settled == world.server.seen == []


# --- the journal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["claim", "record"])
async def test_without_a_journal_nothing_is_sent(world, method):
    world.records.broken = method
    with pytest.raises(OSError, match="disk full"):
        await world.refund(30)  # asks for an approval, which is recorded
    assert world.server.seen == []


async def test_an_outcome_that_can_not_be_recorded_raises(world):
    world.records.broken = "settle"
    with pytest.raises(OSError, match="disk full"):
        await world.refund(1)


async def test_a_call_that_is_cut_off_is_not_left_open(world):
    arrived = asyncio.Event()

    async def arrive_and_hang(_, writer):
        arrived.set()
        await asyncio.Event().wait()

    world.server.answer = arrive_and_hang
    task = asyncio.create_task(world.refund(1))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ((_, outcome),) = world.records.settled
    assert outcome.code == "AR407"


# --- approvals -----------------------------------------------------------------------------------------


async def test_approval_is_asked_with_all_that_will_be_sent(world, kit):
    assert isinstance(await world.refund(30), Returned)
    (asked,) = world.person.asked
    assert asked.arguments == {"amount": 30, "customer_id": "c7"}
    assert asked.by == ("leads",)
    assert asked.reasons == (
        "`helpdesk.refund` needs an approval for these arguments (specs/triage.yaml:13)",
    )
    url = f"http://127.0.0.1:{world.server.port}/v1/refunds"
    assert asked.preview == f'POST {url}\n{{\n  "amount": 30,\n  "customer": "c7"\n}}'
    assert asked.digest == world.records.claims[0].request_digest
    assert kinds(world) == [ToolCalled, ApprovalAsked, ApprovalDecided, ToolReturned]
    assert [kind for kind, _ in world.records.kept] == ["approval_asked", "approval_decided"]


async def test_the_digest_is_of_exactly_this_call(world):
    for amount, data in [(30, "c7"), (31, "c7"), (30, "c8"), (30, "c7")]:
        await world.refund(amount, data={"session": {"customer_id": data}})
    first, second, third, again = (asked.digest for asked in world.person.asked)
    assert len({first, second, third}) == 3
    assert again == first


async def test_a_preview_can_not_be_dressed_up(world, kit):
    world.build(grant={"where": None})
    await world.call(
        "helpdesk_refund", {"amount": 30, "currency": "EUR\x1b[2J\u202e\u2028\x9b1m\nPOST /harmless"}
    )
    preview = world.person.asked[0].preview
    assert len(preview.split("\n")) == 6
    for char in "\x1b\u202e\u2028\x9b":
        assert char not in preview


async def test_rejected(world):
    world.person.decision = Decision(approved=False, by="bob", reason="too much")
    outcome = await world.refund(30)
    assert (outcome.code, outcome.at.line) == ("AR205", 13)
    assert "bob: too much" in outcome.message
    assert world.records.claims == []
    assert world.server.seen == []


async def test_a_narrower_call_is_sent_as_it_was_approved(world):
    world.person.decision = Decision(approved=True, by="bob", arguments={"amount": 25, "customer_id": "c7"})
    outcome = await world.refund(30)
    assert isinstance(outcome, Returned)
    assert outcome.arguments == {"amount": 25, "customer_id": "c7"}
    assert json.loads(world.server.seen[0].body) == {"amount": 25, "customer": "c7"}
    # the intent is that of what is sent, and not of what was asked for
    (claim,) = world.records.claims
    assert claim.arguments == {"amount": 25, "customer_id": "c7"}
    assert claim.request_digest != world.person.asked[0].digest


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ({"amount": 31, "customer_id": "c7"}, "AR208", "amount"),
        ({"amount": 25, "customer_id": "c8"}, "AR208", "customer_id"),
        ({"amount": 25}, "AR208", "customer_id"),
        ({"amount": 25, "customer_id": "c7", "currency": "EUR"}, "AR208", "currency"),
        ({"amount": 0, "customer_id": "c7"}, "AR201", "amount"),
    ],
)
async def test_an_approver_can_not_make_another_call_of_it(world, arguments, code, path):
    world.build(grant={"where": {"properties": {"amount": {"minimum": 1, "maximum": 50}}}})
    world.person.decision = Decision(approved=True, by="bob", arguments=arguments)
    outcome = await world.refund(30)
    assert (outcome.code, outcome.path) == (code, path)
    assert world.records.claims == []
    assert world.server.seen == []


async def test_whoever_is_asked_sees_where_arguments_come_from(world):
    origins = Origins()
    origins.add("session", {"customer_id": "c7"})
    await world.refund(30, origins=origins)
    (asked,) = world.person.asked
    assert asked.origins == {"amount": (), "customer_id": ("session",)}
    assert (asked.effect, asked.label.trust, asked.undo) == ("send", "trusted", "")


async def test_expired(world):
    world.person.hangs = True
    world.build(grant={"approval": Approval(by=(), expires_ms=30)})
    outcome = await world.refund(1)
    assert (outcome.code, outcome.value) == ("AR206", 30)
    assert kinds(world) == [ToolCalled, ApprovalAsked, ApprovalDecided, ToolRefused]
    assert world.server.seen == []


async def test_untrusted_content_asks(world):
    world.build(grant={"untrusted_to_effect": "approve"})
    await world.refund(30, context=TAINTED)
    assert [reason.rpartition("(")[2] for reason in world.person.asked[0].reasons] == [
        "specs/triage.yaml:15)",
        "specs/triage.yaml:13)",
    ]


# --- quotas --------------------------------------------------------------------------------------------


async def test_two_hundred_calls_meet_the_quota(world):
    world.build(grant={"quota": Quota(per_run=3, per_day=5), "approval": None})
    outcomes = [
        await world.refund(1, run_id=f"run{number % 4}", call_id=f"call-{number}") for number in range(200)
    ]
    assert len(world.server.seen) == 5
    codes = {outcome.code for outcome in outcomes if isinstance(outcome, Refusal)}
    assert codes == {"AR204"}
    assert [o.at.line for o in outcomes if isinstance(o, Refusal)] == [14] * 195


async def test_a_used_up_quota_is_not_asked_for(world):
    world.build(grant={"quota": Quota(per_run=1)})
    first = await world.refund(30)
    second = await world.refund(30, call_id="call-2")
    other = await world.refund(30, run_id="run2")
    assert isinstance(first, Returned)
    assert (second.code, second.value, second.at.line) == ("AR203", 1, 14)
    assert isinstance(other, Returned)
    assert len(world.person.asked) == 2


async def test_the_journal_has_the_last_word_on_quotas(world):
    world.build(grant={"quota": Quota(per_run=1)})
    await world.refund(30)
    world.build(grant={"quota": Quota(per_run=1)})  # a restarted process
    assert (await world.refund(30, call_id="call-2")).code == "AR203"


async def test_a_rejected_call_does_not_count(world):
    world.build(grant={"quota": Quota(per_run=1)})
    world.person.decision = Decision(approved=False, by="bob")
    await world.refund(30)
    world.person.decision = Decision(approved=True, by="bob")
    assert isinstance(await world.refund(30, call_id="call-2"), Returned)


# --- attempts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_reads_are_repeated(world, kit, status):
    world.build(read={"retry": RETRY})
    world.server.answer = [kit.status(status), kit.status(status), kit.ok()]
    assert isinstance(await world.read(), Returned)
    assert world.time.slept == [1.0, 2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
async def test_other_statuses_are_final(world, kit, status):
    world.build(read={"retry": RETRY})
    world.server.answer = kit.status(status)
    assert (await world.read()).code == "AR404"
    assert len(world.server.seen) == 1


async def test_retry_after_is_honoured_within_bounds(world, kit):
    world.build(read={"retry": RETRY})
    late = "retry-after: Thu, 01 Jan 2026 00:00:05 GMT\r\n"
    world.server.answer = [
        kit.status(503, extra=late),
        kit.status(503, extra="retry-after: 99999\r\n"),
        kit.ok(),
    ]
    assert isinstance(await world.read(), Returned)
    assert world.time.slept == [5.0, 10.0]
    world.server.answer = kit.status(503, extra="retry-after: soon\r\n")
    assert (await world.read()).code == "AR404"


async def test_only_the_declared_errors_are_repeated(world, kit):
    world.build(read={"retry": Retry(max_attempts=3, errors=("timeout",))})
    world.server.answer = kit.status(503)
    await world.read()
    assert len(world.server.seen) == 1


@pytest.mark.parametrize("answer", [reset, hang])
async def test_an_effect_without_a_key_is_sent_once(world, answer):
    world.build(refund={"retry": RETRY, "timeout_ms": 800})
    world.server.answer = answer
    outcome = await world.refund(1)
    assert outcome.code == "AR407"
    assert len(world.server.seen) == 1
    assert world.records.settled[0][1].code == "AR407"


async def test_gateways_do_not_know_what_became_of_an_effect(world, kit):
    world.build(refund={"retry": RETRY})
    world.server.answer = kit.status(504)
    assert (await world.refund(1)).code == "AR407"
    assert len(world.server.seen) == 1


async def test_an_effect_that_never_left_did_not_happen(world):
    world.build(
        environment={"variables": {"HELPDESK_URL": "http://127.0.0.1:1"}, "private_hosts": ("127.0.0.1:1",)}
    )
    assert (await world.refund(1)).code == "AR406"


async def test_an_effect_with_a_key_is_repeated_with_the_same_one(world, kit):
    world.build(refund={"retry": RETRY, "idempotency_header": "Idempotency-Key", "timeout_ms": 150})

    async def flaky(_, writer):
        if len(world.server.seen) < 3:
            writer.transport.abort()
        else:
            writer.write(kit.ok())

    world.server.answer = flaky
    assert isinstance(await world.refund(1), Returned)
    keys = {seen.headers["idempotency-key"] for seen in world.server.seen}
    assert len(world.server.seen) == 3
    assert keys == {world.records.claims[0].idempotency_key}
    await world.refund(1)
    await world.refund(1, call_id="call-2")
    await world.refund(1, run_id="run2")
    again, other_call, other_run = (seen.headers["idempotency-key"] for seen in world.server.seen[-3:])
    assert {again} == keys
    assert len({again, other_call, other_run}) == 3


async def test_a_lost_first_attempt_makes_the_outcome_unclear(world, kit):
    world.build(refund={"retry": RETRY, "idempotency_header": "Idempotency-Key"})

    async def first_lost(_, writer):
        if len(world.server.seen) == 1:
            writer.transport.abort()
        else:
            writer.write(kit.status(503))

    world.server.answer = first_lost
    assert (await world.refund(1)).code == "AR407"


async def test_an_effect_that_was_accepted_says_so(world, kit):
    world.server.answer = kit.ok(b"<html>", "text/html")
    outcome = await world.refund(1)
    assert outcome.code == "AR402"
    assert "the service had accepted the call (status 200)" in outcome.message


# --- rate and breaker ----------------------------------------------------------------------------------


async def test_rate_limit(world):
    world.build(read={"rate_per_minute": 2})
    outcomes = [await world.read() for _ in range(3)]
    assert [isinstance(o, Returned) for o in outcomes] == [True, True, False]
    assert (outcomes[2].code, outcomes[2].at.line) == ("AR408", 8)
    world.time.at += 30
    assert isinstance(await world.read(), Returned)
    assert (await world.read()).code == "AR408"


async def test_circuit_breaker(world, kit):
    world.build()
    world.server.answer = kit.status(500)
    for _ in range(5):
        assert (await world.read()).code == "AR404"
    assert (await world.read()).code == "AR408"
    assert isinstance(await world.refund(1), Refusal)  # its own breaker: this one was sent
    assert len(world.server.seen) == 6
    world.time.at += 31
    assert (await world.read()).code == "AR404"  # one try
    assert (await world.read()).code == "AR408"
    world.time.at += 31
    world.server.answer = kit.ok()
    assert isinstance(await world.read(), Returned)
    assert isinstance(await world.read(), Returned)


async def test_client_errors_do_not_open_the_breaker(world, kit):
    world.server.answer = kit.status(404)
    for _ in range(10):
        assert (await world.read()).code == "AR404"
    assert len(world.server.seen) == 10


# --- secrets -------------------------------------------------------------------------------------------


async def test_a_secret_that_is_not_set(world):
    world.environ.clear()
    outcome = await world.read()
    assert (outcome.code, outcome.at.line) == ("AR506", 21)
    assert "`HELPDESK_TOKEN`" in outcome.message
    assert world.server.seen == []
    assert world.records.claims == []


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\x00", "ключ"])
async def test_a_secret_that_a_header_can_not_carry(world, bad):
    world.environ["HELPDESK_TOKEN"] = bad
    outcome = await world.read()
    assert outcome.code == "AR506"
    assert bad not in repr(outcome)


@pytest.mark.parametrize("secret", ["s3cr3t-t0ken", 'pa"ss\\w/o+r=d&x', "user:päss"])
async def test_secrets_get_out_nowhere(world, kit, secret):
    """The service echoes the credentials in every way, and the model sends the secret as an argument."""
    world.environ["HELPDESK_TOKEN"] = secret
    plan = kit.refund_tool().request
    made = {
        "request": type(plan)(
            **{
                **{name: getattr(plan, name) for name in plan.__struct_fields__},
                "auth": (Auth(kind="query", secret="token", name="key"), Auth(kind="basic", secret="token")),
            }
        )
    }

    async def echo(seen, writer):
        said = {"id": secret, secret: [secret, seen.target, seen.headers["authorization"]]}
        code = 200 if len(world.server.seen) == 1 else 400
        writer.write(kit.status(code, json.dumps(said).encode()))

    world.server.answer = echo
    world.build(refund=made, grant={"where": None})
    outcomes = [
        await world.call("helpdesk_refund", {"amount": 30, "currency": secret}),
        await world.call("helpdesk_refund", {"amount": 30}),
        await world.call("helpdesk_refund", {"amount": secret}),
        await world.call(secret, {"amount": 1}),
    ]
    assert [getattr(outcome, "code", None) for outcome in outcomes] == [None, "AR404", "AR104", "AR101"]
    told = repr((outcomes, world.events, world.person.asked)) + world.records.text() + repr(world.broker)
    for form in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    ):
        assert form not in told
    assert "[secret token]" in told


async def test_redirects_do_not_carry_credentials(world, kit):
    port = world.server.port
    world.server.answer = kit.status(302, extra=f"location: http://localhost:{port}/steal\r\n")
    assert (await world.read()).code == "AR303"
    assert [seen.target for seen in world.server.seen] == ["/v1/tickets/t1"]

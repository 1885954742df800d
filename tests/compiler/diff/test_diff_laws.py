"""Laws of a comparison, on random grants: both ways it is the same, and its witnesses are what brokers do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentc.access import Told, moment
from agentc.checks.base import PROJECT
from agentc.diff.compare import compare
from agentc.diff.values import MIRRORED, Side, Version
from agentc.diff.witness import further, moment_of
from agentc.predicates import close_unless, close_where, merge_limits, open_when
from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.broker import Broker
from agentc_runtime.calls import Call, Decision, Returned
from agentc_runtime.expressions import Const, Ref
from agentc_runtime.memory import MemoryJournal
from agentc_runtime.secrets import Secrets
from agentc_runtime.transport import HttpTransport

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.sampled_from([{"maximum": 50}, {"minimum": 20}, {"enum": [5, 10]}, {"multipleOf": 5}]),
        "currency": st.sampled_from([{"enum": ["EUR"]}, {"pattern": "[A-Z]{3}"}, {"maxLength": 2}]),
        "ticket_id": st.sampled_from([{"pattern": "T-[0-9]"}, {"enum": ["T-1", "T-2"]}]),
    },
)
BINDS = st.sampled_from(
    [{}, {"ticket_id": Ref(path=("input", "ticket_id"))}, {"currency": Const(value="EUR")}]
)
ORIGINS = st.dictionaries(
    st.sampled_from(["currency", "amount"]),
    st.sampled_from([("input",), ("spec", "session"), ("input", "trusted")]),
    max_size=1,
)
QUOTAS = st.builds(ir.Quota, per_run=st.sampled_from([None, 1, 2]), per_day=st.sampled_from([None, 1, 2]))
GROUPS = st.sampled_from([("leads",), ("juniors",), ("juniors", "leads")])
ARGUMENTS = st.fixed_dictionaries(
    {
        "ticket_id": st.sampled_from(["T-1", "T-9", "X"]),
        "amount": st.sampled_from([1, 5, 10, 20, 21.5, 50, 51]),
    },
    optional={"currency": st.sampled_from(["EUR", "USD", "EURO", ""])},
)
READS = st.sampled_from(
    [
        labels.Label(trust=trust, sensitivity=sensitivity)
        for trust in ("trusted", "typed", "untrusted")
        for sensitivity in ("public", "confidential")
    ]
)
MANY = pytest.param(400, marks=pytest.mark.slow)
PARTS = [("where",), ("approval",), ("quota",), ("untrusted_to_effect", "unless"), ("origins",)]
SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def grants(draw, arguments):
    where, bind = draw(LIMITS), draw(BINDS)
    closed = close_where(where) if where else None
    asked, unless = draw(st.one_of(st.none(), LIMITS)), draw(st.one_of(st.none(), LIMITS))
    return ir.Grant(
        tool="desk.refund",
        permission_set="triage",
        schema=merge_limits(arguments, set(bind), closed),
        where=closed,
        origins=draw(ORIGINS),
        bind=bind,
        approval=None if asked is None else ir.Approval(by=draw(GROUPS), when=open_when(asked)),
        quota=draw(st.one_of(st.none(), QUOTAS)),
        untrusted_to_effect=draw(st.sampled_from(["deny", "approve", "allow"])),
        unless=None
        if unless is None
        else ir.Unless(schema=close_unless(unless, where), origins=draw(ORIGINS)),
    )


class Desk:
    """The service of the tools. It counts what arrives."""

    def __init__(self) -> None:
        self.arrived = 0
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or the body waits for an acknowledgement of the head

            def do_POST(self) -> None:
                desk.arrived += 1
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()


@pytest.fixture(scope="module")
def desk():
    running = Desk()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(scope="module")
def agent(tmp_path_factory, kit, desk) -> Version:
    """The agent of the base project, whose service is on loopback."""
    port = desk.server.server_address[1]
    files = "# file: agentc.yaml\n" + PROJECT.replace("8080", str(port))
    (version,) = kit.side(tmp_path_factory.mktemp("desk"), files).agents.values()
    return version


def with_grant(agent: Version, grant: ir.Grant) -> Version:
    program = msgspec.structs.replace(agent.program, grants={**agent.program.grants, "desk.refund": grant})
    return Version(program, agent.source_map, agent.sources)


def delta_of(old: Version, new: Version):
    return compare(
        Side("old", {"triage": old}, "folder", "old"), Side("new", {"triage": new}, "folder", "new")
    )


class Nobody:
    """Is asked and does not agree."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    async def ask(self, request):
        self.asked.append(request.by)
        return Decision(approved=False, by="nobody")


def carried_out(version, witness, read, desk):
    """How far the broker lets the call of a witness come: refused, asks, allowed."""

    async def call():
        environment = version.program.environments["local"]
        secrets = Secrets(environment, {"DESK_TOKEN": "a-token-of-the-desk", "OPENAI_API_KEY": "a-key"})
        transport, person = HttpTransport(environment), Nobody()
        broker = Broker(
            version.program, version.source_map, "local", transport, MemoryJournal(), secrets, person
        )
        at = moment_of(version.program, witness, read)
        proposed = Call(
            run_id="run-1", call_id="call-1", state=witness.state, name=witness.tool,
            arguments=witness.arguments, context=at.context, data=at.data, origins=at.origins,
        )  # fmt: skip
        before = desk.arrived
        try:
            outcome = await broker.call(proposed, lambda event: None)
        finally:
            await transport.close()
        if isinstance(outcome, Returned):
            assert desk.arrived == before + 1
            return "allowed"
        assert desk.arrived == before
        return "asks" if person.asked else "refused"

    return asyncio.run(call())


@pytest.mark.parametrize("examples", [20, MANY])
def test_every_witness_is_what_the_brokers_of_both_versions_do(examples, agent, desk):
    """Denied, or asked about, by the old one and nothing arrives; let through further by the new one."""
    arguments = agent.program.tools["desk.refund"].arguments
    seen = Counter()

    @settings(max_examples=examples, **SETTINGS)
    @given(grants(arguments), grants(arguments))
    def law(before, now):
        old, new = with_grant(agent, before), with_grant(agent, now)
        for change in delta_of(old, new).widenings:
            witness = change.witness
            seen[change.code, witness is not None] += 1
            if witness is None:
                continue
            assert further(witness.less, witness.more)
            if witness.made == (0, 0):
                assert carried_out(old, witness, witness.read[0], desk) == witness.less.outcome
                assert carried_out(new, witness, witness.read[1], desk) == witness.more.outcome

    law()
    if examples < 100:
        return
    assert {code for (code, shown) in seen if shown} >= {"AC903", "AC905", "AC906", "AC907"}
    shown = sum(count for (_, is_shown), count in seen.items() if is_shown)
    assert shown > 0.7 * sum(seen.values()), seen


@pytest.mark.parametrize("examples", [30, MANY])
def test_both_ways_it_is_the_same_and_of_one_version_there_is_no_difference(examples, agent):
    arguments = agent.program.tools["desk.refund"].arguments

    @settings(max_examples=examples, **SETTINGS)
    @given(grants(arguments), grants(arguments))
    def law(before, now):
        old, new = with_grant(agent, before), with_grant(agent, now)
        there, back = delta_of(old, new), delta_of(new, old)
        assert Counter(
            (MIRRORED[one.how], one.code, one.what, one.lines) for one in there.changes
        ) == Counter((one.how, one.code, one.what, tuple(reversed_lines(one.lines))) for one in back.changes)
        same = delta_of(old, with_grant(agent, before))
        assert (same.changes, same.edits, same.bumps) == ((), (), ())
        assert (there.digest == back.digest) == (before == now)

    def reversed_lines(lines):
        turned = [("+" if line[0] == "-" else "-") + line[1:] for line in lines]
        return sorted(turned, key=lambda line: line[0] == "+")

    law()


@pytest.mark.parametrize("examples", [30, MANY])
def test_what_comes_further_than_before_is_a_widening(examples, agent):
    """No call gets further in the new version when nothing of its tool is said to be wider."""
    arguments = agent.program.tools["desk.refund"].arguments
    counts = Counter()

    @settings(max_examples=examples, **SETTINGS)
    @given(
        grants(arguments),
        grants(arguments),
        st.sampled_from(PARTS),
        st.lists(st.tuples(ARGUMENTS, READS, st.integers(0, 2)), min_size=10, max_size=20),
    )
    def law(before, other, parts, calls):
        now = msgspec.structs.replace(before, **{part: getattr(other, part) for part in parts})
        if "where" in parts:
            closed = merge_limits(arguments, set(before.bind), other.where)
            now = msgspec.structs.replace(now, schema=closed)
        old, new = with_grant(agent, before), with_grant(agent, now)
        widened = any(one.subject == "desk.refund" for one in delta_of(old, new).widenings)
        counts[widened] += 1
        if widened:
            return
        for whole, read, made in calls:
            text = json.dumps({name: value for name, value in whole.items() if name not in now.bind})
            told = Told(read=read, input={"ticket_id": whole["ticket_id"]}, trusted=({"a": "EUR 5 10"},))
            verdicts = [
                version.judge.verdict(
                    "main", "desk.refund", text, moment(version.program, "main", "desk.refund", told),
                    in_run=made, in_day=made,
                )
                for version in (old, new)
            ]  # fmt: skip
            assert not further(*verdicts), (whole, read, verdicts)

    law()
    assert counts[False] > examples / 20
